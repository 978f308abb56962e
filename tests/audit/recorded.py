"""Catalogues filled by a few words: digests that are numbers, images whose layers are names."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.records import (
    ConfigRecord,
    CrawlRun,
    ImageRecord,
    IndexRecord,
    LayerRecord,
    MemberRecord,
    RepositoryRecord,
)
from layerlens.oci.digest import Digest, sha256_digest

HOST = "registry.example.com:5000"
IMAGE_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(name: str) -> Digest:
    """The digest that goes by a name."""
    return sha256_digest(name.encode())


def layer(name: str, size: int = 100, *, instruction: str | None = None) -> LayerRecord:
    """A layer whose blob and content go by a name."""
    return LayerRecord(
        digest=digest(f"blob {name}"),
        size=size,
        media_type=LAYER_TYPE,
        diff_id=digest(f"diff {name}"),
        instruction=instruction,
    )


def image(name: str, *layers: LayerRecord, created: int | None = None) -> ImageRecord:
    """An image that goes by a name."""
    return ImageRecord(
        digest=digest(name),
        media_type=IMAGE_TYPE,
        size=500,
        layers=layers,
        config=ConfigRecord(digest=digest(f"config {name}"), size=200, media_type=CONFIG_TYPE),
        platform="linux/amd64",
        created=created,
    )


def index(name: str, *members: str) -> IndexRecord:
    """An index of images that go by their names."""
    return IndexRecord(
        digest=digest(name),
        media_type=INDEX_TYPE,
        size=300,
        members=tuple(
            MemberRecord(
                digest=digest(member), media_type=IMAGE_TYPE, size=500, platform="linux/arm64"
            )
            for member in members
        ),
    )


def repository(catalogue: Catalogue, run: CrawlRun, name: str = "team/app") -> RepositoryRecord:
    """A repository that the run is to look at."""
    catalogue.queue_repositories(run, HOST, [name])
    return next(each for each in catalogue.pending_repositories(run) if each.name == name)


def list_tags(
    catalogue: Catalogue,
    run: CrawlRun,
    where: RepositoryRecord,
    names: Sequence[str],
    *,
    now: int,
    chosen: Sequence[str] | None = None,
) -> int:
    """Record that the repository has these tags; how many are gone."""
    return catalogue.record_tag_list(
        run, where, listed=names, chosen=names if chosen is None else chosen, now=now
    )


def rows(path: Path, question: str) -> list[tuple[object, ...]]:
    """What a catalogue's file answers, asked past the catalogue's own code."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()
