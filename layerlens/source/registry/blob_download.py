"""A blob's bytes, all or a part: where the connection drops, the rest is asked for by range."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from layerlens.errors import RegistryError, RegistryUnavailable, SizeMismatch
from layerlens.source.registry.answer import Answer, Dropped
from layerlens.source.registry.registry_options import Patience
from layerlens.source.registry.retrying import Check, sleep
from layerlens.source.registry.transport import Unreachable

MAX_DROPS = 5
"""In a row, without PROGRESS_BYTES between them."""

PROGRESS_BYTES = 1 << 20

_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*")

Ask = Callable[[Mapping[str, str]], Answer]
"""GETs the blob with further headers; an answer is 200, 206 or 416."""


@dataclass(frozen=True, slots=True)
class BlobPart:
    """``length`` bytes from ``offset`` on."""

    offset: int
    length: int


def blob_range(
    ask: Ask, part: BlobPart, *, size: int, where: str, patience: Patience, check: Check
) -> bytes:
    """A part of a blob of ``size`` bytes; it is not verified.

    Raises RegistryUnavailable where the connection drops again and again, SizeMismatch where the
    blob has another size, and RegistryError where it is not just the range that is sent.
    """
    data = bytearray()
    drops = 0
    while len(data) < part.length:
        first = part.offset + len(data)
        answer = ask({"Range": f"bytes={first}-{part.offset + part.length - 1}"})
        try:
            if answer.status == 416:
                raise SizeMismatch(f"{where}: has no {size} bytes, as its descriptor declares")
            if answer.status != 206:
                raise RegistryError(f"{where}: the registry does not send parts of blobs")
            _check_range(answer, first, size, where)
            for chunk in answer.chunks(patience):
                data += chunk
                if len(data) > part.length:
                    raise RegistryError(f"{where}: more is sent than the range that was asked for")
            reason = "the connection was closed"
        except Dropped as dropped:
            reason = str(dropped)
        finally:
            answer.close()
        if len(data) < part.length:
            drops += 1
            if drops > MAX_DROPS:
                raise RegistryUnavailable(
                    f"{where}: the connection dropped {drops} times, last after {len(data)} of "
                    f"{part.length} bytes: {reason}"
                )
            _wait(drops, patience, check)
    return bytes(data)


def blob_chunks(
    ask: Ask, size: int, where: str, patience: Patience, check: Check
) -> Iterator[bytes]:
    """The bytes in order; ``size`` is what the descriptor declares.

    More or fewer may come where the registry lies: they are for the caller to verify. Raises
    SizeMismatch where another size is declared, RegistryUnavailable where the connection drops
    again and again, and RegistryError for ranges that are not those that were asked for.
    """
    received = 0
    drops = 0
    progress_from = 0
    while True:
        answer = None
        try:
            answer = _asked_on(ask, received)
            for chunk in _rest(answer, received, size, where, patience):
                received += len(chunk)
                yield chunk
            return
        except Dropped as dropped:
            if received - progress_from >= PROGRESS_BYTES:
                drops = 0
            drops += 1
            progress_from = received
            if drops > MAX_DROPS:
                raise RegistryUnavailable(
                    f"{where}: the connection dropped {drops} times, last after {received} of "
                    f"{size} bytes: {dropped}"
                ) from None
        finally:
            if answer is not None:
                answer.close()
        _wait(drops, patience, check)


def _asked_on(ask: Ask, received: int) -> Answer:
    """The answer to what is still to come. Raises Dropped where there is no connection to be had,
    and there was one before."""
    if not received:
        return ask({})
    try:
        return ask({"Range": f"bytes={received}-"})
    except Unreachable as unreachable:
        raise Dropped(str(unreachable)) from None


def _wait(drops: int, patience: Patience, check: Check) -> None:
    sleep(min(patience.first_wait * 2.0 ** (drops - 1), patience.longest_wait), check)


def _rest(
    answer: Answer, received: int, size: int, where: str, patience: Patience
) -> Iterator[bytes]:
    """What the answer holds beyond the ``received`` bytes. Raises Dropped if it breaks off, or is
    of a shorter range than was asked for, as it may be."""
    if answer.status == 416:
        raise SizeMismatch(f"{where}: has {received} bytes, its descriptor declares {size}")
    passed_over = received
    if answer.status == 206:
        _check_range(answer, received, size, where)
        passed_over = 0
    else:
        declared = answer.content_length()
        if declared is not None and declared != size:
            raise SizeMismatch(f"{where}: has {declared} bytes, its descriptor declares {size}")
    count = received - passed_over
    for whole_chunk in answer.chunks(patience):
        count += len(whole_chunk)
        if passed_over >= len(whole_chunk):
            passed_over -= len(whole_chunk)
            continue
        chunk = whole_chunk[passed_over:] if passed_over else whole_chunk
        passed_over = 0
        yield chunk
    if count < size and (answer.status == 206 or not answer.is_framed()):
        raise Dropped("the connection was closed")


def _check_range(answer: Answer, received: int, size: int, where: str) -> None:
    match = _CONTENT_RANGE.fullmatch(answer.header("Content-Range") or "")
    if match is None or int(match[1]) != received or match[3] not in {"*", str(size)}:
        raise RegistryError(
            f"{where}: asked for the bytes from {received} of {size} on, the registry sends others"
        )
