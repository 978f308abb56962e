"""Small registries drawn at random, as plain values, and written to a catalogue."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.holdings import Holdings, open_holdings
from layerlens.audit.records import (
    ConfigRecord,
    FileRecord,
    ImageRecord,
    IndexRecord,
    LayerFilesRecord,
    LayerRecord,
    ManifestKind,
)
from layerlens.oci.digest import Digest, chain_ids, sha256_digest

from .recorded import CONFIG_TYPE, HOST, IMAGE_TYPE, LAYER_TYPE, digest, index

EMPTY_TAR = sha256_digest(bytes(1024))
NOW = 1_700_000_000
FOREIGN_TYPE = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
INSTRUCTIONS = ("RUN apt-get install", "COPY . /app", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRegistry:
    """What a registry holds. ``tags``: by repository and tag, the name of what they lead to; the
    ``earlier`` are what some of them led to before."""

    images: Mapping[str, ImageRecord]
    indexes: Mapping[str, IndexRecord]
    tags: Mapping[tuple[str, str], str]
    earlier: Mapping[tuple[str, str], str]
    files: Mapping[Digest, LayerFilesRecord]

    def reached(self, name: str) -> set[str]:
        """What a manifest leads to, by name, itself included."""
        names = {str(digest(each)): each for each in [*self.images, *self.indexes]}
        found: set[str] = set()
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if each in found:
                continue
            found.add(each)
            if each in self.indexes:
                waiting += [names[str(member.digest)] for member in self.indexes[each].members]
            waiting += [
                other for other, image in self.images.items() if image.subject == digest(each)
            ]
        return found

    def live(self) -> set[str]:
        """All that tags lead to."""
        return {name for root in self.tags.values() for name in self.reached(root)}

    def live_images(self) -> list[ImageRecord]:
        """The images among that."""
        return [self.images[name] for name in sorted(self.live()) if self.is_image(name)]

    def is_image(self, name: str) -> bool:
        """Whether it is an image, and neither index nor artifact."""
        return name in self.images and self.images[name].kind is ManifestKind.IMAGE


def stored_size(layer: LayerRecord) -> int:
    """The bytes of a layer in the registry."""
    return 0 if layer.media_type == FOREIGN_TYPE else layer.size


def with_chains(image: ImageRecord) -> Iterator[tuple[LayerRecord, Digest | None]]:
    """The layers of an image, and their ChainIDs as far as they are known."""
    known: list[Digest] = []
    for layer in image.layers:
        if layer.diff_id is None:
            break
        known.append(layer.diff_id)
    chain: list[Digest | None] = [*chain_ids(known)]
    chain += [None] * (len(image.layers) - len(chain))
    return zip(image.layers, chain, strict=True)


def _layer(content: int, compressed: int, *, known: bool) -> LayerRecord:
    """A layer of one of a few contents, in one of two blobs of each; content 0 is empty."""
    diff_id = EMPTY_TAR if content == 0 else digest(f"diff {content}")
    return LayerRecord(
        digest=digest(f"blob {content} {compressed}"),
        size=content * 10 + compressed,
        media_type=FOREIGN_TYPE if (content, compressed) == (6, 2) else LAYER_TYPE,
        diff_id=diff_id if known else None,
        instruction=INSTRUCTIONS[content % 3],
    )


_LAYERS = st.lists(
    st.builds(_layer, st.integers(0, 7), st.integers(1, 2), known=st.integers(0, 9).map(bool)),
    max_size=5,
)


@st.composite
def made_registries(draw: st.DrawFn) -> MadeRegistry:
    """A few images, artifacts and indexes, and tags of three repositories that lead to some."""
    images: dict[str, ImageRecord] = {}
    for number in range(draw(st.integers(1, 6))):
        layers = draw(_LAYERS)
        if draw(st.booleans()) and images:
            base = draw(st.sampled_from(sorted(images)))
            layers = [*images[base].layers, *layers]
        images[f"image {number}"] = _image(f"image {number}", layers)
    indexes = {
        f"index {number}": index(
            f"index {number}",
            *draw(st.lists(st.sampled_from(sorted(images)), max_size=3, unique=True)),
        )
        for number in range(draw(st.integers(0, 2)))
    }
    for number in range(draw(st.integers(0, 2))):
        subject = draw(st.sampled_from([*sorted(images), *indexes]))
        images[f"artifact {number}"] = _image(
            f"artifact {number}",
            [_layer(8, draw(st.integers(1, 2)), known=False)],
            kind=ManifestKind.ARTIFACT,
            subject=digest(subject),
        )
    names = st.sampled_from([*images, *indexes])
    places = st.tuples(st.sampled_from(["a", "b", "c/d"]), st.sampled_from(["1", "2", "latest"]))
    tags = draw(st.dictionaries(places, names, min_size=1, max_size=7))
    earlier = draw(st.dictionaries(st.sampled_from(sorted(tags)), names, max_size=3))
    listed = draw(st.sets(st.integers(1, 7), max_size=7))
    return MadeRegistry(
        images=images,
        indexes=indexes,
        tags=tags,
        earlier=earlier,
        files={digest(f"diff {number}"): _files(number) for number in listed},
    )


def _image(
    name: str,
    layers: list[LayerRecord],
    *,
    kind: ManifestKind = ManifestKind.IMAGE,
    subject: Digest | None = None,
) -> ImageRecord:
    config = sum(map(ord, name)) % 3  # some images have one config
    return ImageRecord(
        digest=digest(name),
        media_type=IMAGE_TYPE,
        size=500,
        layers=tuple(layers),
        config=ConfigRecord(digest=digest(f"config {config}"), size=200, media_type=CONFIG_TYPE),
        kind=kind,
        platform=(None, "linux/amd64", "linux/arm64")[len(layers) % 3],
        subject=subject,
    )


def _files(number: int) -> LayerFilesRecord:
    return LayerFilesRecord(
        diff_id=digest(f"diff {number}"),
        size=number * 1024,
        entries=number + 1,
        empty_files=number % 2,
        files=tuple(
            FileRecord(
                content=bytes([each]) * 32,
                size=each + 1,
                copies=1 + (number + each) % 2,
                path=f"/layer {number}/file {each}",
            )
            for each in range(number % 4)
        ),
    )


def write_catalogue(path: Path, made: MadeRegistry) -> None:
    """A catalogue of the registry, crawled once for what was earlier and once for what is."""
    with Catalogue(path) as catalogue, catalogue.transaction():
        _crawl(catalogue, made, {**made.tags, **made.earlier}, NOW)
        for layer in made.files.values():
            catalogue.record_layer_files(layer)
        _crawl(catalogue, made, made.tags, NOW + 1000)


@contextmanager
def holdings_of(made: MadeRegistry) -> Iterator[Holdings]:
    """What its catalogue says its tags lead to."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "catalogue.sqlite")
        write_catalogue(path, made)
        with open_holdings(path, None) as holdings:
            yield holdings


def _crawl(
    catalogue: Catalogue, made: MadeRegistry, tags: Mapping[tuple[str, str], str], now: int
) -> None:
    run = catalogue.start_run("all", now=now)
    catalogue.queue_repositories(run, HOST, sorted({repository for repository, _ in tags}))
    for repository in catalogue.pending_repositories(run):
        listed = [tag for name, tag in tags if name == repository.name]
        catalogue.record_tag_list(run, repository, listed=listed, chosen=listed, now=now)
        for tag in catalogue.pending_tags(run, repository):
            root = tags[repository.name, tag.name]
            for name in sorted(made.reached(root)):
                if name in made.images:
                    catalogue.record_image(made.images[name])
                else:
                    catalogue.record_index(made.indexes[name])
            catalogue.record_tag(run, tag, digest(root), now=now)
        catalogue.finish_repository(run, repository)
    catalogue.remove_unqueued(run, HOST, now=now)
    catalogue.finish_run(run, now=now)
