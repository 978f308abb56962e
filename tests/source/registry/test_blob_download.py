"""Downloads that drop, resume, start again, hang or lie."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
import requests
from registry_content import RegistryContent
from registry_faults import (
    FOREVER,
    Busy,
    CutOff,
    Delayed,
    InSeconds,
    Ranges,
    SaysNothingOfHttp,
    SetHeader,
    Slow,
    Truncated,
    WithoutLength,
)
from registry_messages import Ending, RangeSupport, Response, UntilClosed
from registry_rules import Occasion, Rule
from registry_server import RegistryServer, serve

from layerlens.errors import LayerlensError, RegistryError, RegistryUnavailable, SizeMismatch
from layerlens.source.registry.answer import Answer
from layerlens.source.registry.blob_download import blob_chunks
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.retrying import never
from layerlens.source.registry.transport import Unreachable

from .asking import OPTIONS, REPOSITORY, client, parsed_digest

DATA = bytes(range(251)) * 5000
PATH = "*/blobs/*"


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    content = RegistryContent()
    content.add_blob(REPOSITORY, DATA)
    with serve(content) as served:
        yield served


def _downloaded(registry: RegistryServer) -> bytes:
    return b"".join(client(registry).blob(REPOSITORY, parsed_digest(DATA), len(DATA)))


def _ranges(registry: RegistryServer) -> list[str | None]:
    return [request.headers.get("range") for request in registry.log.matching(path=PATH)]


def test_one_request_where_nothing_drops(registry: RegistryServer) -> None:
    assert _downloaded(registry) == DATA
    assert _ranges(registry) == [None]
    assert registry.log.matching(path=PATH)[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("ending", [Ending.CLOSE, Ending.SILENCE])
def test_a_dropped_connection_is_resumed_where_it_broke(
    ending: Ending, registry: RegistryServer
) -> None:
    registry.declare(Rule(fault=CutOff(600_000, ending), path=PATH, times=1))
    assert _downloaded(registry) == DATA
    first, second = _ranges(registry)
    assert first is None
    assert second is not None
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 600_000


def test_a_reset_connection(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=CutOff(900_000, Ending.RESET), path=PATH, times=1))
    assert _downloaded(registry) == DATA


def test_an_answer_without_ranges_starts_again(registry: RegistryServer) -> None:
    registry.declare(
        Rule(fault=CutOff(600_000), path=PATH, times=1),
        Rule(fault=Ranges(RangeSupport.IGNORED), path=PATH),
    )
    assert _downloaded(registry) == DATA


def test_a_connection_that_ends_without_a_length_is_resumed(registry: RegistryServer) -> None:
    registry.declare(
        Rule(fault=Truncated(500_000), path=PATH, times=1),
        Rule(fault=WithoutLength(UntilClosed()), path=PATH, times=1),
    )
    assert _downloaded(registry) == DATA


@dataclass(frozen=True, slots=True)
class _AtMost:
    """Of a range that is asked for, only its first ``length`` bytes, which is allowed."""

    length: int

    def applied(self, response: Response, occasion: Occasion) -> Response:
        asked = occasion.request.headers.get("range")
        if asked is None:
            return response
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        body = response.body[start : start + self.length]
        sent = f"bytes {start}-{start + len(body) - 1}/{len(response.body)}"
        return Response(status=206, headers=(("Content-Range", sent),), body=body)


def test_a_shorter_range_than_was_asked_for_is_gone_on_from(registry: RegistryServer) -> None:
    registry.declare(
        Rule(fault=CutOff(600_000), path=PATH, times=1), Rule(fault=_AtMost(400_000), path=PATH)
    )
    assert _downloaded(registry) == DATA


def test_a_blob_that_trickles_is_asked_for_on_another_connection(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=Slow(1, 0.02), path=PATH, times=1))
    patience = replace(OPTIONS.patience, window=0.5, least_bytes=1000)
    hasty = client(registry, replace(OPTIONS, patience=patience))
    assert b"".join(hasty.blob(REPOSITORY, parsed_digest(DATA), len(DATA))) == DATA
    assert len(_ranges(registry)) == 2


def test_a_blob_that_only_trickles_is_given_up(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=Slow(1, 0.02), path=PATH))
    patience = replace(OPTIONS.patience, window=0.1, least_bytes=1000)
    hasty = client(registry, replace(OPTIONS, patience=patience))
    with pytest.raises(RegistryUnavailable, match=r"dropped 6 times, .* only \d+ bytes came"):
        b"".join(hasty.blob(REPOSITORY, parsed_digest(DATA), len(DATA)))


def test_a_slow_blob_is_handed_on_as_it_comes(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=Slow(100_000, 0.3), path=PATH))
    first = next(client(registry).blob(REPOSITORY, parsed_digest(DATA), len(DATA)))
    assert first == DATA[: len(first)]
    assert 0 < len(first) < 250_000


def test_who_takes_long_over_what_came_is_not_taken_for_a_slow_registry(
    registry: RegistryServer,
) -> None:
    patience = replace(OPTIONS.patience, window=0.2, least_bytes=len(DATA))
    patient = client(registry, replace(OPTIONS, patience=patience))
    got = []
    for chunk in patient.blob(REPOSITORY, parsed_digest(DATA), len(DATA)):
        got.append(chunk)
        time.sleep(0.1)
    assert b"".join(got) == DATA
    assert len(_ranges(registry)) == 1


class _OldBody(io.BytesIO):
    """What urllib3 before 2 gives: the end of the connection is the end of the body."""

    read1 = None  # type: ignore[assignment]

    def read(self, size: int | None = -1, /, *, decode_content: bool = True) -> bytes:
        return super().read(size)


def _old_answer(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers)
    response.raw = _OldBody(body)
    return Answer(response, lambda: None)


def test_a_body_that_ends_before_its_length_is_resumed_with_an_older_urllib3() -> None:
    size = str(len(DATA))
    answers = [
        _old_answer(200, DATA[:500_000], {"Content-Length": size}),
        _old_answer(206, DATA[500_000:], {"Content-Range": f"bytes 500000-{len(DATA) - 1}/{size}"}),
    ]
    chunks = blob_chunks(lambda _: answers.pop(0), len(DATA), "blob", OPTIONS.patience, never)
    assert b"".join(chunks) == DATA


def test_a_connection_that_can_t_be_had_again_at_once_is_tried_again(
    registry: RegistryServer,
) -> None:
    registry.declare(Rule(fault=CutOff(600_000), path=PATH, times=1))
    asking = client(registry)
    wanted = parsed_digest(DATA)
    asked: list[Mapping[str, str]] = []

    def ask(headers: Mapping[str, str]) -> Answer:
        asked.append(headers)
        if len(asked) in {2, 3}:
            raise Unreachable("http://there: can't be reached: Network is unreachable")
        return asking._asking_for_blob(REPOSITORY, wanted, "blob", never)(headers)

    assert b"".join(blob_chunks(ask, len(DATA), "blob", OPTIONS.patience, never)) == DATA
    assert asked[1] == asked[2] == asked[3] != {}


def test_a_registry_that_was_never_there_is_not_asked_again() -> None:
    asked: list[Mapping[str, str]] = []

    def ask(headers: Mapping[str, str]) -> Answer:
        asked.append(headers)
        raise Unreachable("http://there: can't be reached: Connection refused")

    with pytest.raises(Unreachable, match="Connection refused"):
        b"".join(blob_chunks(ask, len(DATA), "blob", OPTIONS.patience, never))
    assert len(asked) == 1


def test_a_chunk_of_negative_length_is_not_taken_for_all_there_is(
    registry: RegistryServer,
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
    registry.declare(Rule(fault=SaysNothingOfHttp(head + bytes(8 << 20)), path=PATH))
    first = next(client(registry).blob(REPOSITORY, parsed_digest(DATA), len(DATA)))
    assert len(first) < 1 << 20


@pytest.mark.parametrize(
    "fault",
    [
        Ranges(RangeSupport.FROM_START),
        SetHeader("Content-Range", f"bytes 0-{len(DATA) - 1}/{len(DATA)}"),
        SetHeader("Content-Range", f"bytes 1-2/{len(DATA) + 1}"),
        SetHeader("Content-Range", "rubbish"),
    ],
)
def test_other_bytes_than_were_asked_for(
    fault: Ranges | SetHeader, registry: RegistryServer
) -> None:
    registry.declare(Rule(fault=CutOff(600_000), path=PATH, times=1), Rule(fault=fault, path=PATH))
    with pytest.raises(RegistryError, match="the registry sends others"):
        _downloaded(registry)


def test_a_connection_that_always_drops_is_given_up(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=CutOff(1000), path=PATH))
    with pytest.raises(RegistryUnavailable, match=r"dropped \d+ times"):
        _downloaded(registry)
    assert len(_ranges(registry)) < 20


def test_a_registry_that_never_answers(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=Delayed(FOREVER), path=PATH))
    started = time.monotonic()
    with pytest.raises(RegistryUnavailable, match="timed out"):
        _downloaded(registry)
    assert time.monotonic() - started < 10


def test_another_length_than_the_descriptor_s(registry: RegistryServer) -> None:
    with pytest.raises(SizeMismatch, match=f"has {len(DATA)} bytes, its descriptor declares 7"):
        b"".join(client(registry).blob(REPOSITORY, parsed_digest(DATA), 7))


class _Stop(LayerlensError):
    pass


def test_waiting_is_given_up_when_asked(registry: RegistryServer) -> None:
    registry.declare(Rule(fault=Busy(retry_after=InSeconds(30)), path=PATH))
    started = time.monotonic()

    def check() -> None:
        if time.monotonic() - started > 0.3:
            raise _Stop("enough")

    patient = client(registry, RegistryOptions())
    with pytest.raises(_Stop):
        b"".join(patient.blob(REPOSITORY, parsed_digest(DATA), len(DATA), check))
    assert time.monotonic() - started < 5
