import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.errors import DigestMismatch

from .golden import ROOT
from .running import Run, runner
from .small_images import docker_archive, file, special, tar


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


def test_the_bytes_are_the_files(run: Run) -> None:
    assert run("cat", "fixtures/tour-oci.tar", "/etc/hostname").out == b"tour\n"


@pytest.mark.parametrize(
    "archive",
    ["tour-docker.tar", "tour-docker.tar.gz", "tour-docker.tar.xz", "tour-layout", "rootfs.tar"],
)
def test_every_container_of_an_image_gives_the_same(archive: str, run: Run) -> None:
    shown = run("cat", f"fixtures/{archive}", "etc/hostname").out
    assert shown == run("cat", "fixtures/tour-oci.tar", "/etc/hostname").out


def test_an_image_on_stdin_is_spooled(tmp_path: Path) -> None:
    with (ROOT / "fixtures" / "tour-docker.tar.gz").open("rb") as archive:
        ran = subprocess.run(
            [sys.executable, "-m", "layerlens", "cat", "-", "/etc/hostname"],
            stdin=archive,
            capture_output=True,
            check=True,
            env={"XDG_CACHE_HOME": str(tmp_path), "PATH": ""},
        )
    assert ran.stdout == b"tour\n"
    assert b"temporary file" in ran.stderr


@pytest.mark.parametrize("path", ["/links/to-gone", "links/./to-gone", "//links/../links/to-gone"])
def test_a_hard_link_has_the_bytes_of_a_layer_below(path: str, run: Run) -> None:
    assert run("cat", "fixtures/odd.tar", path).out == b"deleted under its first name\n"


def test_links_are_followed_inside_the_image(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"the host's")
    layer = tar(
        file("app/data", b"the image's"),
        special("app/up", tarfile.SYMTYPE, "../../../../../app/data"),
        special("app/absolute", tarfile.SYMTYPE, "/app/up"),
        special("directory", tarfile.SYMTYPE, "app"),
        special("out", tarfile.SYMTYPE, str(tmp_path / "secret")),
    )
    image = str(docker_archive(tmp_path / "a.tar", layer))
    for path in ("app/data", "/app/up", "/app/absolute", "/directory/up"):
        assert run("cat", image, path).out == b"the image's"
    out = run("cat", image, "/out")
    assert (out.status, out.out) == (2, b"")


def test_a_layer_chooses_which_of_several_versions(run: Run, tmp_path: Path) -> None:
    layers = [tar(file("a", data)) for data in (b"zero", b"one", b"two")]
    image = str(docker_archive(tmp_path / "a.tar", *layers))
    for layer, expected in (("0", b"zero"), ("1", b"one"), ("-1", b"two"), ("-3", b"zero")):
        assert run("cat", image, "a", "--layer", layer).out == expected
    assert run("cat", image, "a").out == b"two"


def test_of_a_path_listed_twice_the_last_counts(run: Run, tmp_path: Path) -> None:
    layer = tar(
        file("./a", b"early"),
        special("early", tarfile.LNKTYPE, "a"),
        file(".wh.gone", b""),
        file("b/../a", b"late"),
    )
    image = str(docker_archive(tmp_path / "a.tar", layer))
    assert run("cat", image, "/a").out == b"late"
    assert run("cat", image, "/early").out == b"early"


def test_holes_are_filled(run: Run) -> None:
    shown = {
        run("cat", "fixtures/sparse.tar", f"/sparse-{form}").out for form in ("0.0", "0.1", "1.0")
    }
    (content,) = shown
    assert content.count(0) > len(content) // 2


def test_a_name_that_is_not_utf_8_can_be_asked_for(run: Run) -> None:
    shown = run("cat", "fixtures/tour-oci.tar", "/names/latin-1-caf\udce9")
    assert (shown.status, len(shown.out)) == (0, 2)


@pytest.mark.parametrize(
    ("archive", "path", "complaint"),
    [
        ("demo.tar", "/etc", "fixtures/demo.tar: /etc is a directory, not a file"),
        ("demo.tar", "/", "/ is a directory, not a file"),
        ("demo.tar", "/nope", "/nope: no such path in the image"),
        ("tour-oci.tar", "/special/null", "/special/null is a character device, not a file"),
        ("tour-oci.tar", "/special/disk", "/special/disk is a block device, not a file"),
        ("tour-oci.tar", "/special/fifo", "/special/fifo is a named pipe, not a file"),
        ("tour-oci.tar", "/etc/dangling", "no such path in the image (/usr/share/nowhere)"),
        ("tour-oci.tar", "/gone/file", "/gone/file: no such path in the image"),
        ("tour-oci.tar", "/names/\x1b[2J", "/names/\\x1b[2J: no such path"),
    ],
)
def test_what_has_no_bytes_is_an_error(archive: str, path: str, complaint: str, run: Run) -> None:
    ran = run("cat", f"fixtures/{archive}", path)
    assert (ran.status, ran.out) == (2, b"")
    errors = [line for line in ran.err.splitlines() if ": error: " in line]
    assert len(errors) == 1
    assert complaint in errors[0]


def test_a_hard_link_to_nothing_is_an_error(run: Run, tmp_path: Path) -> None:
    image = str(docker_archive(tmp_path / "a.tar", tar(special("a", tarfile.LNKTYPE, "no"))))
    ran = run("cat", image, "/a")
    assert ran.status == 2
    assert f"{image}: /a is a hard link to /no, which is not there" in ran.err


def test_a_file_that_turns_out_damaged_leaves_no_output_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> Iterator[bytes]:
        yield b"half of it"
        raise DigestMismatch("a.tar: the bytes changed")

    monkeypatch.setattr("layerlens.file_content.file_content", damaged)
    target = tmp_path / "out"
    ran = run("cat", "fixtures/demo.tar", "/etc/passwd", "-o", str(target))
    assert (ran.status, ran.err) == (2, "layerlens: error: a.tar: the bytes changed\n")
    assert not target.exists()


def test_an_output_file_holds_the_same_bytes(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert run("cat", "fixtures/demo.tar", "/etc/passwd", "-o", str(target)).out == b""
    assert target.read_bytes() == run("cat", "fixtures/demo.tar", "/etc/passwd").out != b""
