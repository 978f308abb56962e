"""The files of layers in a catalogue: each layer's once, each content once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.records import FileRecord, LayerFilesRecord
from layerlens.errors import MalformedInput

from .recorded import digest, image, index, layer, list_tags, repository, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    with Catalogue(path) as opened:
        yield opened


def content(name: str, size: int = 10, copies: int = 1) -> FileRecord:
    """A content that goes by a name."""
    return FileRecord(bytes.fromhex(digest(name).hex), size, copies, f"/{name}")


def files_of(name: str, *files: FileRecord, empty: int = 0) -> LayerFilesRecord:
    """The files of the layer that goes by a name."""
    return LayerFilesRecord(
        diff_id=digest(f"diff {name}"), size=10240, entries=9, empty_files=empty, files=files
    )


def test_layers_are_listed_that_the_runs_images_have_and_no_others(catalogue: Catalogue) -> None:
    run = catalogue.start_run("all", now=100)
    app = repository(catalogue, run)
    list_tags(catalogue, run, app, ["1", "2", "gone"], chosen=["1", "gone"], now=100)
    catalogue.record_index(index("both", "small", "large"))
    for each in (image("small", layer("a")), image("large", layer("a"), layer("b", 7))):
        catalogue.record_image(each)
    catalogue.record_image(image("other", layer("c")))
    one, gone = catalogue.pending_tags(run, app)
    catalogue.record_tag(run, one, digest("both"), now=101)
    catalogue.record_tag(run, gone, digest("other"), now=101)
    catalogue.remove_tag(run, gone, now=102)
    first, second = catalogue.unlisted_layers(run)
    assert (first.diff_id, first.blob) == (digest("diff a"), digest("blob a"))
    assert (second.diff_id, second.size) == (digest("diff b"), 7)
    assert second.repository.name == "team/app"
    catalogue.record_layer_files(files_of("a"))
    assert [each.diff_id for each in catalogue.unlisted_layers(run)] == [digest("diff b")]


def test_contents_are_kept_once_and_counted_by_layer(catalogue: Catalogue, path: Path) -> None:
    catalogue.record_layer_files(files_of("a", content("x", 5, copies=2), content("y", 7)))
    catalogue.record_layer_files(files_of("b", content("x", 5), empty=3))
    assert rows(path, "SELECT entries, files, empty_files, bytes FROM layer_listing") == [
        (9, 3, 0, 17),
        (9, 1, 3, 5),
    ]
    assert rows(path, "SELECT size, path FROM file ORDER BY id") == [(5, "/x"), (7, "/y")]
    assert rows(path, "SELECT file_id, SUM(copies), COUNT(*) FROM layer_file GROUP BY file_id") == [
        (1, 3, 2),
        (2, 1, 1),
    ]


def test_a_layer_that_is_listed_stays_as_it_is(catalogue: Catalogue, path: Path) -> None:
    for _ in range(2):
        catalogue.record_layer_files(files_of("a", content("x")))
    assert rows(path, "SELECT COUNT(*) FROM layer_file") == [(1,)]


def test_paths_that_are_no_text_are_kept(catalogue: Catalogue, path: Path) -> None:
    odd = content("x")._replace(path="/\udcff")
    catalogue.record_layer_files(files_of("a", odd))
    assert rows(path, "SELECT path FROM file") == [("/\udcff".encode("utf-8", "surrogatepass"),)]


@pytest.mark.parametrize("size", [0, -1, 1 << 60])
def test_a_size_that_no_file_has_is_refused_and_nothing_is_kept(
    catalogue: Catalogue, path: Path, size: int
) -> None:
    with pytest.raises(MalformedInput, match="out of range"):
        catalogue.record_layer_files(files_of("a", content("x", size)))
    assert rows(path, "SELECT * FROM layer_listing") == []
