"""An image's name in, an opened source out: files, layouts, pipes, whatever they are wrapped in."""

from __future__ import annotations

import contextlib
import enum
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, assert_never

from layerlens.errors import LayerlensError, NotFound, RegistryError, UnsupportedInput
from layerlens.layer.read_layer import Expected, LayerReading, read_layer
from layerlens.layer_jobs import LoadSettings, told
from layerlens.oci.platform import Platform
from layerlens.oci.quoting import printable
from layerlens.source.archive_file import ArchiveFile
from layerlens.source.archive_stream import (
    ArchiveStream,
    check_start,
    look_at_start,
    plain_chunks,
    spool,
)
from layerlens.source.blob_location import READ_BYTES, FileRange, naming
from layerlens.source.docker_archive import digest_of_blob_name
from layerlens.source.image_archive import (
    is_image_archive,
    is_transport_directory,
    looks_like_root_filesystem,
    read_image_archive,
    root_filesystem_image,
)
from layerlens.source.image_name import (
    LocalImage,
    RegistryImage,
    StandardInput,
    parse_image_name,
)
from layerlens.source.layout_directory import LayoutDirectory
from layerlens.source.stored_image import SourceContents
from layerlens.streams.decompression import SNIFF_BYTES, Compression, sniff
from layerlens.streams.tar_header import BLOCK

_LONGEST_NAME = 200
"""Characters of a member's name in a message."""


class Access(enum.Enum):
    """What the caller is going to want of layers."""

    LISTING = "what they hold"
    CONTENT = "the bytes of their files too"


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source that can be read from until it is closed.

    ``choice``: which image the name asked for. ``readings``: layers that went by in a stream,
    or why they could not be read, by member name.
    """

    contents: SourceContents
    choice: str | None
    readings: Mapping[str, LayerReading | LayerlensError]
    _resources: contextlib.ExitStack

    def close(self) -> None:
        """Let go of temporary files."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_source(
    name: str, access: Access, settings: LoadSettings, platform: Platform | None = None
) -> OpenedSource:
    """Open what ``name`` names, and read its documents.

    A compressed archive or a pipe is read in one pass if it begins as image archives do and only
    listings are wanted; else it is spooled to a temporary file, and a note says so. Of a
    registry's index only what ``platform`` may mean (by default this machine's) is read. Raises
    NotFound, UnsupportedInput, MalformedInput, LimitExceeded and RegistryError; OSError where a
    file can't be read.
    """
    image_name = parse_image_name(name)
    with contextlib.ExitStack() as resources:
        opening = _Opening(access, settings, resources)
        choice: str | None = None
        match image_name:
            case StandardInput():
                if sys.stdin is None:
                    raise NotFound("standard input: is closed")
                chunks = _chunks_of(sys.stdin.fileno(), "standard input")
                contents = opening.stream(chunks, "standard input")
                choice = image_name.choice
            case LocalImage():
                contents = opening.path(image_name)
                choice = image_name.choice
            case RegistryImage():
                contents = opening.registry(image_name, name, platform)
            case _:
                assert_never(image_name)
        kept = resources.pop_all()
    return OpenedSource(contents, choice, opening.readings, kept)


class _Opening:
    """One source being opened."""

    def __init__(
        self, access: Access, settings: LoadSettings, resources: contextlib.ExitStack
    ) -> None:
        self._access = access
        self._settings = settings
        self._resources = resources
        self.readings: dict[str, LayerReading | LayerlensError] = {}

    def path(self, image: LocalImage) -> SourceContents:
        path = image.path
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            raise NotFound(f"{path}: is a link to nothing") from None
        if stat.S_ISDIR(mode):
            store = LayoutDirectory(path)
            if is_transport_directory(store):
                raise UnsupportedInput(
                    f"{path}: a directory that skopeo or podman wrote as dir:, which is not read; "
                    "make a layout of it: skopeo copy dir:PATH oci:LAYOUT"
                )
            if not is_image_archive(store):
                raise UnsupportedInput(f"{path}: a directory, but no OCI layout (no index.json)")
            return read_image_archive(store)
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise UnsupportedInput(f"{path}: a device or socket, which holds no image")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(mode):
                with naming(path):
                    start = os.pread(descriptor, SNIFF_BYTES, 0)
                if sniff(start) is Compression.NONE:
                    return self._plain_file(path, path)
            return self.stream(_chunks_of(descriptor, path), path)
        finally:
            os.close(descriptor)

    def registry(
        self, image: RegistryImage, name: str, platform: Platform | None
    ) -> SourceContents:
        from layerlens.source.registry.registry_images import find_document, read_registry_images

        options = self._settings.registries
        try:
            document = find_document(image.reference, options)
        except (RegistryError, NotFound) as error:
            if not image.could_be_a_file:
                raise
            raise type(error)(f"{name}: no such file or directory; {error}") from error
        return read_registry_images(image.reference, document, platform, options)

    def stream(self, chunks: Iterator[bytes], where: str) -> SourceContents:
        settings = self._settings
        counted = told(chunks, settings.progress, settings.cancelled)
        plain = plain_chunks(counted, where, settings.limits)
        start = look_at_start(plain, where, settings.limits)
        if start.is_image_archive() and self._access is Access.LISTING:
            return self._one_pass(start.chunks, where)
        file = self._resources.enter_context(spool(start.chunks))
        size = os.path.getsize(file.name)
        contents = self._plain_file(file.name, where)
        note = f"{where}: unpacked to a temporary file of {size} bytes, to be read in its own order"
        return replace(contents, notes=(note, *contents.notes))

    def _plain_file(self, path: str, where: str) -> SourceContents:
        size = os.path.getsize(path)
        if size == 0:
            raise UnsupportedInput(f"{where}: is empty")
        with open(path, "rb") as file:
            check_start(file.read(BLOCK), where)
        archive = ArchiveFile(path, where, self._settings.limits)
        if is_image_archive(archive):
            return _with_notes(read_image_archive(archive), archive.warnings)
        if looks_like_root_filesystem(archive.top_level):
            return root_filesystem_image(where, FileRange(path, 0, size))
        raise UnsupportedInput(
            f"{where}: a tar, but no image (no manifest.json, index.json or repositories) "
            "and no root file system"
        )

    def _one_pass(self, chunks: Iterator[bytes], where: str) -> SourceContents:
        limits = self._settings.limits
        source = _Remembered(chunks)
        archive = ArchiveStream(iter(source), where, limits)
        for member, blob in archive.blobs():
            expected = Expected(blob_digest=digest_of_blob_name(member.name), blob_size=member.size)
            name = f"{where}: {printable(member.name[:_LONGEST_NAME])}"
            try:
                self.readings[member.name] = read_layer(blob, expected, where=name, limits=limits)
            except LayerlensError as error:
                if source.error is not None:  # it is not the layer that failed
                    raise source.error from None
                self.readings[member.name] = error
        return _with_notes(read_image_archive(archive), archive.warnings)


class _Remembered:
    """Chunks passed on, and the error that ended them, which no reader of a part may swallow."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.error: LayerlensError | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except LayerlensError as error:
            self.error = error
            raise


def _with_notes(contents: SourceContents, warnings: Sequence[str]) -> SourceContents:
    added = (f"{contents.where}: {warning}" for warning in warnings)
    return replace(contents, notes=(*contents.notes, *added))


def _chunks_of(descriptor: int, where: str) -> Iterator[bytes]:
    with naming(where):
        while chunk := os.read(descriptor, READ_BYTES):
            yield chunk
