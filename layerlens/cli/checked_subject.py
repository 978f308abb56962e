"""The image that is checked or reported on, with what it is compared to, read as far as needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from layerlens.analysis.findings import Finding
from layerlens.analysis.findings_secrets import Candidate
from layerlens.analysis.image_report import ReportedImage
from layerlens.analysis.rules import FORBIDDEN_FINDINGS, MAX_DEAD_BYTES, MIN_LIVE_SHARE, Needs, Rule
from layerlens.analysis.rules_image import BaseLayers, CheckedImage, Subject
from layerlens.analysis.waste import measure_waste
from layerlens.cli.checked_image import (
    checked_image,
    for_platform_of,
    found_base,
    image_by_its_documents,
    opened_to_check,
    surveyed,
)
from layerlens.cli.image_options import is_stdin
from layerlens.errors import UsageError
from layerlens.image import Image

if TYPE_CHECKING:
    from argparse import Namespace

    from layerlens.analysis.rules_settings import RuleSettings
    from layerlens.cli.output import Output

_NO_BASE = BaseLayers(name=None, count=None)
_NO_WASTE = measure_waste(())


@contextlib.contextmanager
def opened_subject(
    arguments: Namespace, settings: RuleSettings, output: Output
) -> Iterator[Subject]:
    """What ``check`` looks at: the baseline is opened where a rule is measured against it, and its
    layers are read where that rule is about files; those of the image where any rule is.

    Images are those that the arguments name, or else those that *settings* name. Raises
    LayerlensError, and OSError where a file can't be read.
    """
    name = baseline_name(arguments, settings)
    stored = _by_its_documents(arguments, settings, output)
    if stored is not None:
        compared_with = None
        if name is not None and _needing(settings.rules, Needs.BASELINE):
            same_platform = for_platform_of(stored.title, arguments)
            compared_with = image_by_its_documents(name, same_platform, output.note)
        yield Subject(
            image=stored,
            waste=_NO_WASTE,
            findings=(),
            unsure=(),
            baseline=compared_with,
            base=_NO_BASE,
        )
        return
    with opened_to_check(arguments.image, arguments, output) as image:
        same_platform = for_platform_of(image.title, arguments)
        base = base_of(image, settings, same_platform)
        with contextlib.ExitStack() as stack:
            baseline = None
            compared = _needing(settings.rules, Needs.BASELINE)
            if name is not None and any(rule.kind.paths for rule in compared):
                opened = opened_to_check(name, same_platform, output)
                baseline = checked_image(stack.enter_context(opened))
            elif name is not None and compared:
                baseline = image_by_its_documents(name, same_platform, output.note)
            checked = checked_image(image)
            findings: tuple[Finding, ...] = ()
            unsure: tuple[Candidate, ...] = ()
            waste = _NO_WASTE
            kinds = {rule.kind for rule in settings.rules if rule.limit is not None}
            if FORBIDDEN_FINDINGS in kinds:
                survey = surveyed(image, arguments, output)
                findings, unsure, waste = survey.findings, survey.not_looked_into, survey.waste
            elif kinds & {MAX_DEAD_BYTES, MIN_LIVE_SHARE}:
                waste = measure_waste(checked.layers)
            yield Subject(
                image=checked,
                waste=waste,
                findings=findings,
                unsure=unsure,
                baseline=baseline,
                base=base,
            )


def _by_its_documents(
    arguments: Namespace, settings: RuleSettings, output: Output
) -> CheckedImage | None:
    """The image without reading a layer, where that is enough: every rule is about compressed
    bytes, and its documents name those of every layer."""
    rules = [rule for rule in settings.rules if rule.limit is not None]
    if not rules or any(rule.kind.paths for rule in rules) or is_stdin(arguments.image):
        return None
    notes: list[str] = []
    image = image_by_its_documents(arguments.image, arguments, notes.append)
    if any(layer.stored_size is None for layer in image.identities.layers):
        return None
    for note in notes:
        output.note(note)
    return image


@contextlib.contextmanager
def opened_for_report(
    arguments: Namespace, settings: RuleSettings, output: Output
) -> Iterator[tuple[ReportedImage, ReportedImage | None, BaseLayers]]:
    """What ``report`` looks at: both images whole, whatever the rules.

    Raises as `opened_subject` does.
    """
    name = baseline_name(arguments, settings)
    with opened_to_check(arguments.image, arguments, output) as image:
        same_platform = for_platform_of(image.title, arguments)
        base = base_of(image, settings, same_platform)
        with contextlib.ExitStack() as stack:
            baseline = None
            if name is not None:
                opened = opened_to_check(name, same_platform, output)
                baseline = _reported(stack.enter_context(opened), arguments, output)
            yield _reported(image, arguments, output), baseline, base


def _reported(image: Image, arguments: Namespace, output: Output) -> ReportedImage:
    survey = surveyed(image, arguments, output)
    return ReportedImage(
        checked=checked_image(image),
        compared=image.compared(),
        waste=survey.waste,
        findings=survey.findings,
        unsure=survey.not_looked_into,
    )


def baseline_name(arguments: Namespace, settings: RuleSettings) -> str | None:
    """The image to compare with, if any. Raises UsageError where stdin would be read twice."""
    name: str | None = arguments.baseline or settings.baseline
    if name is not None and is_stdin(name) and is_stdin(arguments.image):
        raise UsageError("stdin can be read once: IMAGE and the baseline can't both be -")
    return name


def base_of(image: Image, settings: RuleSettings, arguments: Namespace) -> BaseLayers:
    """The layers of the base, looked for where a rule needs to know them."""
    if not _needing(settings.rules, Needs.BASE):
        return _NO_BASE
    return found_base(image, settings.base, arguments)


def _needing(rules: tuple[Rule, ...], needs: Needs) -> list[Rule]:
    return [rule for rule in rules if rule.kind.needs is needs and rule.limit is not None]
