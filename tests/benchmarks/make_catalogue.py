"""Make the catalogue of a large registry that was never there, for the reports to be measured on.

    python tests/benchmarks/make_catalogue.py FILE [--repositories N] [--tags N]

By default 2,000 repositories with 5 tags each: 10,000 images of about 30,000 distinct layers, on
40 bases, crawled twice, so that some tags have moved; every tenth image is signed.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerlens.audit.catalogue import Catalogue
from layerlens.audit.records import ConfigRecord, ImageRecord, LayerRecord, ManifestKind
from layerlens.oci.digest import Digest, sha256_digest

HOST = "registry.example.com"
BASES = 40
START = 1_750_000_000
DAY = 86_400
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the registry is."""

    repositories: int
    tags: int


def write_catalogue(path: Path, size: Size) -> None:
    """Write the catalogue; the same size gives the same one."""
    with Catalogue(path) as catalogue:
        for crawl in range(2):
            with catalogue.transaction():
                _crawl(catalogue, size, crawl)


def _crawl(catalogue: Catalogue, size: Size, crawl: int) -> None:
    now = START + crawl * 7 * DAY
    run = catalogue.start_run(HOST, now=now)
    names = [f"base/{number}" for number in range(BASES)]
    names += [f"team-{number % 50}/app-{number}" for number in range(size.repositories - BASES)]
    catalogue.queue_repositories(run, HOST, names)
    for repository in catalogue.pending_repositories(run):
        tags = [f"1.{number}" for number in range(size.tags)]
        catalogue.record_tag_list(run, repository, listed=tags, chosen=tags, now=now)
        for tag in catalogue.pending_tags(run, repository):
            image = _image(repository.name, tag.name, crawl)
            catalogue.record_image(image)
            catalogue.record_tag(run, tag, image.digest, now=now)
        catalogue.finish_repository(run, repository)
    signature = [f"sha256-{number}" for number in range(0, size.repositories, 10)]
    for repository_name in signature:
        catalogue.record_image(_signature(repository_name))
    catalogue.finish_run(run, now=now + 3600)


def _image(repository: str, tag: str, crawl: int) -> ImageRecord:
    name = f"{repository}:{tag}"
    if repository.startswith("base/"):
        # The first tag of every fourth base moves from one crawl to the other.
        number = int(repository.partition("/")[2])
        moved = crawl if tag == "1.0" and number % 4 == 0 else 0
        layers = _base(number, tag, moved)
        name = f"{name} {moved}"
    else:
        chance = random.Random(name)
        layers = [*_base(chance.randrange(BASES), f"1.{chance.randrange(5)}", 0)]
        layers += _own(repository, tag, chance)
    return ImageRecord(
        digest=_digest(name),
        media_type=f"{_OCI}.manifest.v1+json",
        size=1500,
        layers=tuple(layers),
        config=ConfigRecord(
            digest=_digest(f"config {name}"), size=3000, media_type=f"{_OCI}.config.v1+json"
        ),
        platform="linux/amd64",
        created=START - _number(name) % (300 * DAY),
    )


def _signature(name: str) -> ImageRecord:
    number = int(name.partition("-")[2])
    subject = f"team-{number % 50}/app-{number}:1.0"
    return ImageRecord(
        digest=_digest(name),
        media_type=f"{_OCI}.manifest.v1+json",
        size=700,
        layers=(_layer(f"signature of {subject}", None, "application/json"),),
        config=None,
        kind=ManifestKind.ARTIFACT,
        subject=_digest(subject),
    )


def _base(number: int, tag: str, moved: int) -> list[LayerRecord]:
    """Five layers, the lower of which several bases share."""
    return [
        _layer(f"os {number % 8}", f"ADD rootfs-{number % 8}.tar /"),
        _layer(f"packages {number}", "RUN apt-get update && apt-get install -y ca-certificates"),
        _layer(f"runtime {number} {tag} {moved}", f"RUN install-runtime --version {number}"),
        _layer("empty", "WORKDIR /app", diff_id=sha256_digest(bytes(1024))),
        _layer(f"user {number}", "RUN useradd app"),
    ]


def _own(repository: str, tag: str, chance: random.Random) -> Iterator[LayerRecord]:
    """An image's own layers: dependencies that its repository mostly shares, and its code."""
    shared = chance.randrange(3)
    yield _layer(f"{repository} dependencies {shared}", "RUN pip install -r requirements.txt")
    for number in range(2 + chance.randrange(2)):
        yield _layer(f"{repository} {tag} {number}", f"COPY step-{number} /app")


def _layer(
    name: str, instruction: str | None, media_type: str = "", *, diff_id: Digest | None = None
) -> LayerRecord:
    return LayerRecord(
        digest=_digest(f"blob {name}"),
        size=200 + _number(name) % 50_000_000,
        media_type=media_type or f"{_OCI}.layer.v1.tar+gzip",
        diff_id=diff_id or _digest(f"diff {name}"),
        instruction=instruction,
    )


def _digest(name: str) -> Digest:
    return sha256_digest(name.encode())


def _number(name: str) -> int:
    return int(_digest(name).hex[:12], 16)


def main() -> None:
    """Write the catalogue that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--repositories", type=int, default=2000)
    parser.add_argument("--tags", type=int, default=5)
    arguments = parser.parse_args()
    size = Size(repositories=arguments.repositories, tags=arguments.tags)
    write_catalogue(arguments.file, size)


if __name__ == "__main__":
    main()
