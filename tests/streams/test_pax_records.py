import pytest
from hypothesis import given
from hypothesis import strategies as st
from oci.messages import refusal, refusal_at_most

from layerlens.errors import MalformedInput
from layerlens.streams.pax_records import parse_pax_records

from .raw_tar import pax_body

KEYWORDS = st.binary(min_size=1, max_size=20).filter(lambda keyword: b"=" not in keyword)


@given(st.lists(st.tuples(KEYWORDS, st.binary(max_size=120))))
def test_any_bytes_come_back(records: list[tuple[bytes, bytes]]) -> None:
    assert parse_pax_records(pax_body(records)) == records


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"11",
        b" path=a\n",
        b"-9 path=a\n",
        b"+9 path=a\n",
        b"1_0 path=ab\n",
        b"0 path=a\n",
        b"3 path=a\n",
        b"8 path=a\n",
        b"12 path=a\n",
        b"9 path a\n",
        b"4 =\n",
        b"99999999999999999999 a=b\n",
        b"9 path=a\n0 path=b\n",
        b"9 path=a\n5 path=b\n",
    ],
)
def test_a_length_that_lies(body: bytes) -> None:
    with refusal(MalformedInput, "bad PAX record"):
        parse_pax_records(body)


def test_nuls_may_pad() -> None:
    assert parse_pax_records(b"9 path=a\n" + bytes(7)) == [(b"path", b"a")]


@given(st.binary(max_size=60))
def test_rubbish_is_refused_or_read(body: bytes) -> None:
    with refusal_at_most(MalformedInput, "bad PAX record"):
        parse_pax_records(body)
