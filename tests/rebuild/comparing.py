"""Whether two images are the same to whoever runs them, but for what differs in any rebuild.

What differs between two builds of one Dockerfile is noise: times, and what programs write of
them. Two Dockerfiles make the same image where nothing else differs. Flattened trees are compared
by layerlens, and again by ``diff -r`` on mounts, which knows nothing of layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from layerlens.image import open_image
from layerlens.layer.entry import EntryKind
from layerlens.loading import LoadSettings
from layerlens.oci.image_config import RuntimeConfig
from layerlens.source.registry.registry_options import RegistryOptions

from .tools import output_of


class _State(NamedTuple):
    """A path of a flattened image, times left aside."""

    kind: EntryKind
    mode: int
    owner: tuple[int, int]
    content: bytes | None
    target: str | None
    xattrs: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flattened:
    """An image without its layers."""

    tree: Mapping[str, _State]
    config: RuntimeConfig


def flattened(reference: str, host: str) -> Flattened:
    """An image of the registry at ``host``."""
    settings = LoadSettings(registries=RegistryOptions(plain_http=frozenset({host})))
    with open_image(reference, settings=settings) as image:
        return Flattened(
            tree={
                found.path: _State(
                    kind=found.node.inode.kind,
                    mode=found.node.inode.mode,
                    owner=(found.node.inode.uid, found.node.inode.gid),
                    content=found.node.inode.content,
                    target=found.node.inode.link_target,
                    xattrs=found.node.inode.xattrs,
                )
                for found in image.tree().walk()
            },
            config=image.config.runtime,
        )


def differing(one: Flattened, other: Flattened) -> set[str]:
    """The paths that differ, and the fields of the config, each after a ``#``."""
    paths = {
        path
        for path in one.tree.keys() | other.tree.keys()
        if one.tree.get(path) != other.tree.get(path)
    }
    fields = {
        f"#{name}"
        for name in RuntimeConfig.__dataclass_fields__
        if getattr(one.config, name) != getattr(other.config, name)
    }
    return paths | fields


def differing_mounts(one: str, other: str) -> set[str]:
    """The same of two images by ``diff -r`` on their mounts: contents and kinds alone."""
    mounts = []
    containers = []
    for image in (one, other):
        container = output_of("buildah", "from", "--pull-never", image).strip()
        containers.append(container)
        mounts.append(output_of("buildah", "mount", container).strip())
    try:
        said = output_of(
            "diff",
            "-rq",
            "--no-dereference",
            *mounts,
            statuses=(0, 1),
            environment={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )
    finally:
        for container in containers:
            output_of("buildah", "rm", container)
    return {_path_in(line, mounts) for line in said.splitlines()}


def _path_in(line: str, mounts: list[str]) -> str:
    """The path a line of ``diff -rq`` is about."""
    if line.startswith("Only in "):
        directory, _, name = line.removeprefix("Only in ").partition(": ")
        path = f"{directory}/{name}"
    else:
        path = line.split(" ")[1]
    for mount in mounts:
        path = path.removeprefix(mount)
    return path.replace("//", "/")
