"""``layerlens report``: what a reviewer wants to know of an image, for a pull request or a page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import IMAGE_HELP, add_image_options
from layerlens.cli.rule_settings import add_rule_options, chosen_rules
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output

_DESCRIPTION = """\
Report on IMAGE, and on what changed since BASELINE: sizes before and after, by
layer and by top-level directory, what grew most, new dead bytes, what a pull
costs, and the verdicts on rules where any are set (see layerlens check)."""

_EPILOG = """\
--markdown writes under 60,000 characters whatever the image, so that it fits a
comment on a pull request; --html FILE writes one page that loads nothing from
elsewhere. A rule that fails does not change the exit status: that is what
layerlens check is for.

examples:
  layerlens report new.tar old.tar --markdown -o report.md
  layerlens report new.tar old.tar --html report.html
  layerlens report new.tar old.tar --markdown >> "$GITHUB_STEP_SUMMARY"
  layerlens report image.tar --html image.html
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``report``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument(
        "baseline", metavar="BASELINE", nargs="?", help="the image before the change"
    )
    form = parser.add_argument_group("how to show it")
    exclusive = form.add_mutually_exclusive_group()
    exclusive.add_argument("--markdown", action="store_true", help="Markdown, to stdout")
    exclusive.add_argument("--json", action="store_true", help="a JSON document with all details")
    form.add_argument("--html", metavar="FILE", help="a page that needs nothing else, to FILE")
    add_rule_options(parser)
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Read the images, and report."""
    if not (arguments.markdown or arguments.json or arguments.html is not None):
        raise UsageError("report: say in which form: --markdown, --json or --html FILE")
    if arguments.output is not None and not (arguments.markdown or arguments.json):
        raise UsageError("report: -o takes what --markdown or --json writes; --html has its own")
    from layerlens.cli.side_file import check_distinct

    check_distinct({"-o": arguments.output, "--html": arguments.html})
    from layerlens.analysis.image_report import image_report
    from layerlens.analysis.rules_image import Subject
    from layerlens.analysis.rules_measures import judge_rules
    from layerlens.cli.checked_subject import opened_for_report

    chosen = chosen_rules(arguments)
    with contextlib.ExitStack() as stack:
        html = None
        if arguments.html is not None:
            from layerlens.cli.side_file import side_file

            html = stack.enter_context(side_file(arguments.html, "--html"))
        for warning in chosen.settings.warnings:
            output.warn(warning)
        image, baseline, base = stack.enter_context(
            opened_for_report(arguments, chosen.settings, output)
        )
        judgement = None
        if chosen.set_by_hand:
            subject = Subject(
                image=image.checked,
                waste=image.waste,
                findings=image.findings,
                unsure=image.unsure,
                baseline=baseline.checked if baseline else None,
                base=base,
            )
            judgement = judge_rules(chosen.settings.rules, subject)
        report = image_report(image, baseline, judgement)
        if arguments.markdown:
            from layerlens.report.report_markdown import report_markdown

            output.write(report_markdown(report))
        if arguments.json:
            from layerlens.report.as_json import write_json
            from layerlens.report.report_document import REPORT_SCHEMA_VERSION, report_document

            document = report_document(report)
            write_json(output.write, document, schema_version=REPORT_SCHEMA_VERSION)
        if html is not None:
            from layerlens.report.report_html import report_html

            for piece in report_html(report):
                html.write(piece)
    return ExitCode.DONE
