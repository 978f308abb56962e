"""``layerlens diff IMAGE``; two images are in test_diff_images.py."""

import json
from collections.abc import Callable

import pytest
from archive_forms import archive, docker_skopeo
from image_builder import (
    BuiltImage,
    block_device,
    character_device,
    directory,
    fifo,
    file,
    hard_link,
    image,
    layer,
    opaque,
    symlink,
    whiteout,
)

from .golden import assert_golden
from .running import Run, runner

Save = Callable[[bytes], str]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def stored(save: Save) -> Callable[[BuiltImage], str]:
    return lambda built: save(archive(docker_skopeo(built)))


Stored = Callable[[BuiltImage], str]

SMALL = image(
    layer(
        directory("/etc"),
        file("/etc/a.conf", b"12"),
        file("/etc/b.conf", b"1"),
        file("/same", b"1"),
        created_by="COPY etc /etc # buildkit",
    ),
    layer(
        directory("/etc"),
        file("/etc/a.conf", b"123"),
        file("/etc/c.conf", b"12345"),
        file("/same", b"1"),
        whiteout("/etc/b.conf"),
        created_by="RUN /bin/sh -c configure # buildkit",
    ),
    layer(file("/etc/a.conf", b"123", mtime=9), created_by="RUN /bin/sh -c touch # buildkit"),
)


