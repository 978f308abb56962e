"""What a file or the command line says about rules, whichever form it came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from layerlens.analysis.findings import FindingKind, Stance
from layerlens.analysis.rules import (
    FORBIDDEN_FINDINGS,
    HIGHEST_USER_WASTED_PERCENT,
    HIGHEST_WASTED_BYTES,
    LOWEST_EFFICIENCY,
    RULE_KINDS,
    Rule,
    RuleKind,
)
from layerlens.analysis.rules_limits import unknown_name
from layerlens.errors import UsageError
from layerlens.filesystem.path_glob import compile_glob

FINDING_WORDS = tuple([kind.value for kind in FindingKind] + [stance.value for stance in Stance])
"""What ``forbidden-findings`` may list: single kinds, and all kinds that mean one thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """Rules in the order of `RULE_KINDS`. ``baseline`` and ``base``: names of images, if any.
    ``warnings``: what a person should know of how a file was read, a sentence each."""

    rules: tuple[Rule, ...] = ()
    baseline: str | None = None
    base: str | None = None
    warnings: tuple[str, ...] = ()

    def over(self, lower: RuleSettings) -> RuleSettings:
        """These settings laid over others, whose rules stay where no rule here replaces them.

        What a replaced rule excludes stays excluded unless the new one excludes paths itself.
        """
        merged = {rule.kind: rule for rule in lower.rules}
        for rule in self.rules:
            old = merged.get(rule.kind)
            kept = old.exclude if old is not None and not rule.exclude else rule.exclude
            merged[rule.kind] = replace(rule, exclude=kept)
        return RuleSettings(
            rules=in_order(tuple(merged.values())),
            baseline=lower.baseline if self.baseline is None else self.baseline,
            base=lower.base if self.base is None else self.base,
            warnings=(*lower.warnings, *self.warnings),
        )

    def excluding(self, patterns: Mapping[RuleKind, Sequence[str]]) -> RuleSettings:
        """The same with further paths excluded. Raises UsageError for a rule that is not set."""
        kinds = {rule.kind for rule in self.rules}
        for kind in patterns:
            if kind not in kinds:
                raise UsageError(f"--exclude {kind.name}=...: no such rule is set")
        return replace(
            self,
            rules=tuple(
                made_rule(
                    rule.kind,
                    rule.limit,
                    exclude=(*rule.exclude, *patterns.get(rule.kind, ())),
                    source=rule.source,
                )
                for rule in self.rules
            ),
        )


def in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules in the order of `RULE_KINDS`."""
    positions = {kind: position for position, kind in enumerate(RULE_KINDS.values())}
    return tuple(sorted(rules, key=lambda rule: positions[rule.kind]))


def made_rule(
    kind: RuleKind,
    limit: Fraction | Sequence[str] | None,
    *,
    exclude: Sequence[str] = (),
    source: str,
) -> Rule:
    """A rule that was checked to make sense: its globs can be read, its kinds of findings exist.

    Raises UsageError, which does not name the rule.
    """
    if exclude and not kind.paths:
        raise UsageError(
            f"{kind.name} can't exclude paths: compressed bytes don't belong to single paths"
        )
    for pattern in exclude:
        compile_glob(pattern)
    if limit is None or isinstance(limit, Fraction):
        return Rule(kind=kind, limit=limit, exclude=tuple(exclude), source=source)
    for item in limit:
        if kind is not FORBIDDEN_FINDINGS:
            compile_glob(item)
        elif item not in FINDING_WORDS:
            raise UsageError(unknown_name("kind of finding", item, FINDING_WORDS))
    return Rule(kind=kind, limit=tuple(limit), exclude=tuple(exclude), source=source)


def dive_defaults(source: str) -> tuple[Rule, ...]:
    """What dive checks where nothing is configured."""
    return (
        Rule(kind=LOWEST_EFFICIENCY, limit=Fraction("0.9"), source=source),
        Rule(kind=HIGHEST_WASTED_BYTES, limit=None, source=source),
        Rule(kind=HIGHEST_USER_WASTED_PERCENT, limit=Fraction("0.1"), source=source),
    )
