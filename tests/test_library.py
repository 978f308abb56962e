"""The package's face, used as a program would use it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import archive, compressed, oci_layout
from image_builder import directory, file, image, layer, whiteout

import layerlens
from layerlens.image import open_image
from layerlens.layer.entry import Entry, EntryKind, Whiteout
from layerlens.opening import Access

FIXTURES = Path(__file__).parent.parent / "fixtures"
SAMPLE = image(
    layer(directory("/d"), file("/d/a", b"1"), file("/b", b"22"), created_by="COPY . /"),
    layer(file("/d/a", b"333"), created_by="RUN make"),
    layer(whiteout("/b"), created_by="RUN rm /b"),
    names=["sample:1"],
)


@pytest.fixture
def name(save: Callable[[bytes], str]) -> str:
    return save(archive(oci_layout(SAMPLE)))


def test_the_example_of_the_package_s_docstring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert layerlens.__doc__ is not None
    example = layerlens.__doc__.partition("As a library::")[2]
    lines = [line.removeprefix("    ") for line in example.splitlines()]
    (tmp_path / "image.tar").write_bytes(archive(oci_layout(SAMPLE)))
    monkeypatch.chdir(tmp_path)
    exec("\n".join(lines), {})
    assert capsys.readouterr().out.splitlines() == [
        "0 A /b",
        "0 A /d",
        "0 A /d/a",
        "1 M /d/a",
        "2 D /b",
    ]


def test_layers_and_their_entries(name: str) -> None:
    with layerlens.open(name) as opened:
        assert isinstance(opened, layerlens.Image)
        assert [layer.number for layer in opened.layers] == [0, 1, 2]
        first, _, last = opened.layers
        paths = [entry.path for entry in first.entries if isinstance(entry, Entry)]
        assert paths == ["/d", "/d/a", "/b"]
        assert last.entries == (Whiteout("/b"),)
        assert [layer.instruction.text for layer in opened.layers if layer.instruction] == [
            "COPY . /",
            "RUN make",
            "RUN rm /b",
        ]


def test_trees_after_each_layer(name: str) -> None:
    with layerlens.open(name) as opened:
        assert [item.path for item in opened.tree().walk()] == ["/", "/d", "/d/a"]
        assert [item.path for item in opened.tree(1).walk()] == ["/", "/b", "/d", "/d/a"]
        assert [item.path for item in opened.tree(-1).walk()] == ["/"]
        node = opened.tree().find("/d/a")
        assert node is not None
        assert (node.layer, node.inode.size, node.inode.kind) == (1, 3, EntryKind.FILE)
        for number in (3, -2):
            with pytest.raises(layerlens.LayerlensError, match="no layer"):
                opened.tree(number)


def test_ranges_of_layers(name: str) -> None:
    with layerlens.open(name) as opened:
        whole = [(change.kind.value, change.path) for change in opened.changes(0, 2)]
        assert whole == [("A", "/d"), ("A", "/d/a")]
        assert [change.path for change in opened.changes(1, 2)] == ["/b", "/d/a"]


def test_changes_can_be_listed_in_any_order(name: str) -> None:
    with layerlens.open(name) as opened:
        backwards = [[change.path for change in layer.changes] for layer in opened.layers[::-1]]
        assert backwards == [["/b"], ["/d/a"], ["/b", "/d", "/d/a"]]
        assert [change.path for change in opened.layers[2].changes] == ["/b"]


def test_a_platform_is_chosen_by_its_name() -> None:
    with layerlens.open(str(FIXTURES / "platforms.tar"), "linux/arm64") as opened:
        assert str(opened.platform) == "linux/arm64"
    with pytest.raises(layerlens.LayerlensError, match="linux/arm64"):
        layerlens.open(str(FIXTURES / "platforms.tar"), platform="linux/s390x")


def test_errors_are_of_one_tree(tmp_path: Path) -> None:
    with pytest.raises(layerlens.LayerlensError, match="no such file"):
        layerlens.open(str(tmp_path / "none.tar"))


def test_temporary_files_are_gone_once_it_is_closed(
    tmp_path: Path, save: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    name = save(compressed(archive(oci_layout(SAMPLE)), "gzip"))
    with open_image(name, access=Access.CONTENT) as opened:
        assert len(list(temporary.iterdir())) == 1
        assert len(opened.layers) == 3
    assert list(temporary.iterdir()) == []
    with pytest.raises(layerlens.LayerlensError):
        open_image(f"{name}:nothing", access=Access.CONTENT)
    assert list(temporary.iterdir()) == []


def test_what_was_read_stays_readable_after_closing(name: str) -> None:
    with layerlens.open(name) as opened:
        layers = opened.layers
    assert [change.path for change in layers[2].changes] == ["/b"]


def test_the_face_is_what_it_says() -> None:
    assert sorted(layerlens.__all__) == ["Image", "LayerlensError", "__version__", "open"]
    for part in layerlens.__all__:
        assert getattr(layerlens, part) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = layerlens.nothing


def test_the_library_needs_neither_terminal_nor_network() -> None:
    program = (
        "import sys, layerlens\n"
        f"with layerlens.open({str(FIXTURES / 'demo.tar')!r}) as image:\n"
        "    assert sum(1 for layer in image.layers for _ in layer.changes) > 90\n"
        "print([name for name in ('textual', 'requests', 'rich', 'argparse', 'humanize')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
