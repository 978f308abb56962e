"""The rules that ``check`` holds an image to, as values: their kinds, limits and verdicts.

What each rule measures stands in `rules_measures`; how a measure becomes a verdict stands here.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction


class Unit(enum.Enum):
    """What a rule's value and limit are numbers of; the value is the word for it in documents."""

    BYTES = "bytes"
    SHARE = "share"
    """A part of a whole: 0 to 1."""
    PERCENT = "percent"
    FILES = "files"
    """Files that may not be there: how many are."""
    FINDINGS = "findings"

    __hash__ = object.__hash__


class Needs(enum.Enum):
    """What a rule is measured against besides the image itself."""

    NOTHING = "nothing"
    BASELINE = "baseline"
    BASE = "base"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleKind:
    """One kind of rule. ``lowest``: the limit is the least that passes, else the most. ``paths``:
    what it counts belongs to paths, some of which may be excluded. ``meaning``: a line of help."""

    name: str
    unit: Unit
    meaning: str
    paths: bool = True
    lowest: bool = False
    needs: Needs = Needs.NOTHING

    @property
    def takes_list(self) -> bool:
        """Whether the limit is a list of patterns or kinds rather than a number."""
        return self.unit in (Unit.FILES, Unit.FINDINGS)


MAX_IMAGE_SIZE = RuleKind(
    name="max-image-size", unit=Unit.BYTES, meaning="bytes of the files in all layers"
)
MAX_COMPRESSED_SIZE = RuleKind(
    name="max-compressed-size",
    unit=Unit.BYTES,
    paths=False,
    meaning="bytes of all layers as stored: what a registry holds and a pull transfers",
)
MAX_LAYER_SIZE = RuleKind(
    name="max-layer-size", unit=Unit.BYTES, meaning="bytes of the files in the largest layer"
)
MAX_USER_SIZE = RuleKind(
    name="max-user-size",
    unit=Unit.BYTES,
    needs=Needs.BASE,
    meaning="bytes of the files in the layers above the base image",
)
MAX_DEAD_BYTES = RuleKind(
    name="max-dead-bytes",
    unit=Unit.BYTES,
    meaning="bytes that layers hold and the final file system does not show",
)
MIN_LIVE_SHARE = RuleKind(
    name="min-live-share",
    unit=Unit.SHARE,
    lowest=True,
    meaning="the part of all bytes that the final file system shows",
)
MAX_GROWTH = RuleKind(
    name="max-growth",
    unit=Unit.BYTES,
    needs=Needs.BASELINE,
    meaning="bytes of files in all layers, more than the baseline has",
)
MAX_GROWTH_PERCENT = RuleKind(
    name="max-growth-percent",
    unit=Unit.PERCENT,
    needs=Needs.BASELINE,
    meaning="the same in percent of the baseline's bytes",
)
MAX_PULL_COST = RuleKind(
    name="max-pull-cost",
    unit=Unit.BYTES,
    paths=False,
    needs=Needs.BASELINE,
    meaning="compressed bytes of the layers that the baseline lacks",
)
FORBIDDEN_FILES = RuleKind(
    name="forbidden-files",
    unit=Unit.FILES,
    meaning="no file that matches, not even one that a later layer deletes",
)
ALLOWED_SETUID = RuleKind(
    name="allowed-setuid",
    unit=Unit.FILES,
    meaning="no file with a setuid or setgid bit but those that match",
)
FORBIDDEN_FINDINGS = RuleKind(
    name="forbidden-findings",
    unit=Unit.FINDINGS,
    meaning="no finding of these kinds, as layerlens waste names them; or waste, secret, told",
)
LOWEST_EFFICIENCY = RuleKind(
    name="lowest-efficiency", unit=Unit.SHARE, lowest=True, meaning="dive's efficiency"
)
HIGHEST_WASTED_BYTES = RuleKind(
    name="highest-wasted-bytes", unit=Unit.BYTES, meaning="dive's wasted bytes"
)
HIGHEST_USER_WASTED_PERCENT = RuleKind(
    name="highest-user-wasted-percent",
    unit=Unit.SHARE,
    meaning="dive's wasted bytes as a part (0 to 1) of all layers but the first",
)

