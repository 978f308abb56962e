from fractions import Fraction

import pytest

from layerlens.analysis.rules import (
    ALLOWED_SETUID,
    FORBIDDEN_FILES,
    LOWEST_EFFICIENCY,
    MAX_DEAD_BYTES,
    MAX_IMAGE_SIZE,
    MAX_PULL_COST,
    MIN_LIVE_SHARE,
    RULE_KINDS,
    Judgement,
    Limit,
    Measured,
    Place,
    Rule,
    RuleKind,
    Status,
    Unmeasured,
    Verdict,
    judge,
)
from layerlens.analysis.rules_measures import MEASURES
from layerlens.analysis.rules_settings import RuleSettings, dive_defaults
from layerlens.errors import UsageError

PLACE = Place(path="/x", bytes=1)


def rule(kind: RuleKind, limit: Limit | None, *exclude: str) -> Rule:
    return Rule(kind=kind, limit=limit, exclude=exclude, source="test")


def verdict(kind: RuleKind, limit: Limit | None, value: int | Fraction | None) -> Verdict:
    number = None if value is None else Fraction(value)
    return judge(rule(kind, limit), Measured(value=number, places=[PLACE]))


@pytest.mark.parametrize(
    ("kind", "limit", "value", "status"),
    [
        (MAX_IMAGE_SIZE, Fraction(10), 10, Status.PASS),
        (MAX_IMAGE_SIZE, Fraction(10), 11, Status.FAIL),
        (MAX_IMAGE_SIZE, Fraction(0), 0, Status.PASS),
        (MAX_IMAGE_SIZE, Fraction(10), -5, Status.PASS),
        (MIN_LIVE_SHARE, Fraction(9, 10), Fraction(9, 10), Status.PASS),
        (MIN_LIVE_SHARE, Fraction(9, 10), Fraction(899, 1000), Status.FAIL),
        (LOWEST_EFFICIENCY, Fraction(9, 10), Fraction(0.9), Status.PASS),  # a float, as dive's
        (LOWEST_EFFICIENCY, Fraction(9, 10), Fraction(0.9 - 2**-53), Status.FAIL),
        (FORBIDDEN_FILES, ("*",), 0, Status.PASS),
        (FORBIDDEN_FILES, ("*",), 1, Status.FAIL),
        (ALLOWED_SETUID, (), 1, Status.FAIL),
        (MAX_IMAGE_SIZE, Fraction(10), None, Status.FAIL),
        (MIN_LIVE_SHARE, Fraction(1), None, Status.PASS),
    ],
)
def test_only_what_is_beyond_the_limit_fails(
    kind: RuleKind, limit: Limit, value: int | Fraction | None, status: Status
) -> None:
    found = verdict(kind, limit, value)
    assert found.status is status
    assert found.places == ((PLACE,) if status is Status.FAIL else ())


def test_a_rule_that_is_switched_off_or_not_measured_is_skipped() -> None:
    off = verdict(MAX_IMAGE_SIZE, None, 5)
    assert (off.status, off.value, off.why) == (Status.SKIP, None, "switched off")
    unknown = judge(rule(MAX_IMAGE_SIZE, Fraction(1)), Unmeasured(why="no idea"))
    assert (unknown.status, unknown.value, unknown.why) == (Status.SKIP, None, "no idea")


def test_what_is_not_all_known_fails_and_does_not_pass() -> None:
    limit = rule(MAX_IMAGE_SIZE, Fraction(10))
    too_much = judge(limit, Measured(value=Fraction(11), incomplete="more"))
    assert too_much.status is Status.FAIL
    in_doubt = judge(limit, Measured(value=Fraction(9), incomplete="more"))
    assert (in_doubt.status, in_doubt.why) == (Status.SKIP, "more")


def test_places_are_not_looked_for_where_a_rule_passes() -> None:
    def unwanted() -> Place:
        raise AssertionError

    places = (unwanted() for _ in range(1))
    measured = Measured(value=Fraction(1), places=places)
    assert judge(rule(MAX_IMAGE_SIZE, Fraction(1)), measured).status is Status.PASS


def test_a_judgement_fails_with_any_rule() -> None:
    passed = verdict(MAX_IMAGE_SIZE, Fraction(1), 1)
    failed = verdict(MAX_IMAGE_SIZE, Fraction(1), 2)
    skipped = verdict(MAX_IMAGE_SIZE, None, 2)
    assert Judgement(verdicts=(passed, skipped)).passed
    assert Judgement(verdicts=()).passed
    mixed = Judgement(verdicts=(passed, failed, skipped, passed))
    assert not mixed.passed
    assert [mixed.count(status) for status in Status] == [2, 1, 1]


def test_every_kind_of_rule_is_measured() -> None:
    assert set(MEASURES) == set(RULE_KINDS.values())


def test_rules_are_laid_over_others_one_by_one() -> None:
    file = RuleSettings(
        rules=(rule(MAX_IMAGE_SIZE, Fraction(1), "/a"), rule(MAX_DEAD_BYTES, Fraction(2), "/b")),
        baseline="old",
        warnings=("odd",),
    )
    options = RuleSettings(
        rules=(rule(FORBIDDEN_FILES, ("x",)), rule(MAX_IMAGE_SIZE, None)), base="debian"
    )
    merged = options.over(file)
    assert merged.rules == (
        rule(MAX_IMAGE_SIZE, None, "/a"),
        rule(MAX_DEAD_BYTES, Fraction(2), "/b"),
        rule(FORBIDDEN_FILES, ("x",)),
    )
    assert (merged.baseline, merged.base, merged.warnings) == ("old", "debian", ("odd",))
    assert options.over(RuleSettings(base="other")).base == "debian"


def test_further_paths_are_excluded() -> None:
    settings = RuleSettings(rules=(rule(MAX_DEAD_BYTES, Fraction(2), "/b"),))
    (excluding,) = settings.excluding({MAX_DEAD_BYTES: ["/c"]}).rules
    assert excluding.exclude == ("/b", "/c")
    with pytest.raises(UsageError, match="no such rule is set"):
        settings.excluding({MAX_IMAGE_SIZE: ["/c"]})
    with pytest.raises(UsageError, match="can't exclude paths"):
        RuleSettings(rules=(rule(MAX_PULL_COST, Fraction(1)),)).excluding({MAX_PULL_COST: ["a"]})


def test_dives_defaults() -> None:
    assert [(each.kind.name, each.limit) for each in dive_defaults("dive")] == [
        ("lowest-efficiency", Fraction("0.9")),
        ("highest-wasted-bytes", None),
        ("highest-user-wasted-percent", Fraction("0.1")),
    ]
