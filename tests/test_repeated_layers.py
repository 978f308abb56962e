"""A layer that an image lists twice does what it did again: it is a layer like any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import archive, compressed, docker_classic, docker_skopeo, oci_layout
from image_builder import BuiltImage, directory, file, hard_link, image, layer, symlink, whiteout

from layerlens.analysis.layer_changes import ChangeKind
from layerlens.analysis.waste import measure_waste
from layerlens.image import Image, open_image
from layerlens.index_cache import IndexCache
from layerlens.loading import LoadSettings

ONE = layer(
    directory("/d"),
    file("/d/a", b"12345"),
    hard_link("/d/b", "/d/a"),
    symlink("/d/c", "a"),
    whiteout("/d/gone"),
)
OTHER = layer(whiteout("/d/c"), file("/d/x", b"1"))
TWICE = image(ONE, OTHER, ONE, ONE)

FORMS: list[Callable[[BuiltImage], bytes]] = [
    lambda built: archive(docker_skopeo(built)),
    lambda built: archive(docker_classic(built)),
    lambda built: archive(oci_layout(built)),
    lambda built: compressed(archive(oci_layout(built)), "gzip"),  # read as it goes by
]


def told(opened: Image, number: int) -> list[tuple[str, str, int, int]]:
    return [
        (change.kind.value, change.path, change.bytes_before, change.bytes_after)
        for change in opened.layers[number].changes
    ]


def check(opened: Image) -> None:
    again = [("R", "/d/a", 5, 5), ("R", "/d/b", 0, 0), ("R", "/d/c", 0, 0)]
    assert told(opened, 3) == again
    assert told(opened, 2) == [*again[:2], ("A", "/d/c", 0, 0)]
    assert [layer.summary.rewritten for layer in opened.layers] == [0, 0, 2, 3]
    assert [
        (change.kind, change.path)
        for change in opened.changes(2, 3)
        if change.kind is not ChangeKind.REWRITTEN
    ] == [(ChangeKind.ADDED, "/d/c")]
    waste = measure_waste(opened.written_layers())
    assert [(each.written, each.killed, each.size) for each in waste.files] == [
        (0, 2, 5),
        (2, 3, 5),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_it_writes_again_what_it_wrote(
    form: Callable[[BuiltImage], bytes], save: Callable[[bytes], str], tmp_path: Path
) -> None:
    name = save(form(TWICE))
    with open_image(name) as opened:
        check(opened)
    for _ in range(2):  # read, and from the cache
        with open_image(name, settings=LoadSettings(cache=IndexCache(tmp_path / "cache"))) as found:
            check(found)


def test_every_entry_is_one_layers_own(save: Callable[[bytes], str]) -> None:
    with open_image(save(archive(oci_layout(TWICE)))) as opened:
        entries = [entry for each in opened.layers for entry in each.entries]
        assert len({id(entry) for entry in entries}) == len(entries) == 17
        assert opened.layers[0].index == opened.layers[2].index
