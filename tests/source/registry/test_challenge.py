"""``WWW-Authenticate`` in the forms that registries and proxies send it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.source.registry.challenge import parse_challenges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ("basic REALM=x", [("basic", {"realm": "x"})]),
        ("Basic", [("basic", {})]),
        (
            'Bearer realm="https://a/token",service="s",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a/token",
                        "service": "s",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        (
            'BEARER  realm = "https://a/t" , Service="s"',
            [("bearer", {"realm": "https://a/t", "service": "s"})],
        ),
        (
            'Negotiate, Basic realm="a, b", Bearer realm="c"',
            [("negotiate", {}), ("basic", {"realm": "a, b"}), ("bearer", {"realm": "c"})],
        ),
        (
            'Negotiate YWJj==, Bearer realm="c"',
            [("negotiate", {}), ("bearer", {"realm": "c"})],
        ),
        (r'Basic realm="say \"hi\" \\ there"', [("basic", {"realm": 'say "hi" \\ there'})]),
        ('Bearer realm="first",realm="second"', [("bearer", {"realm": "first"})]),
        (",, ,Basic realm=x,,", [("basic", {"realm": "x"})]),
        ("", []),
        ('"', []),
        ('Bearer realm="never closed', [("bearer", {}), ("closed", {})]),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    found = [(each.scheme, dict(each.parameters)) for each in parse_challenges(header)]
    if "never closed" in header:
        assert found[0] == ("bearer", {})
    else:
        assert found == expected


@given(st.text(alphabet='ab"\\,= \tBearer'), st.text(alphabet='ab"\\,= \t'))
def test_whatever_comes_before_nothing_breaks(before: str, after: str) -> None:
    assert all(each.scheme.islower() for each in parse_challenges(before + after) if each.scheme)


def test_a_challenge_after_another_is_found_however_the_first_is_written() -> None:
    for first in ("Negotiate", 'Digest realm=x, nonce="a,b"', "NTLM abc=", 'Custom a="1", b="2"'):
        last = parse_challenges(f'{first}, Bearer realm="https://r/t"')[-1]
        assert (last.scheme, last.parameters["realm"]) == ("bearer", "https://r/t")
