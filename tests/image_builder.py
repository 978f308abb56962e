"""Images built in memory from a few words, for tests: what is in them, not how they are stored.

``image(layer(file("/a", b"x"), whiteout("/b")))`` is an image of one layer; tests/archive_forms.py
writes it as every tool would. What only this builder makes confirms only our own assumptions:
real images are in fixtures/.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What can be written as JSON."""

TIME = "2023-11-14T22:13:20Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One tar member. ``name``: as written; ``xattrs``: as PAX SCHILY.xattr records; ``pax``:
    further PAX records."""

    name: str
    type: bytes = tarfile.REGTYPE
    content: bytes = b""
    link_target: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=dict)
    pax: Mapping[str, str] = field(default_factory=dict)


def file(
    path: str,
    content: bytes = b"",
    *,
    mode: int = 0o644,
    owner: tuple[int, int] = (0, 0),
    mtime: int = 0,
    xattrs: Mapping[str, bytes] | None = None,
) -> Member:
    """A regular file. ``owner``: (uid, gid)."""
    return Member(
        name=_name(path),
        content=content,
        mode=mode,
        uid=owner[0],
        gid=owner[1],
        mtime=mtime,
        xattrs=xattrs or {},
    )


def directory(
    path: str,
    *,
    mode: int = 0o755,
    owner: tuple[int, int] = (0, 0),
    mtime: int = 0,
    xattrs: Mapping[str, bytes] | None = None,
) -> Member:
    """A directory; ``/`` is the root itself."""
    return Member(
        name=_name(path),
        type=tarfile.DIRTYPE,
        mode=mode,
        uid=owner[0],
        gid=owner[1],
        mtime=mtime,
        xattrs=xattrs or {},
    )


def symlink(path: str, target: str, *, owner: tuple[int, int] = (0, 0), mtime: int = 0) -> Member:
    """A symbolic link with ``target`` as its text."""
    return Member(
        name=_name(path),
        type=tarfile.SYMTYPE,
        link_target=target,
        mode=0o777,
        uid=owner[0],
        gid=owner[1],
        mtime=mtime,
    )


def hard_link(path: str, target: str) -> Member:
    """Another name for the file at ``target``."""
    return Member(name=_name(path), type=tarfile.LNKTYPE, link_target=_name(target))


def character_device(path: str, major: int, minor: int, *, mode: int = 0o600) -> Member:
    """A character device."""
    return Member(name=_name(path), type=tarfile.CHRTYPE, mode=mode, device=(major, minor))


def block_device(path: str, major: int, minor: int, *, mode: int = 0o600) -> Member:
    """A block device."""
    return Member(name=_name(path), type=tarfile.BLKTYPE, mode=mode, device=(major, minor))


def fifo(path: str, *, mode: int = 0o600) -> Member:
    """A named pipe."""
    return Member(name=_name(path), type=tarfile.FIFOTYPE, mode=mode)


def whiteout(path: str) -> Member:
    """What removes ``path`` of the layers below."""
    parent, _, name = path.rpartition("/")
    return Member(name=_name(f"{parent}/.wh.{name}"))


def opaque(path: str) -> Member:
    """What empties the directory ``path`` of what the layers below put there."""
    return Member(name=_name(f"{path.rstrip('/')}/.wh..wh..opq"))


def _name(path: str) -> str:
    # Tools write names without the leading slash; the root is "./".
    return path.removeprefix("/") or "./"


def tar_of(*members: Member) -> bytes:
    """The members as a tar, PAX records only where ustar can't say it; the same each time."""
    output = io.BytesIO()
    with tarfile.open(
        fileobj=output,
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        for member in members:
            header = tarfile.TarInfo(member.name)
            header.type = member.type
            header.size = len(member.content)
            header.linkname = member.link_target
            header.mode, header.uid, header.gid = member.mode, member.uid, member.gid
            header.mtime = member.mtime
            header.devmajor, header.devminor = member.device
            header.pax_headers = {
                **{
                    f"SCHILY.xattr.{name}": value.decode("utf-8", "surrogateescape")
                    for name, value in member.xattrs.items()
                },
                **member.pax,
            }
            archive.addfile(header, io.BytesIO(member.content))
    return output.getvalue()


def digest_of(data: bytes) -> str:
    """``sha256:<hex>`` of the bytes."""
    return f"sha256:{hex_of(data)}"


def hex_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()


def json_bytes(value: Json) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class BuiltLayer:
    """A layer's uncompressed tar, and what the history says of it."""

    tar: bytes
    created_by: str

    @property
    def diff_id(self) -> str:
        """The digest of the tar."""
        return digest_of(self.tar)


def layer(*members: Member, created_by: str = "test builder") -> BuiltLayer:
    """A layer of these members, in this order."""
    return BuiltLayer(tar_of(*members), created_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """An image for one platform, not yet stored in any form.

    ``config``: the config document's ``config`` (Env, Cmd, …). ``overrides``: whole fields of
    the config document put in place of the true ones, to break it. ``names``: repository:tag.
    """

    layers: tuple[BuiltLayer, ...]
    names: tuple[str, ...]
    platform: Mapping[str, str]
    config: Mapping[str, Json]
    overrides: Mapping[str, Json]

    def config_bytes(self) -> bytes:
        """The config document."""
        history = [{"created": TIME, "created_by": layer.created_by} for layer in self.layers]
        return json_bytes(
            {
                "created": TIME,
                **self.platform,
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
                "history": history,
                **self.overrides,
            }
        )

    @property
    def config_hex(self) -> str:
        """SHA-256 of the config document."""
        return hex_of(self.config_bytes())


def image(
    *layers: BuiltLayer,
    names: Sequence[str] = ("example.com/test:1",),
    platform: str = "linux/amd64",
    config: Mapping[str, Json] | None = None,
    overrides: Mapping[str, Json] | None = None,
) -> BuiltImage:
    """An image of these layers, lowest first. ``platform``: os/architecture[/variant]."""
    words = zip(("os", "architecture", "variant"), platform.split("/"), strict=False)
    return BuiltImage(
        layers=layers,
        names=tuple(names),
        platform=dict(words),
        config=config or {},
        overrides=overrides or {},
    )
