import base64
import json
import tarfile
from pathlib import Path

import pytest

from .golden import ROOT, assert_golden
from .running import Run, runner
from .small_images import docker_archive, file, special, tar


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("ls-demo.txt", ["fixtures/demo.tar"]),
        ("ls-tour.txt", ["fixtures/tour-oci.tar", "--recursive", "--bytes"]),
        ("ls-tour-names.txt", ["fixtures/tour-oci.tar", "/names", "--name-only", "--layer", "0"]),
        ("ls-tour-names.json", ["fixtures/tour-oci.tar", "/names", "--json"]),
        ("ls-odd.json", ["--json", "-R", "fixtures/odd.tar"]),
        ("ls-sparse.txt", ["-l", "fixtures/sparse.tar"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("ls", *words)
    assert ran.status == 0
    assert_golden(golden, ran.out)


KINDS = {
    "f": "file",
    "d": "directory",
    "l": "symlink",
    "c": "character device",
    "b": "block device",
    "p": "fifo",
}


@pytest.mark.parametrize(
    ("archive", "tree"),
    [("tour-oci.tar", "tour"), ("demo.tar", "demo"), ("odd.tar", "odd"), ("sparse.tar", "sparse")],
)
def test_it_lists_what_another_tool_makes_of_the_image(archive: str, tree: str, run: Run) -> None:
    document = json.loads(run("ls", "-R", "--json", f"fixtures/{archive}").text())
    listed = {_exact(entry, "path"): entry for entry in document["entries"]}
    theirs = json.loads((ROOT / "fixtures" / "trees" / f"{tree}.json").read_text())["entries"]
    expected = {_exact(entry, "path"): entry for entry in theirs}
    expected.pop(b"/", None)
    assert sorted(listed) == sorted(expected)
    for path, entry in expected.items():
        ours = listed[path]
        assert ours["kind"] == KINDS[entry["kind"]], path
        assert int(ours["mode"], 8) == entry["mode"] or entry["kind"] == "l", path
        assert (ours["uid"], ours["gid"]) == (entry["uid"], entry["gid"]), path
        assert ours["size"] == entry.get("size", 0), path
        assert ours["sha256"] == entry.get("sha256"), path
        assert ours["device"] == entry.get("device"), path
        assert ours["xattrs"] == entry["xattrs"], path
        if entry["kind"] == "l":
            assert _exact(ours, "link_target") == _exact(entry, "link_target"), path


def _exact(entry: dict[str, str], key: str) -> bytes:
    encoded = entry.get(f"{key}_base64")
    return base64.b64decode(encoded) if encoded else entry[key].encode()


def test_raw_names_are_the_bytes_themselves(run: Run) -> None:
    ran = run("ls", "-z", "fixtures/tour-oci.tar", "/names", "--layer", "0")
    names = ran.out.split(b"\0")
    assert names.pop() == b""
    assert {b"new\nline", b"latin-1-caf\xe9", b"\xff\xfe", b"escape\x1b[31mred"} <= set(names)
    assert names == sorted(names)


def test_raw_recursive_names_are_whole_paths(run: Run) -> None:
    ran = run("ls", "-Rz", "fixtures/odd.tar", "/links")
    assert ran.out == b"/links/kept\0/links/to-gone\0/links/to-kept\0"


def test_names_are_escaped_where_they_are_read_by_line(run: Run) -> None:
    text = run("ls", "--name-only", "fixtures/tour-oci.tar", "/names", "--layer", "0").text()
    lines = text.splitlines()
    assert {"new\\nline", "latin-1-caf\\xe9", "escape\\x1b[31mred"} <= set(lines)
    assert all(line.isprintable() for line in lines)


def test_a_layer_is_what_the_files_were_after_it(run: Run) -> None:
    def names(*words: str) -> list[str]:
        return run("ls", "--name-only", "fixtures/odd.tar", "/usr/lib", *words).text().split()

    assert names("--layer", "0") == ["keep.so", "y.so"]
    assert names("--layer", "1") == ["keep.so", "x.so"]
    assert names("--layer", "-1") == names() == ["keep.so", "x.so"]
    assert names("--layer=-6") == names("--layer", "0")


def test_a_link_is_followed_inside_the_image(run: Run) -> None:
    through = json.loads(run("ls", "--json", "fixtures/odd.tar", "lib").text())
    assert through["path"] == "/usr/lib"
    assert [entry["path"] for entry in through["entries"]] == [
        "/usr/lib/keep.so",
        "/usr/lib/x.so",
    ]


def test_what_is_no_directory_lists_itself(run: Run) -> None:
    (line,) = run("ls", "fixtures/demo.tar", "/etc/passwd").text().splitlines()[1:]
    assert line.split() == [
        "-rw-r--r--",
        "0:0",
        "121",
        "B",
        "2023-11-14T22:13:20Z",
        "8",
        "/etc/passwd",
    ]
    assert run("ls", "-z", "fixtures/demo.tar", "etc/passwd").out == b"/etc/passwd\0"


def test_an_empty_directory_is_an_empty_listing(run: Run) -> None:
    assert run("ls", "fixtures/tour-oci.tar", "/sizes/empty-directory").text() == ""
    shown = run("ls", "--json", "fixtures/tour-oci.tar", "/sizes/empty-directory").text()
    assert json.loads(shown)["entries"] == []


def test_a_further_name_of_a_file_shows_what_both_stand_for(run: Run, tmp_path: Path) -> None:
    layers = (
        tar(file("first", b"12345")),
        tar(special("second", tarfile.LNKTYPE, "first")),
    )
    image = str(docker_archive(tmp_path / "a.tar", *layers))
    first, second = json.loads(run("ls", "--json", image).text())["entries"]
    assert (second["hard_link_to"], second["link_target"]) == ("/first", None)
    assert (first["hard_link_to"], first["layer"], second["layer"]) == (None, 0, 1)
    assert {key: second[key] for key in ("kind", "size", "sha256")} == {
        key: first[key] for key in ("kind", "size", "sha256")
    }
    assert run("ls", image).text().splitlines()[2].endswith("  1  second link to /first")


def test_a_further_name_of_a_symlink_leads_where_the_first_does(run: Run, tmp_path: Path) -> None:
    layer = tar(
        special("first", tarfile.SYMTYPE, "goal"), special("second", tarfile.LNKTYPE, "first")
    )
    image = str(docker_archive(tmp_path / "a.tar", layer))
    first, second = json.loads(run("ls", "--json", image).text())["entries"]
    assert (first["link_target"], first["hard_link_to"]) == ("goal", None)
    assert (second["link_target"], second["hard_link_to"]) == ("goal", "/first")
    assert (first["mode"], second["mode"]) == ("0777", "0777")  # tarfile wrote 0644
    (section,) = json.loads(run("diff", "--json", image).text())["layers"]
    assert [change["after"]["mode"] for change in section["changes"]] == ["0777", "0777"]
    assert [change["after"]["link_target"] for change in section["changes"]] == ["goal", "goal"]


def test_a_directory_that_no_layer_lists_has_no_layer(run: Run, tmp_path: Path) -> None:
    image = str(docker_archive(tmp_path / "a.tar", tar(file("made/for/it"))))
    (entry,) = json.loads(run("ls", "--json", image).text())["entries"]
    assert (entry["path"], entry["layer"], entry["mtime_ns"]) == ("/made", None, None)
    (line,) = run("ls", image).text().splitlines()[1:]
    assert line.split() == ["drwxr-xr-x", "0:0", "-", "-", "-", "made"]


def test_an_image_without_layers_is_empty(run: Run, tmp_path: Path) -> None:
    image = str(docker_archive(tmp_path / "a.tar"))
    assert run("ls", image).text() == ""
    document = json.loads(run("ls", "--json", image).text())
    assert (document["layer"], document["entries"]) == (None, [])
    ran = run("ls", image, "--layer", "0")
    assert (ran.status, ran.err) == (
        2,
        f"layerlens: error: {image}: has no layer 0; there are none\n",
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["fixtures/demo.tar", "/nope"], "fixtures/demo.tar: /nope: no such path in the image"),
        (["fixtures/demo.tar", "/etc/passwd/x"], "/etc/passwd is not a directory"),
        (["fixtures/demo.tar", "--layer", "9"], "has no layer 9; they are 0 to 8"),
        (["fixtures/demo.tar", "--layer", "-10"], "has no layer -10; they are 0 to 8"),
        (["fixtures/demo.tar", "--layer", "last"], "--layer: expected a whole number, not 'last'"),
        (["fixtures/demo.tar", "-z", "--json"], "-z writes names only"),
        (["fixtures/demo.tar", "--json", "--name-only"], "not allowed with argument"),
        (["fixtures/demo.tar", "/\udcff"], "/\\xff: no such path"),
    ],
)
def test_what_can_not_be_listed_is_an_error(words: list[str], complaint: str, run: Run) -> None:
    ran = run("ls", *words)
    assert (ran.status, ran.out) == (2, b"")
    assert complaint in ran.err
    assert ran.err.count("\n") == 1


def test_a_loop_of_links_is_an_error(run: Run, tmp_path: Path) -> None:
    loop = tar(special("a", tarfile.SYMTYPE, "b"), special("b", tarfile.SYMTYPE, "/a"))
    ran = run("ls", str(docker_archive(tmp_path / "a.tar", loop)), "/a")
    assert ran.status == 2
    assert "they form a loop" in ran.err