def statuses(run: Run, *words: str) -> list[str]:
    return [
        line.replace("\t", " ") for line in run("diff", *words, "--name-status").text().splitlines()
    ]


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("diff-demo.txt", ["fixtures/demo.tar"]),
        ("diff-demo-stat.txt", ["fixtures/demo.tar", "--stat"]),
        ("diff-demo-stat.json", ["fixtures/demo.tar", "--stat", "--json", "--layers", "7..8"]),
        (
            "diff-demo-layer-8.json",
            ["fixtures/demo.tar", "--json", "--layer", "-1", "--path", "*css"],
        ),
        ("diff-demo-top.txt", ["fixtures/demo.tar", "--top", "2", "--bytes"]),
        ("diff-tour.txt", ["fixtures/tour-oci.tar"]),
        (
            "diff-tour-mtime.txt",
            ["fixtures/tour-oci.tar", "--layers", "1..", "--mtime", "--rewritten"],
        ),
        ("diff-tour-stat.txt", ["fixtures/tour-oci.tar", "--stat", "--bytes"]),
        ("diff-tour-layer-2.json", ["fixtures/tour-oci.tar", "--json", "--layer", "2"]),
        ("diff-odd.txt", ["fixtures/odd.tar"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("diff", *words)
    assert ran.status == 0
    assert_golden(golden, ran.out)


def test_each_layer_is_shown_against_those_below(run: Run, stored: Stored) -> None:
    assert run("diff", stored(SMALL)).text() == (
        "layer 0  10.2 kB  COPY etc /etc\n"
        "  A          -  /etc/\n"
        "  A       +2 B  /etc/a.conf\n"
        "  A       +1 B  /etc/b.conf\n"
        "  A       +1 B  /same\n"
        "  4 added (4 B)\n"
        "\n"
        "layer 1  10.2 kB  RUN configure\n"
        "  M        3 B  /etc/a.conf  (content 2 B -> 3 B)\n"
        "  D       -1 B  /etc/b.conf\n"
        "  A       +5 B  /etc/c.conf\n"
        "  1 added (5 B), 1 changed (2 B -> 3 B), 1 removed (1 B)\n"
        "\n"
        "layer 2  10.2 kB  RUN touch\n"
        "  no changes\n"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--layer", "1"], ["M /etc/a.conf", "D /etc/b.conf", "A /etc/c.conf"]),
        (["--layer", "-2"], ["M /etc/a.conf", "D /etc/b.conf", "A /etc/c.conf"]),
        (["--layer", "-1"], []),
        (["--layers", "0..1"], ["A /etc", "A /etc/a.conf", "A /etc/c.conf", "A /same"]),
        (["--layers", "..1"], ["A /etc", "A /etc/a.conf", "A /etc/c.conf", "A /same"]),
        (["--layers", "1.."], ["M /etc/a.conf", "D /etc/b.conf", "A /etc/c.conf"]),
        (["--layers", "-2.."], ["M /etc/a.conf", "D /etc/b.conf", "A /etc/c.conf"]),
        (["--layers=-2..-1"], ["M /etc/a.conf", "D /etc/b.conf", "A /etc/c.conf"]),
        (["--layers", "2"], []),
        (
            ["--layer", "1", "--rewritten"],
            ["M /etc/a.conf", "D /etc/b.conf", "A /etc/c.conf", "R /same"],
        ),
        (["--layer", "2", "--rewritten"], ["R /etc/a.conf"]),
        (["--layer", "2", "--mtime"], ["M /etc/a.conf"]),
        (["--layer", "2", "--mtime", "--rewritten"], ["M /etc/a.conf"]),
        (["--layer", "1", "--only", "A"], ["A /etc/c.conf"]),
        (["--layer", "1", "--only", "d,m"], ["M /etc/a.conf", "D /etc/b.conf"]),
        (["--layer", "1", "--only", "AR"], ["A /etc/c.conf", "R /same"]),
        (["--layer", "1", "--only", "D", "--rewritten"], ["D /etc/b.conf", "R /same"]),
        (["--path", "b.*"], ["A /etc/b.conf", "D /etc/b.conf"]),
        (["--path", "/etc/[bc].conf", "--only", "A"], ["A /etc/b.conf", "A /etc/c.conf"]),
        (["--layer", "0", "--path", "etc", "--exclude", "/etc/*.conf"], ["A /etc"]),
        (["--layer", "0", "--exclude", "/etc"], ["A /same"]),
        (["--layer", "1", "--sort", "bytes"], ["A /etc/c.conf", "M /etc/a.conf", "D /etc/b.conf"]),
        (["--layer", "1", "--top", "2"], ["A /etc/c.conf", "M /etc/a.conf"]),
        (["--layer", "1", "--top", "2", "--sort", "path"], ["M /etc/a.conf", "D /etc/b.conf"]),
        (["--layer", "1", "--top", "99"], ["A /etc/c.conf", "M /etc/a.conf", "D /etc/b.conf"]),
    ],
)
def test_what_is_shown_can_be_chosen(
    words: list[str], expected: list[str], run: Run, stored: Stored
) -> None:
    assert statuses(run, stored(SMALL), *words) == expected


def test_top_counts_for_each_layer_and_says_what_is_hidden(run: Run, stored: Stored) -> None:
    text = run("diff", stored(SMALL), "--top", "1").text()
    assert "  A       +2 B  /etc/a.conf\n  4 added (4 B); 3 not shown\n" in text
    assert "  A       +5 B  /etc/c.conf\n  1 added (5 B), 1 changed (2 B -> 3 B)" in text
    assert text.count("not shown") == 2


def test_layers_without_a_match_are_left_out_of_a_filtered_diff(run: Run, stored: Stored) -> None:
    name = stored(SMALL)
    assert run("diff", name, "--path", "b.conf").text() == (
        "layer 0  10.2 kB  COPY etc /etc\n  A       +1 B  /etc/b.conf\n  1 added (1 B)\n"
        "\n"
        "layer 1  10.2 kB  RUN configure\n  D       -1 B  /etc/b.conf\n  1 removed (1 B)\n"
    )
    assert run("diff", name, "--only", "D", "--stat").text().startswith("layer 1 ")
    assert run("diff", name, "--path", "nowhere").text() == "no changes\n"
    # One that was asked for is there, and in JSON they all are.
    assert run("diff", name, "--path", "nowhere", "--layer", "1").text() == (
        "layer 1  10.2 kB  RUN configure\n  no changes\n"
    )
    layers = json.loads(run("diff", name, "--path", "nowhere", "--json").text())["layers"]
    assert [(each["first"], each["changes"]) for each in layers] == [(0, []), (1, []), (2, [])]


def test_a_range_is_headed_by_all_its_layers(run: Run, stored: Stored) -> None:
    lines = run("diff", stored(SMALL), "--layers", "1..2", "--bytes").text().splitlines()
    assert lines[:3] == [
        "layer 1  10240  RUN configure",
        "layer 2  10240  RUN touch",
        "  M          3  /etc/a.conf  (content 2 -> 3)",
    ]


def test_stat_adds_up_by_top_level_directory(run: Run, stored: Stored) -> None:
    name = stored(SMALL)
    assert run("diff", name, "--layer", "1", "--stat", "--rewritten").text() == (
        "layer 1  10.2 kB  RUN configure\n"
        "  PATH  ADDED  BYTES  CHANGED  BYTES  REMOVED  BYTES  REWRITTEN  BYTES  GROWTH\n"
        "  /         -      -        -      -        -      -          1    1 B     0 B\n"
        "  /etc      1    5 B        1    3 B        1    1 B          -      -    +5 B\n"
        "  1 added (5 B), 1 changed (2 B -> 3 B), 1 removed (1 B), 1 rewritten (1 B)\n"
    )
    cut = run("diff", name, "--layer", "1", "--stat", "--rewritten", "--top", "1").text()
    assert cut.splitlines()[2].split()[0] == "/etc"
    assert cut.endswith("1 rewritten (1 B); 1 not shown\n")


def test_names_are_one_a_line_and_escaped_or_raw(run: Run, stored: Stored) -> None:
    name = stored(image(layer(file("/a\nb"), file("/caf\udce9"), file("/\x1b[31m"))))
    assert run("diff", name, "--name-only").text() == "/\\x1b[31m\n/a\\nb\n/caf\\xe9\n"
    assert run("diff", name, "--name-only", "-z").out == b"/\x1b[31m\0/a\nb\0/caf\xe9\0"
    assert run("diff", name, "--name-status", "-z").out == (
        b"A\0/\x1b[31m\0A\0/a\nb\0A\0/caf\xe9\0"
    )


def test_json_tells_all_there_is_of_a_change(run: Run, stored: Stored) -> None:
    built = image(
        layer(file("/f", b"1"), file("/caf\udce9", b"x", owner=(1, 2), xattrs={"user.x": b"\0"})),
        layer(
            file("/f", b"12", mode=0o4755, mtime=1), hard_link("/g", "/f"), whiteout("/caf\udce9")
        ),
    )
    text = run("diff", stored(built), "--json").text()
    assert text.startswith('{\n  "schema_version": 1,\n  "image": {')
    document = json.loads(text)
    below, above = document["layers"]
    assert (above["first"], above["last"], above["size"]) == (1, 1, 10240)
    assert above["diff_id"] == built.layers[1].diff_id
    assert above["chain_id"].startswith("sha256:")
    assert above["totals"] == {
        "added": 1,
        "added_bytes": 0,
        "changed": 1,
        "changed_bytes_before": 1,
        "changed_bytes_after": 2,
        "removed": 1,
        "removed_bytes": 1,
        "rewritten": 0,
        "rewritten_bytes": 0,
        "growth": 0,
    }
    gone, changed, link = above["changes"]
    assert (gone["path"], gone["path_base64"]) == ("/caf\\xe9", "L2NhZuk=")
    assert (gone["change"], gone["what"], gone["after"]) == ("D", [], None)
    assert gone["before"] == below["changes"][0]["after"]
    assert gone["before"]["xattrs"] == {"user.x": "AA=="}
    assert (gone["before"]["uid"], gone["before"]["gid"]) == (1, 2)
    assert (changed["change"], changed["what"]) == ("M", ["content", "mode"])
    assert (changed["before"]["size"], changed["after"]["size"]) == (1, 2)
    assert (changed["before"]["mode"], changed["after"]["mode"]) == ("0644", "4755")
    assert (changed["before"]["layer"], changed["after"]["layer"]) == (0, 1)
    assert (link["path"], link["after"]["hard_link_to"]) == ("/g", "/f")
    assert link["after"]["sha256"] == changed["after"]["sha256"]


def test_json_has_no_time_and_no_layer_where_none_wrote_a_directory(
    run: Run, stored: Stored
) -> None:
    document = json.loads(run("diff", stored(image(layer(file("/d/f")))), "--json").text())
    implied, written = [change["after"] for change in document["layers"][0]["changes"]]
    assert (implied["mtime_ns"], implied["layer"]) == (None, None)
    assert (written["mtime_ns"], written["layer"]) == (0, 0)


def test_totals_count_what_top_hides(run: Run, stored: Stored) -> None:
    words = ("diff", stored(SMALL), "--json", "--layer", "1", "--top", "1")
    (section,) = json.loads(run(*words).text())["layers"]
    assert [change["path"] for change in section["changes"]] == ["/etc/c.conf"]
    assert (section["totals"]["added"], section["totals"]["changed"]) == (1, 1)
    (section,) = json.loads(run(*words, "--stat").text())["layers"]
    assert [row["path"] for row in section["changes"]] == ["/etc"]
    assert section["changes"][0]["totals"]["growth"] == 5


@pytest.mark.parametrize("form", [[], ["--stat"], ["--json"], ["--name-only"], ["--name-status"]])
@pytest.mark.parametrize(
    ("words", "status"), [(["--layer", "1"], 1), (["--layer", "2"], 0), (["--only", "R"], 1)]
)
def test_the_exit_status_tells_of_differences_when_asked(
    form: list[str], words: list[str], status: int, run: Run, stored: Stored
) -> None:
    name = stored(SMALL)
    assert run("diff", name, *form, *words, "--exit-code").status == status
    assert run("diff", name, *form, *words).status == 0
    quiet = run("diff", name, *form, *words, "--quiet")
    assert (quiet.status, quiet.out, quiet.err) == (status, b"", "")


def test_quiet_does_not_hide_errors(run: Run) -> None:
    ran = run("diff", "nowhere.tar", "--quiet")
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.startswith("layerlens: error: nowhere.tar")


def test_copies_in_place_of_hard_links_are_told_with_what_was_written_again(
    run: Run, stored: Stored
) -> None:
    linked = stored(image(layer(file("/a", b"12345"), hard_link("/b", "/a"))))
    copied = stored(image(layer(file("/a", b"12345"), file("/b", b"12345"))))
    assert run("diff", linked, copied, "--name-status").text() == ""
    assert run("diff", linked, copied, "--rewritten", "--name-status").text() == "R\t/b\n"
    totals = json.loads(run("diff", linked, copied, "--rewritten", "--json").text())["totals"]
    assert (totals["rewritten"], totals["rewritten_bytes"], totals["growth"]) == (1, 5, 5)
    back = json.loads(run("diff", copied, linked, "--rewritten", "--json").text())["totals"]
    assert (back["rewritten"], back["rewritten_bytes"], back["growth"]) == (1, 0, -5)


def test_a_directory_replaced_by_a_file_takes_all_below_with_it(run: Run, stored: Stored) -> None:
    name = stored(
        image(
            layer(directory("/d"), directory("/d/e"), file("/d/e/f", b"1"), file("/d/g")),
            layer(file("/d")),
        )
    )
    assert statuses(run, name, "--layer", "1") == ["M /d", "D /d/e", "D /d/e/f", "D /d/g"]


def test_a_directory_that_is_only_listed_is_no_change(run: Run, stored: Stored) -> None:
    name = stored(
        image(
            layer(directory("/d"), directory("/d/e"), file("/d/e/f")),
            layer(directory("/d", mtime=5), directory("/d/e"), file("/d/e/g")),
        )
    )
    assert statuses(run, name, "--layer", "1", "--rewritten") == ["A /d/e/g"]
    assert statuses(run, name, "--layer", "1", "--mtime") == ["M /d", "A /d/e/g"]


def test_an_opaque_directory_lists_what_it_hides(run: Run, stored: Stored) -> None:
    name = stored(
        image(
            layer(file("/d/a"), file("/d/b", b"1"), file("/d/c/x")),
            layer(directory("/d"), opaque("/d"), file("/d/b", b"2")),
        )
    )
    assert statuses(run, name, "--layer", "1") == ["D /d/a", "M /d/b", "D /d/c", "D /d/c/x"]


def test_what_changed_is_said(run: Run, stored: Stored) -> None:
    name = stored(
        image(
            layer(
                file("/mode"),
                file("/owner"),
                file("/xattrs", xattrs={"user.old": b"1"}),
                symlink("/link", "a"),
                file("/type", b"12"),
                character_device("/device", 1, 3),
                fifo("/fifo"),
                directory("/directory"),
            ),
            layer(
                file("/mode", mode=0o755),
                file("/owner", owner=(1, 2)),
                file("/xattrs", xattrs={"user.new": b"1"}),
                symlink("/link", "b\x1b"),
                symlink("/type", "a"),
                character_device("/device", 1, 5),
                block_device("/fifo", 8, 0),
                directory("/directory", mode=0o1777),
            ),
        )
    )
    lines = run("diff", name, "--layer", "1").text().splitlines()
    assert lines[1:] == [
        "  M          -  /device  (type character device 1:3 -> character device 1:5)",
        "  M          -  /directory/  (mode 0755 -> 1777)",
        "  M          -  /fifo  (type fifo -> block device 8:0)",
        "  M          -  /link  (link a -> b\\x1b)",
        "  M        0 B  /mode  (mode 0644 -> 0755)",
        "  M        0 B  /owner  (owner 0:0 -> 1:2)",
        "  M          -  /type -> a  (type file of 2 B -> symlink)",
        "  M        0 B  /xattrs  (xattrs +user.new -user.old)",
        "  8 changed (2 B -> 0 B)",
    ]


def test_an_image_without_layers_has_nothing_to_show(run: Run, stored: Stored) -> None:
    name = stored(image())
    assert run("diff", name).text() == "no layers\n"
    assert run("diff", name, "--quiet").status == 0
    ran = run("diff", name, "--layer", "0")
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err.endswith("has no layer 0; there are none\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--layer", "9"], "fixtures/demo.tar: has no layer 9; they are 0 to 8"),
        (["--layers", "-99.."], "fixtures/demo.tar: has no layer -99; they are 0 to 8"),
        (["--layers=-99.."], "fixtures/demo.tar: has no layer -99; they are 0 to 8"),
        (["--layer", "x"], "'x' is no layer: expected a number, or A..B"),
        (["--layer", ""], "'' is no layer: expected a number, or A..B"),
        (["--layer", "1..2"], "for a range use --layers 1..2"),
        (["--layers", "5..2"], "the layers '5..2' run backwards"),
        (["--layer", "1", "--layers", "2"], "can't be used together"),
        (["--only", "X"], "the letters are A, M, D and R"),
        (["--only", ""], "the letters are A, M, D and R"),
        (["--path", "["], "a '[' that is not closed"),
        (["--exclude", ""], "an empty pattern"),
        (["--top", "0"], "--top: the number must be 1 or more"),
        (["--top", "many"], "expected a whole number, not 'many'"),
        (["--sort", "size"], "invalid choice: 'size'"),
        (["-z"], "-z goes with --name-status or --name-only"),
        (["-z", "--stat"], "-z goes with --name-status or --name-only"),
        (["--json", "--name-only"], "--json holds the names already"),
        (["--stat", "--name-only"], "not allowed with"),
        (["--name-only", "--name-status"], "not allowed with"),
    ],
)
def test_what_makes_no_sense_is_one_line_of_error(words: list[str], message: str, run: Run) -> None:
    ran = run("diff", "fixtures/demo.tar", *words)
    assert (ran.status, ran.out) == (2, b"")
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_the_help_fits_eighty_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = run("diff", "--help").text()
    assert max(map(len, text.splitlines())) <= 80
    assert "layerlens diff old.tar new.tar --stat" in text
