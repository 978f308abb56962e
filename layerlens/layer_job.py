"""A layer to read, as a value that another process can be handed, and reading it there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from layerlens.layer.index_codec import decode_reading, encode_reading
from layerlens.layer.read_layer import Expected, LayerReading, read_layer
from layerlens.source.blob_location import FileRange
from layerlens.source.registry.registry_blob import RegistryBlob
from layerlens.streams.limits import Limits


@dataclass(frozen=True, slots=True)
class LayerJob:
    """One layer to read.

    Two that differ only in ``where`` are equal: an image may list one layer again and again.
    """

    location: FileRange | RegistryBlob
    expected: Expected
    where: str = field(compare=False)
    limits: Limits


@dataclass(frozen=True, slots=True)
class JobResult:
    """A layer that was read. ``encoded``: the reading as ``encode_reading`` gives it, where another
    process has done so."""

    reading: LayerReading
    encoded: bytes | None = None

    @classmethod
    def decoded(cls, encoded: bytes) -> JobResult:
        """What ``read_job`` gave elsewhere. Raises MalformedInput for damage."""
        return cls(decode_reading(encoded), encoded)


def _nobody(count: int) -> None:
    pass


def read_job(job: LayerJob, threads: int = 1, tell: Callable[[int], None] = _nobody) -> bytes:
    """Read one layer, in whatever process; the encoded reading.

    ``threads``: as ``read_layer`` has them. ``tell`` is called with bytes as they are read. Raises
    what ``read_layer`` raises.
    """
    chunks = _told(job.location.chunks(), tell)
    reading = read_layer(chunks, job.expected, where=job.where, limits=job.limits, threads=threads)
    return encode_reading(reading)


def _told(chunks: Iterator[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        tell(len(chunk))
        yield chunk
