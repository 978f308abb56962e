"""Each fault of the test registry does on the wire what its value says."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
from registry_access import BasicAccess
from registry_client import BLOB, DATA, Client, Got, ask, basic, content_of
from registry_faults import (
    FOREVER,
    AtDate,
    Busy,
    Corrupted,
    CutOff,
    Delayed,
    Failure,
    InSeconds,
    OtherBody,
    Padded,
    Ranges,
    RateLimit,
    Redirect,
    RedirectChain,
    SaysNothingOfHttp,
    SetHeader,
    Slow,
    Truncated,
    WithoutHeader,
    WithoutLength,
)
from registry_messages import Chunked, Ending, RangeSupport, UntilClosed
from registry_rules import Fault, Rule
from registry_server import RegistryServer, serve


@pytest.fixture
def faulty(request: pytest.FixtureRequest) -> Iterator[RegistryServer]:
    """DATA behind no faults yet."""
    with serve(content_of()) as registry:
        yield registry


def meet(registry: RegistryServer, fault: Fault, **headers: str) -> Got:
    """The blob, met by a fault once."""
    registry.declare(Rule(fault=fault, times=1))
    got = ask(registry, BLOB, headers=headers)
    assert ask(registry, BLOB).body == DATA
    return got


def test_rules_count_the_requests_that_match() -> None:
    rule = Rule(fault=Failure(500), method="GET", path="/v2/*/blobs/*", skip=1, times=2)
    with serve(content_of(), rules=(rule,)) as registry:
        ask(registry, BLOB, method="HEAD")
        ask(registry, "/v2/")
        statuses = [ask(registry, BLOB).status for _ in range(4)]
        assert statuses == [200, 500, 500, 200]
        registry.declare(Rule(fault=Failure(503)))
        assert ask(registry, BLOB).status == 503
        registry.withdraw_rules()
        assert ask(registry, BLOB).status == 200


def test_refused_requests_do_not_count() -> None:
    access = BasicAccess(users={"ann": "secret"})
    with serve(content_of(), access=access, rules=(Rule(fault=Failure(500), times=1),)) as registry:
        header = {"Authorization": basic("ann", "secret")}
        assert ask(registry, BLOB).status == 401
        assert [ask(registry, BLOB, headers=header).status for _ in range(2)] == [500, 200]


def test_retry_after_in_its_forms(faulty: RegistryServer) -> None:
    seconds = meet(faulty, Busy(retry_after=InSeconds(7)))
    date = meet(faulty, Busy(status=503, retry_after=AtDate(100)))
    text = meet(faulty, Busy(retry_after="soon"))
    none = meet(faulty, Busy())
    assert (seconds.status, seconds.headers["retry-after"]) == (429, "7")
    assert date.status == 503
    assert date.headers["retry-after"].endswith(" GMT")  # RFC 9110, 5.6.7
    ahead = parsedate_to_datetime(date.headers["retry-after"]).timestamp() - time.time()
    assert 90 < ahead <= 100
    assert text.headers["retry-after"] == "soon"
    assert "retry-after" not in none.headers


def test_rate_limit_counts_down() -> None:
    with serve(content_of(), rules=(Rule(fault=RateLimit(limit=2)),)) as registry:
        answers = [ask(registry, BLOB) for _ in range(3)]
    assert [got.status for got in answers] == [200, 200, 429]
    remaining = [got.headers["ratelimit-remaining"] for got in answers]
    assert remaining == ["1;w=21600", "0;w=21600", "0;w=21600"]


def test_redirects_that_loop_and_that_end(faulty: RegistryServer) -> None:
    loop = meet(faulty, Redirect(location="{origin}{target}", status=301))
    assert (loop.status, loop.headers["location"]) == (301, faulty.url + BLOB)
    faulty.declare(Rule(fault=RedirectChain(2)))
    target, hops = BLOB, 0
    while (got := ask(faulty, target)).status == 302:
        target, hops = got.headers["location"], hops + 1
    assert (hops, got.body) == (2, DATA)


def test_wrong_heads(faulty: RegistryServer) -> None:
    wrong = meet(faulty, SetHeader("Docker-Content-Digest", "sha256:0"))
    lacking = meet(faulty, WithoutHeader("Docker-Content-Digest"))
    assert wrong.headers["docker-content-digest"] == "sha256:0"
    assert "docker-content-digest" not in lacking.headers
    assert wrong.body == lacking.body == DATA


def test_wrong_bodies(faulty: RegistryServer) -> None:
    assert meet(faulty, OtherBody(b"x")).body == b"x"
    assert meet(faulty, Truncated(10)).body == DATA[:10]
    corrupt = meet(faulty, Corrupted(100))
    assert [at for at in range(1000) if corrupt.body[at] != DATA[at]] == [100]
    resumed = meet(faulty, Corrupted(100), Range="bytes=100-")
    assert resumed.body == bytes([DATA[100] ^ 0xFF]) + DATA[101:]
    padded = meet(faulty, Padded(200_000))
    assert padded.body == DATA + b" " * 200_000
    assert padded.headers["content-length"] == "201000"
    part = meet(faulty, Padded(200_000), Range="bytes=900-1099")
    assert part.body == DATA[900:] + b" " * 100


def test_other_ways_with_ranges(faulty: RegistryServer) -> None:
    ignored = meet(faulty, Ranges(RangeSupport.IGNORED), Range="bytes=10-19")
    from_start = meet(faulty, Ranges(RangeSupport.FROM_START), Range="bytes=10-19")
    mislabelled = meet(faulty, SetHeader("Content-Range", "bytes 0-9/10"), Range="bytes=10-19")
    assert (ignored.status, ignored.body) == (200, DATA)
    assert (from_start.status, from_start.body) == (206, DATA[:20])
    assert from_start.headers["content-range"] == "bytes 0-19/1000"
    assert mislabelled.body == DATA[10:20]
    assert mislabelled.headers["content-range"] == "bytes 0-9/10"


@pytest.mark.parametrize("delivery", [Chunked(64), UntilClosed()])
def test_no_length(faulty: RegistryServer, delivery: Chunked | UntilClosed) -> None:
    got = meet(faulty, WithoutLength(delivery))
    assert got.body == DATA
    assert "content-length" not in got.headers


def test_connection_closed_within_a_body(faulty: RegistryServer) -> None:
    faulty.declare(Rule(fault=CutOff(600), times=1))
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(faulty, BLOB)
    assert caught.value.partial == DATA[:600]


def test_connection_reset_within_a_body(faulty: RegistryServer) -> None:
    faulty.declare(Rule(fault=CutOff(600, Ending.RESET), times=1))
    with pytest.raises(ConnectionResetError):
        ask(faulty, BLOB)


@pytest.mark.parametrize("fault", [CutOff(600, Ending.SILENCE), Delayed(FOREVER)])
def test_silence_ends_with_the_server(fault: Fault) -> None:
    with serve(content_of(), rules=(Rule(fault=fault),)) as registry:
        with Client(registry, timeout=0.2) as client, pytest.raises(TimeoutError):
            client.ask(BLOB)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_slow_and_late_answers(faulty: RegistryServer) -> None:
    for fault in (Slow(250, 0.05), Delayed(0.2)):
        started = time.monotonic()
        assert meet(faulty, fault).body == DATA
        assert time.monotonic() - started >= 0.2


def test_bytes_that_are_no_http(faulty: RegistryServer) -> None:
    faulty.declare(Rule(fault=SaysNothingOfHttp(b"\x15\x03\x01"), times=1))
    with pytest.raises(http.client.BadStatusLine):
        ask(faulty, BLOB)