RULE_KINDS: Mapping[str, RuleKind] = {
    kind.name: kind
    for kind in (
        MAX_IMAGE_SIZE,
        MAX_COMPRESSED_SIZE,
        MAX_LAYER_SIZE,
        MAX_USER_SIZE,
        MAX_DEAD_BYTES,
        MIN_LIVE_SHARE,
        MAX_GROWTH,
        MAX_GROWTH_PERCENT,
        MAX_PULL_COST,
        FORBIDDEN_FILES,
        ALLOWED_SETUID,
        FORBIDDEN_FINDINGS,
        LOWEST_EFFICIENCY,
        HIGHEST_WASTED_BYTES,
        HIGHEST_USER_WASTED_PERCENT,
    )
}
"""All kinds by name, in the order in which verdicts are listed."""

DIVE_NAMES: Mapping[str, RuleKind] = {
    "lowestEfficiency": LOWEST_EFFICIENCY,
    "highestWastedBytes": HIGHEST_WASTED_BYTES,
    "highestUserWastedPercent": HIGHEST_USER_WASTED_PERCENT,
}
"""The rules that dive has too, by the names it gives them."""

Limit = Fraction | tuple[str, ...]
"""A number in the rule's unit, or the patterns or kinds that a rule lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that somebody set. ``limit``: None where it was switched off. ``exclude``: globs of
    paths that do not count. ``source``: the file or option that set it."""

    kind: RuleKind
    limit: Limit | None
    exclude: tuple[str, ...] = ()
    source: str


class Status(enum.Enum):
    """How an image stands to a rule; the value is the word shown for it."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    SKIP = "SKIP"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value comes from: a path, a layer (number from 0), or both; and what of it."""

    path: str | None = None
    layer: int | None = None
    bytes: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The value of a rule for an image, and where it comes from, the most important first.

    ``value``: None where it is beyond any number, as what dive divides by zero. ``places`` are
    gone through only for a rule that fails. ``incomplete``: why the true value may be larger, if
    it may. ``note``: what a person should know of how it was counted. Both are clauses.
    """

    value: Fraction | None
    places: Iterable[Place] = ()
    incomplete: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A rule that an image could not be held to; ``why`` is a clause without a capital."""

    why: str


Found = Measured | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a rule. ``value``: None where nothing was measured. ``why``: why it was skipped,
    or how the value was counted, a clause. ``places``: where a rule that failed was broken."""

    rule: Rule
    status: Status
    value: Fraction | None
    why: str | None
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdicts on all rules, in the order of `RULE_KINDS`."""

    verdicts: tuple[Verdict, ...]

    def count(self, status: Status) -> int:
        """How many rules ended so."""
        return sum(verdict.status is status for verdict in self.verdicts)

    @property
    def passed(self) -> bool:
        """Whether no rule failed."""
        return not self.count(Status.FAIL)


SWITCHED_OFF = "switched off"


def judge(rule: Rule, found: Measured | Unmeasured) -> Verdict:
    """Compare what was found with the rule's limit: equal passes, as it does with dive.

    A value that may be larger than what is known of it fails where that is too much already,
    and is no reason to pass.
    """
    if rule.limit is None:
        return _skipped(rule, SWITCHED_OFF)
    if isinstance(found, Unmeasured):
        return _skipped(rule, found.why)
    if _fails(rule.kind, found.value, rule.limit):
        places = tuple(found.places)
        return Verdict(
            rule=rule, status=Status.FAIL, value=found.value, why=found.note, places=places
        )
    if found.incomplete is not None:
        return _skipped(rule, found.incomplete)
    return Verdict(rule=rule, status=Status.PASS, value=found.value, why=found.note, places=())


def _fails(kind: RuleKind, value: Fraction | None, limit: Limit) -> bool:
    if value is None:
        return not kind.lowest
    if isinstance(limit, tuple):
        return value > 0
    if kind.unit is Unit.SHARE:  # as dive compares: both sides are floats
        return float(value) < float(limit) if kind.lowest else float(value) > float(limit)
    return value > limit


def _skipped(rule: Rule, why: str) -> Verdict:
    return Verdict(rule=rule, status=Status.SKIP, value=None, why=why, places=())
