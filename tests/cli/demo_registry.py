"""A small registry in a catalogue, with something of all that an audit looks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit.recorded import HOST, digest, image, index, layer, list_tags, repository

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.records import (
    CrawlRun,
    FileRecord,
    ImageRecord,
    IndexRecord,
    LayerFilesRecord,
    LayerRecord,
    ManifestKind,
)
from layerlens.oci.digest import sha256_digest

DAY = 86_400
FIRST = 1_750_000_000
SECOND = FIRST + 7 * DAY

OS = layer("os", 30_000_000, instruction="ADD rootfs.tar.xz /")
OLD_PACKAGES = layer("packages 1", 9_000_001, instruction="RUN apt-get install -y libssl3")
NEW_PACKAGES = layer("packages 2", 9_500_000, instruction="RUN apt-get install -y libssl3")
EMPTY = replace(layer("empty", 32, instruction="WORKDIR /app"), diff_id=sha256_digest(bytes(1024)))
WHEELS = layer("wheels", 55_000_000, instruction="RUN pip install -r requirements.txt")
WHEELS_AGAIN = layer("wheels again", 54_000_000, instruction="RUN pip install -r requirements.txt")
RECOMPRESSED = replace(WHEELS, digest=digest("blob wheels, harder"), size=50_000_000)


def code(name: str, size: int) -> LayerRecord:
    """What a COPY made."""
    return layer(f"code {name}", size, instruction="COPY . /app")


OLD_BASE = image("base 1", OS, OLD_PACKAGES, created=FIRST - 90 * DAY)
NEW_BASE = image("base 2", OS, NEW_PACKAGES, created=FIRST)
APP = [
    image(
        f"app {n}",
        OS,
        OLD_PACKAGES,
        EMPTY,
        WHEELS,
        code(f"app {n}", 1_000_000 + n),
        created=FIRST - (60 - 20 * n) * DAY,
    )
    for n in range(3)
]
WEB = replace(
    image("web", OS, NEW_PACKAGES, EMPTY, WHEELS_AGAIN, code("web", 700_000), created=FIRST),
    base_name=f"{HOST}/base/debian:12",
    base_digest=NEW_BASE.digest,
)
WEB_ARM = replace(
    image(
        "web arm",
        layer("os arm", 28_000_000, instruction="ADD rootfs.tar.xz /"),
        code("web", 700_000),
        created=FIRST,
    ),
    platform="linux/arm64",
)
BOTH = index("both", "web", "web arm")
BATCH = image("batch", OS, OLD_PACKAGES, EMPTY, RECOMPRESSED, created=FIRST - 200 * DAY)
SIGNATURE = replace(
    image("signature", layer("signed", 900)),
    kind=ManifestKind.ARTIFACT,
    platform=None,
    subject=APP[0].digest,
)

Tags = dict[str, ImageRecord | IndexRecord | None]
"""What tags lead to, ``repository:tag``; None: it failed."""

BEFORE: Tags = {
    "base/debian:12": OLD_BASE,
    "team/app:1.0": APP[0],
    "team/app:1.1": APP[1],
    "team/gone:1": APP[0],
}
AFTER: Tags = {
    "base/debian:12": NEW_BASE,
    "team/app:1.0": APP[0],
    "team/app:1.1": APP[1],
    "team/app:1.2": APP[2],
    "team/app:latest": APP[2],
    "team/batch:nightly": BATCH,
    "team/batch:broken": None,
    "web:2": BOTH,
}


def write_demo(path: Path) -> Path:
    """The catalogue of two crawls, a week apart."""
    with Catalogue(path) as catalogue:
        for now, tags in ((FIRST, BEFORE), (SECOND, AFTER)):
            run = catalogue.start_run(HOST, now=now)
            with catalogue.transaction():
                _crawl(catalogue, run, tags, now)
            catalogue.finish_run(run, now=now + 60)
        for number, each in enumerate((OS, OLD_PACKAGES, WHEELS, WHEELS_AGAIN)):
            catalogue.record_layer_files(_files(each, number))
    return path


def _crawl(catalogue: Catalogue, run: CrawlRun, tags: Tags, now: int) -> None:
    for each in (*APP, OLD_BASE, NEW_BASE, BATCH, WEB, WEB_ARM):
        catalogue.record_image(each)
    catalogue.record_image(SIGNATURE)
    catalogue.record_index(BOTH)
    for name in sorted({each.rpartition(":")[0] for each in tags}):
        where = repository(catalogue, run, name)
        listed = [each.rpartition(":")[2] for each in tags if each.startswith(f"{name}:")]
        list_tags(catalogue, run, where, listed, now=now)
        for tag in catalogue.pending_tags(run, where):
            root = tags[f"{name}:{tag.name}"]
            if root is None:
                catalogue.record_failure(
                    run,
                    HOST,
                    reason="500 Internal Server Error",
                    now=now,
                    repository=where,
                    tag=tag,
                )
            else:
                catalogue.record_tag(run, tag, root.digest, now=now)
        catalogue.finish_repository(run, where)
    catalogue.remove_unqueued(run, HOST, now=now)


def _files(of: LayerRecord, number: int) -> LayerFilesRecord:
    assert of.diff_id is not None
    return LayerFilesRecord(
        diff_id=of.diff_id,
        size=of.size * 3,
        entries=40,
        empty_files=number,
        files=tuple(
            FileRecord(
                content=bytes([each]) * 32,
                size=1000 * each,
                copies=1 + each % 2,
                path=f"/usr/lib/file-{each}",
            )
            for each in range(number + 1, number + 5)
        ),
    )
