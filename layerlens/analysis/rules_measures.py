"""Which kind of rule is measured how; what is measured stands in the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from layerlens.analysis import rules_files, rules_sizes, rules_waste
from layerlens.analysis.rules import (
    ALLOWED_SETUID,
    FORBIDDEN_FILES,
    FORBIDDEN_FINDINGS,
    HIGHEST_USER_WASTED_PERCENT,
    HIGHEST_WASTED_BYTES,
    LOWEST_EFFICIENCY,
    MAX_COMPRESSED_SIZE,
    MAX_DEAD_BYTES,
    MAX_GROWTH,
    MAX_GROWTH_PERCENT,
    MAX_IMAGE_SIZE,
    MAX_LAYER_SIZE,
    MAX_PULL_COST,
    MAX_USER_SIZE,
    MIN_LIVE_SHARE,
    Found,
    Judgement,
    Rule,
    RuleKind,
    Unmeasured,
    judge,
)
from layerlens.analysis.rules_image import Subject

MEASURES: Mapping[RuleKind, Callable[[Rule, Subject], Found]] = {
    MAX_IMAGE_SIZE: rules_sizes.image_size,
    MAX_COMPRESSED_SIZE: rules_sizes.compressed_size,
    MAX_LAYER_SIZE: rules_sizes.layer_size,
    MAX_USER_SIZE: rules_sizes.user_size,
    MAX_DEAD_BYTES: rules_waste.dead_bytes,
    MIN_LIVE_SHARE: rules_waste.live_share,
    MAX_GROWTH: rules_sizes.growth,
    MAX_GROWTH_PERCENT: rules_sizes.growth_percent,
    MAX_PULL_COST: rules_sizes.pull_cost,
    FORBIDDEN_FILES: rules_files.forbidden_files,
    ALLOWED_SETUID: rules_files.allowed_setuid,
    FORBIDDEN_FINDINGS: rules_waste.findings,
    LOWEST_EFFICIENCY: rules_waste.efficiency,
    HIGHEST_WASTED_BYTES: rules_waste.wasted_bytes,
    HIGHEST_USER_WASTED_PERCENT: rules_waste.user_wasted_percent,
}
"""How each kind of rule is measured; of a rule that is switched off nothing is."""


def judge_rules(rules: Iterable[Rule], subject: Subject) -> Judgement:
    """The verdict on each rule, in their order."""
    verdicts = []
    for rule in rules:
        found = Unmeasured(why="") if rule.limit is None else MEASURES[rule.kind](rule, subject)
        verdicts.append(judge(rule, found))
    return Judgement(verdicts=tuple(verdicts))
