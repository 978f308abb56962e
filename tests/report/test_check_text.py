from fractions import Fraction

import pytest

from layerlens.analysis.rules import Judgement, Limit, Place, Status
from layerlens.report.check_text import (
    bound_text,
    detail_text,
    limit_text,
    place_text,
    value_text,
    verdict_line,
)
from layerlens.report.sizes import exact_size, human_size

from .judgements import ALL_SORTS, verdict


@pytest.mark.parametrize(
    ("name", "value", "limit", "shown"),
    [
        ("max-image-size", 412_300_000, 500_000_000, "412.3 MB"),
        ("max-image-size", 500_000_000, 500_000_000, "500.0 MB"),
        ("max-image-size", 500_000_001, 500_000_000, "500000001 B"),  # not the limit's own text
        ("max-growth", 1500, 5000, "+1.5 kB"),
        ("max-growth", -1500, 5000, "-1.5 kB"),
        ("max-growth-percent", Fraction(-1, 3), 5, "-0.3 %"),
        ("max-growth-percent", Fraction(5001, 1000), 5, "+5.001 %"),
        ("max-pull-cost", 1500, 5000, "1.5 kB"),
        ("min-live-share", Fraction(57, 100), Fraction(9, 10), "57.0 %"),
        ("min-live-share", Fraction(899_999, 1_000_000), Fraction(9, 10), "89.9999 %"),
        ("min-live-share", Fraction(9, 10), Fraction(9, 10), "90.0 %"),
        ("forbidden-files", 1, ("x",), "1 file"),
        ("forbidden-files", 0, ("x",), "0 files"),
        ("forbidden-findings", 2, ("secret",), "2 findings"),
    ],
)
def test_a_value_looks_like_the_limit_only_where_it_is_the_limit(
    name: str, value: Fraction | int, limit: Limit | int, shown: str
) -> None:
    assert value_text(verdict(name, Status.FAIL, value, limit), human_size) == shown


def test_exact_bytes() -> None:
    found = verdict("max-image-size", Status.PASS, 1234, 5678)
    assert value_text(found, exact_size) == "1234"
    assert limit_text(found.rule, exact_size) == "5678"


def test_no_value() -> None:
    skipped = verdict("max-image-size", Status.SKIP, None, 1, why="no idea")
    assert value_text(skipped, human_size) == "-"
    infinite = verdict("highest-user-wasted-percent", Status.FAIL, None, Fraction(1, 10))
    assert value_text(infinite, human_size) == "infinite"


@pytest.mark.parametrize(
    ("name", "limit", "shown"),
    [
        ("max-image-size", 500_000_000, "at most 500.0 MB"),
        ("min-live-share", Fraction("0.955"), "at least 95.5 %"),
        ("max-growth-percent", 5, "at most 5 %"),
        ("max-growth-percent", Fraction("0.5"), "at most 0.5 %"),
        ("highest-user-wasted-percent", 0, "at most 0 %"),
        ("forbidden-files", ("x",), "none"),
        ("max-image-size", None, "-"),
    ],
)
def test_limits(name: str, limit: Limit | int | None, shown: str) -> None:
    assert bound_text(verdict(name, Status.PASS, 0, limit).rule, human_size) == shown


def test_places() -> None:
    assert place_text(Place(path="/a", layer=3, bytes=1500, note="gone"), human_size) == (
        "/a (layer 3, 1.5 kB, gone)"
    )
    assert place_text(Place(path="/a", layer=-1), human_size) == "/a"  # no layer lists it
    assert place_text(Place(layer=3, bytes=5), human_size) == "layer 3 (5 B)"
    assert place_text(Place(note="variable: X"), human_size) == "the config (variable: X)"


def test_details() -> None:
    assert detail_text(ALL_SORTS.verdicts[0], human_size) == ""
    assert detail_text(ALL_SORTS.verdicts[4], human_size) == (
        "/app/.env (layer 4, 1.5 kB, note of /app/.env) and 2 more"
    )
    both = verdict("max-image-size", Status.FAIL, 2, 1, Place(path="/a"), why="as counted")
    assert detail_text(both, human_size) == "as counted; /a"


def test_the_verdict_in_a_line() -> None:
    assert verdict_line(ALL_SORTS) == "FAIL: 3 of 6 rules failed, 2 skipped"
    one = Judgement(verdicts=(verdict("max-image-size", Status.PASS, 0, 1),))
    assert verdict_line(one) == "PASS: 1 of 1 rule passed"
    assert verdict_line(Judgement(verdicts=())) == "PASS: 0 of 0 rules passed"
