"""Small images, ways to damage them, and a judge of what layerlens makes of it.

Each blob of these images is vouched for by a digest, so that damage is told or does no harm. What
nothing vouches for (an image's name in ``manifest.json``, padding) is not part of the answer.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from layerlens.errors import LayerlensError
from layerlens.image import open_image
from layerlens.layer.entry import LayerEntry
from layerlens.oci.digest import Digest

from .raw_images import (
    RawImage,
    StoredBlob,
    as_json,
    blob_name,
    config_of,
    docker_archive,
    oci_layout,
    sha256,
)
from .raw_tar import END, HARD_LINK, SYMLINK, directory, header, member, pax

SECONDS = 20
"""More than any case may take."""

LOWER = directory(b"etc/") + member(b"etc/motd", b"hello\n") + member(b"old", b"x") + END
UPPER = (
    header(b".wh.old")
    + pax((b"SCHILY.xattr.user.a", b"1"))
    + member(b"etc/motd", b"hello again\n")
    + header(b"link", kind=SYMLINK, link=b"etc")
    + header(b"hard", kind=HARD_LINK, link=b"etc/motd")
    + END
)


def docker() -> RawImage:
    """A docker-archive whose config is named by its digest, as docker and skopeo name it."""
    config = config_of(sha256(LOWER))
    name = sha256(config).removeprefix("sha256:") + ".json"
    item = as_json([{"Config": name, "RepoTags": ["t:1"], "Layers": ["0/layer.tar"]}])
    image = docker_archive(LOWER).without("config.json").without("manifest.json")
    return RawImage({name: config, **image.members, "manifest.json": item})


def oci() -> RawImage:
    """An OCI layout of two layers, one compressed."""
    return oci_layout(
        StoredBlob(stored=gzip.compress(LOWER, mtime=0), plain=LOWER),
        StoredBlob(stored=gzip.compress(UPPER, mtime=0), plain=UPPER),
    )


def wrapped_oci() -> bytes:
    """An OCI archive, compressed as a whole and in two members."""
    tar = oci().archive()
    return gzip.compress(tar[:2000], mtime=0) + gzip.compress(tar[2000:], mtime=0)


def both() -> RawImage:
    """What docker from 25 on saves: a layout and a ``manifest.json``, of one image."""
    image = oci()
    config = next(
        name
        for name, body in image.members.items()
        if isinstance(body, bytes) and b'"diff_ids":' in body
    )
    layers = [blob_name(gzip.compress(layer, mtime=0)) for layer in (LOWER, UPPER)]
    return image.put("manifest.json", as_json([{"Config": config, "Layers": [*layers]}]))


SAMPLES = {
    "docker-archive": docker().archive(),
    "oci-archive": oci().archive(),
    "both": both().archive(),
    "docker-archive.gz": gzip.compress(docker().archive(), mtime=0),
    "oci-archive.gz": wrapped_oci(),
}
ROOT_FILE_SYSTEM = LOWER
"""Nothing vouches for its bytes; only for its length does the end marker."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is told of an image and that a digest vouches for."""

    config: Digest
    layers: tuple[Digest | None, ...]
    entries: tuple[tuple[LayerEntry, ...], ...]
    warnings: tuple[str, ...]
    paths: tuple[str, ...]


def answer_of(name: str) -> Answer:
    """Open the image and ask for everything."""
    with open_image(name) as image:
        for number in range(len(image.layers)):
            image.summary(number)
        return Answer(
            image.stored.config_digest,
            tuple(layer.diff_id for layer in image.layers),
            tuple(layer.entries for layer in image.layers),
            tuple(warning for layer in image.layers for warning in layer.index.warnings),
            tuple(item.path for item in image.tree().walk()),
        )


class Way:
    """How damaged bytes reach layerlens: as a ``file`` or through a ``pipe``."""

    def __init__(self, way: str, scratch: Path) -> None:
        self._way = way
        self._path = scratch / "it"

    @contextlib.contextmanager
    def name_for(self, data: bytes) -> Iterator[str]:
        """The image's name while ``data`` can be read by it."""
        if self._way == "file":
            self._path.write_bytes(data)
            yield str(self._path)
            return
        reading, writing = os.pipe()
        try:
            os.write(writing, data)  # less than a pipe holds
            os.close(writing)
            yield f"/dev/fd/{reading}"
        finally:
            os.close(reading)


class TookTooLong(BaseException):
    """A case that hangs; not an Exception, so that nothing on the way can swallow it."""


def _give_up(number: int, frame: FrameType | None) -> None:
    raise TookTooLong


def complaint(way: Way, data: bytes, right: Answer) -> str | None:
    """What is wrong with what layerlens makes of ``data``; None if nothing is.

    It must give ``right`` or say in one printable line, with the file's name, what is wrong.
    """
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(SECONDS)
    try:
        with way.name_for(data) as name:
            try:
                found = answer_of(name)
            except LayerlensError as error:
                said = str(error)
                if not said.isprintable() or name not in said or len(said) > 500:
                    return f"badly said: {said!a}"
                return None
            except Exception as error:  # noqa: BLE001 - any other is what is looked for
                return f"{type(error).__name__}: {error}"
            return None if found == right else f"another answer: {found}"
    except TookTooLong:
        return f"took more than {SECONDS} seconds"
    finally:
        signal.alarm(0)


def truncated(data: bytes, stride: int = 1) -> Iterator[tuple[str, bytes]]:
    """``data`` cut short: at each multiple of ``stride``, and around each block's end."""
    for size in range(len(data)):
        if size % stride == 0 or size % 512 in (0, 1, 511):
            yield f"cut at {size}", data[:size]


def flipped(data: bytes, masks: tuple[int, ...], stride: int = 1) -> Iterator[tuple[str, bytes]]:
    """``data`` with one byte changed: each ``stride``-th one, by each of the masks in turn."""
    for at in range(0, len(data), stride):
        for mask in masks if stride == 1 else (masks[at // stride % len(masks)],):
            yield (
                f"byte {at} ^ {mask:#04x}",
                b"%b%c%b" % (data[:at], data[at] ^ mask, data[at + 1 :]),
            )
