import csv
import io
import json
import re
from pathlib import Path

import pytest
from analysis.naive_dive import figures
from analysis.written_layers import of_fixture

from layerlens.layer.entry import Entry
from layerlens.report.export_csv import HEADER
from layerlens.report.export_dive import go_float

from .golden import assert_golden
from .running import Run, runner
from .small_images import docker_archive, file, oci_layout, special, tar

FILE_KEYS = ["path", "typeFlag", "linkName", "size", "fileMode", "uid", "gid", "isDir"]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("export-odd-dive.json", ["fixtures/odd.tar", "--format", "dive"]),
        ("export-odd.csv", ["fixtures/odd.tar", "--format", "csv"]),
        ("export-tour.csv", ["fixtures/tour-docker.tar.xz", "--format", "csv"]),
    ],
)
def test_it_writes_what_it_wrote_before(golden: str, words: list[str], run: Run) -> None:
    assert_golden(golden, run("export", *words).text().encode())


@pytest.mark.parametrize("name", ["demo.tar", "odd.tar", "tour-layout", "rootfs.tar"])
def test_dive_s_document_has_dive_s_figures(name: str, run: Run) -> None:
    text = run("export", "--format", "dive", f"fixtures/{name}").text()
    assert text.isascii()
    document = json.loads(text)
    layers = of_fixture(name)
    expected = figures([layer.entries for layer in layers])
    image = document["image"]
    assert list(document) == ["layer", "image"]
    assert list(image) == ["sizeBytes", "inefficientBytes", "efficiencyScore", "fileReference"]
    assert image["sizeBytes"] == sum(expected.layer_bytes)
    assert image["inefficientBytes"] == expected.wasted_bytes
    assert image["efficiencyScore"] == expected.efficiency
    sizes = [each["sizeBytes"] for each in image["fileReference"]]
    assert sizes == sorted((size for _, size in expected.references.values()), reverse=True)
    for number, (layer, written) in enumerate(zip(document["layer"], layers, strict=True)):
        assert list(layer) == ["index", "id", "digestId", "sizeBytes", "command", "fileList"]
        assert layer["index"] == number
        assert layer["digestId"] == f"sha256:{layer['id']}" == written.title.diff_id
        assert layer["sizeBytes"] == expected.layer_bytes[number]
        assert all(list(each) == FILE_KEYS for each in layer["fileList"])
        paths = [each["path"] for each in layer["fileList"] if each["path"]]
        assert len(paths) == len({*paths})
        listed = {each.path[1:] for each in written.entries if isinstance(each, Entry)} - {""}
        assert {re.sub("[\udc80-\udcff]", "\ufffd", path) for path in listed} <= {*paths}
        for at, path in enumerate(paths):
            assert not any(later.startswith(f"{path}/") for later in paths[at:])


def test_dive_s_document_is_indented_as_go_does(run: Run) -> None:
    text = run("export", "--format", "dive", "fixtures/odd.tar").text()
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_each_sort_of_file_as_dive_has_it(run: Run, tmp_path: Path) -> None:
    setuid, setuid_data = file("d/b", b"12")
    setuid.mode, setuid.uid, setuid.gid = 0o4755, 7, 8
    sticky, _ = special("t", b"5")
    sticky.mode = 0o1777
    layers = [
        tar(
            (setuid, setuid_data),
            (sticky, b""),
            special("a", b"2", "/x y"),
            special("h", b"1", "d/b"),
            special("c", b"3"),
            special("k", b"4"),
            special("p", b"6"),
        ),
        tar(file("d/.wh.b"), file("e/.wh..wh..opq"), file("<&>\xe9\u2028")),
    ]
    history: dict[str, object] = {
        "history": [{"created_by": "/bin/sh -c echo >x"}, {"created_by": "/bin/bash -c y"}]
    }
    name = str(docker_archive(tmp_path / "image.tar", *layers, config=history))
    text = run("export", "--format", "dive", name).text()
    assert '"command": "echo \\u003ex"' in text
    assert '"path": "\\u003c\\u0026\\u003e\\u00e9\\u2028"' in text
    first, second = json.loads(text)["layer"]
    assert second["command"] == "/bin/bash -c y"
    assert [tuple(each.values()) for each in first["fileList"]] == [
        ("a", 50, "/x y", 0, 1 << 27 | 0o644, 0, 0, False),
        ("c", 51, "", 0, 1 << 26 | 1 << 21 | 0o644, 0, 0, False),
        ("d/b", 48, "", 2, 1 << 23 | 0o755, 7, 8, False),
        ("", 0, "", 0, 0, 0, 0, False),  # a directory that no entry lists
        ("h", 49, "d/b", 0, 0o644, 0, 0, False),
        ("k", 52, "", 0, 1 << 26 | 0o644, 0, 0, False),
        ("p", 54, "", 0, 1 << 25 | 0o644, 0, 0, False),
        ("t", 53, "", 0, 1 << 31 | 1 << 20 | 0o777, 0, 0, True),
    ]
    assert [each["path"] for each in second["fileList"]] == ["<&>\xe9\u2028", "d/.wh.b", "", ""]


def test_an_image_with_nothing_in_it(run: Run, tmp_path: Path) -> None:
    name = str(docker_archive(tmp_path / "image.tar", tar()))
    document = json.loads(run("export", "--format", "dive", name).text())
    (layer,) = document["layer"]
    assert (layer["fileList"], layer["command"]) == ([], "(missing)")
    assert document["image"]["efficiencyScore"] == 1
    empty = str(docker_archive(tmp_path / "empty.tar"))
    text = run("export", "--format", "dive", empty).text()
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (0.0, "0"),
        (0.5, "0.5"),
        (2 / 3, "0.6666666666666666"),
        (1e-5, "0.00001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (2.5e-12, "2.5e-12"),
        (-0.25, "-0.25"),
    ],
)
def test_numbers_are_written_as_go_writes_them(number: float, text: str) -> None:
    assert go_float(number) == text
    assert float(text) == number


def test_the_csv_has_a_row_for_every_entry(run: Run) -> None:
    text = run("export", "--format", "csv", "fixtures/demo.tar").text()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == HEADER
    layers = of_fixture("demo.tar")
    assert len(rows) == sum(len(layer.entries) for layer in layers)
    sizes = sum(int(row[6]) for row in rows if row[6])
    assert sizes == sum(
        entry.size for layer in layers for entry in layer.entries if isinstance(entry, Entry)
    )
    assert {row[2] for row in rows} == {"d", "f", "l", "h", "whiteout", "opaque"}
    removed = [(row[0], row[1]) for row in rows if row[2] == "whiteout"]
    assert removed[0] == ("7", "/root/.cache")
    assert [row[1] for row in rows if row[2] == "opaque"] == ["/srv/weather/static"]


def test_a_format_must_be_named(run: Run) -> None:
    ran = run("export", "fixtures/demo.tar")
    assert ran.status == 2
    assert "--format" in ran.err


@pytest.mark.parametrize("form", ["csv", "dive"])
def test_a_layer_that_is_no_tar_cannot_be_exported(form: str, run: Run, tmp_path: Path) -> None:
    encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    name = str(oci_layout(tmp_path / "image", tar(file("a", b"x")), media_type=encrypted))
    ran = run("export", "--format", form, name, "-o", str(tmp_path / "out"))
    assert ran.status == 2
    assert f"layer 0 is of type {encrypted}, no tar" in ran.err
    assert not (tmp_path / "out").exists()
