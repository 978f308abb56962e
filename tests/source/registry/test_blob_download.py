"""Downloads that drop, resume, start again, hang or lie."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from registry_content import RegistryContent
from registry_faults import (
    FOREVER,
    Busy,
    CutOff,
    Delayed,
    InSeconds,
    Ranges,
    SetHeader,
    Truncated,
    WithoutLength,
)
from registry_messages import Ending, RangeSupport, UntilClosed
from registry_rules import Rule
from registry_server import RegistryServer, serve

from layerlens.errors import LayerlensError, RegistryError, RegistryUnavailable, SizeMismatch
from layerlens.source.registry.registry_options import RegistryOptions

from .asking import REPOSITORY, client, parsed_digest

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
