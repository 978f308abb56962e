"""The image that is checked or reported on, with what it is compared to, read as far as needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerlens.analysis.rules import Judgement, Needs, Rule
from layerlens.analysis.rules_image import BaseLayers, CheckedImage
from layerlens.analysis.rules_measures import Subject, judge_rules
from layerlens.analysis.waste import Waste, measure_waste
from layerlens.cli.checked_image import (
    checked_image,
    for_platform_of,
    found_base,
    image_by_its_documents,
    opened_to_check,
)
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from layerlens.analysis.rules_settings import RuleSettings
    from layerlens.cli.output import Output

_NO_BASE = BaseLayers(name=None, count=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPair:
    """``baseline`` has no layers where rules need none of its files."""

    image: CheckedImage
    waste: Waste
    baseline: CheckedImage | None
    base: BaseLayers

    @classmethod
    @contextlib.contextmanager
    def opened(
        cls, arguments: Namespace, settings: RuleSettings, output: Output
    ) -> Iterator[CheckedPair]:
        """The images that the arguments name, and those that *settings* name in their place.

        Raises LayerlensError, and OSError where a file can't be read.
        """
        baseline_name: str | None = arguments.baseline or settings.baseline
        if arguments.image == baseline_name == "-":
            raise UsageError("stdin can be read once: IMAGE and the baseline can't both be -")
        with opened_to_check(arguments.image, arguments, output) as image:
            same_platform = for_platform_of(image, arguments)
            base = _NO_BASE
            if _need(settings.rules, Needs.BASE):
                base = found_base(image, settings.base, same_platform)
            with contextlib.ExitStack() as stack:
                baseline = None
                if baseline_name is not None and _need(settings.rules, Needs.BASELINE):
                    if any(rule.kind.paths for rule in _needing(settings.rules, Needs.BASELINE)):
                        opened = opened_to_check(baseline_name, same_platform, output)
                        baseline = checked_image(stack.enter_context(opened))
                    else:
                        baseline = image_by_its_documents(baseline_name, same_platform, output)
                checked = checked_image(image)
                yield cls(
                    image=checked,
                    waste=measure_waste(checked.layers),
                    baseline=baseline,
                    base=base,
                )

    def judgement(self, settings: RuleSettings) -> Judgement:
        """The verdicts on the rules that are set."""
        subject = Subject(
            image=self.image, waste=self.waste, baseline=self.baseline, base=self.base
        )
        return judge_rules(settings.rules, subject)


def _needing(rules: tuple[Rule, ...], needs: Needs) -> list[Rule]:
    return [rule for rule in rules if rule.kind.needs is needs and rule.limit is not None]


def _need(rules: tuple[Rule, ...], needs: Needs) -> bool:
    return bool(_needing(rules, needs))
