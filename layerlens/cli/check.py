"""``layerlens check``: hold an image to rules, and fail where one is broken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import IMAGE_HELP, add_image_options
from layerlens.cli.rule_settings import RULES_FILE, add_rule_options, chosen_rules
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.analysis.rules import Judgement
    from layerlens.analysis.rules_image import Subject
    from layerlens.cli.output import Output
    from layerlens.cli.rule_settings import ChosenRules
    from layerlens.cli.side_file import SideFile

_DESCRIPTION = f"""\
Hold IMAGE to rules and say which it passes: one line a rule, PASS, FAIL or
SKIP (with the reason), its value and its limit; then the verdict. The exit
status is 1 where a rule failed.

Rules come from {RULES_FILE} in this directory (its table [check]), else from
a .dive-ci, which is taken as it is; options replace single rules. Where nobody
sets any, dive's defaults are checked."""

_EPILOG = """\
A rule passes where the value equals the limit. Sizes are bytes of files in the
layers, uncompressed, hard links once. Growth and pull cost are measured
against --baseline, the image before the change; --max-user-size counts layers
above --base. A rule without what it is measured against is skipped.

A PATTERN without a slash matches a name anywhere ('*.pyc'), one with a slash
from the root ('/etc/*.conf', 'usr/**/bin'); what lies below a match matches
too. --allowed-setuid none allows no file at all.

examples:
  layerlens check --init                    write a layerlens.toml to start with
  layerlens check image.tar
  layerlens check image.tar --max-image-size 500MB --forbidden-files .git
  layerlens check new.tar --baseline old.tar --max-growth 10MB
  layerlens check image.tar --lowestEfficiency 0.95   as dive --ci has it
  layerlens check image.tar --github --junit check.xml --sarif check.sarif
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``check``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", nargs="?", help=IMAGE_HELP)
    add_rule_options(parser).add_argument(
        "--baseline", metavar="IMAGE", help="what growth and pull cost are measured against"
    )
    parser.add_argument(
        "--init",
        action="store_true",
        help=f"write a {RULES_FILE} with every rule explained, and check nothing",
    )
    form = parser.add_argument_group("how to show it")
    exclusive = form.add_mutually_exclusive_group()
    exclusive.add_argument("--json", action="store_true", help="a JSON document with all details")
    exclusive.add_argument("--markdown", action="store_true", help="Markdown, for a pull request")
    exclusive.add_argument(
        "--github", action="store_true", help="annotations of GitHub Actions as well"
    )
    form.add_argument(
        "--details", action="store_true", help="also every place where a rule was broken"
    )
    form.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")
    form.add_argument("--junit", metavar="FILE", help="also write JUnit XML to FILE")
    form.add_argument("--sarif", metavar="FILE", help="also write SARIF 2.1.0 to FILE")
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Check, or write the file that checking begins with."""
    if arguments.init:
        return _write_starter(arguments, output)
    if arguments.image is None:
        raise UsageError("check: name an image, or write a file of rules with --init")
    if arguments.details and (arguments.json or arguments.markdown):
        raise UsageError("--details: --json and --markdown have the places anyway")
    if arguments.github and arguments.output not in (None, "-"):
        raise UsageError("--github writes to stdout, where annotations are read: leave out -o")
    from layerlens.analysis.rules_measures import judge_rules
    from layerlens.cli.checked_subject import opened_subject
    from layerlens.cli.side_file import check_distinct

    files = {"-o": arguments.output, "--junit": arguments.junit, "--sarif": arguments.sarif}
    check_distinct(files)
    chosen = chosen_rules(arguments)
    with contextlib.ExitStack() as stack:
        # Opened before images are read: a mistake in a name is told at once.
        opened = {
            option: stack.enter_context(_side_file(path, option))
            for option, path in (("--junit", arguments.junit), ("--sarif", arguments.sarif))
            if path is not None
        }
        _say_where_rules_come_from(chosen, output)
        subject = stack.enter_context(opened_subject(arguments, chosen.settings, output))
        judgement = judge_rules(chosen.settings.rules, subject)
        _write(judgement, subject, chosen, arguments, output)
        _write_files(judgement, subject, chosen, opened)
    return ExitCode.DONE if judgement.passed else ExitCode.DIFFERENT


def _write_starter(arguments: Namespace, output: Output) -> ExitCode:
    from layerlens.report.rules_starter import starter_text

    if arguments.image is not None:
        raise UsageError("--init checks no image: leave it out")
    path: str = arguments.config or RULES_FILE
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(starter_text())
    except FileExistsError:
        raise UsageError(f"{path}: exists already, and is not overwritten") from None
    output.note(f"wrote {path}: change its limits, then run layerlens check IMAGE")
    return ExitCode.DONE


def _side_file(path: str, option: str) -> contextlib.AbstractContextManager[SideFile]:
    from layerlens.cli.side_file import side_file

    return side_file(path, option)


def _say_where_rules_come_from(chosen: ChosenRules, output: Output) -> None:
    for warning in chosen.settings.warnings:
        output.warn(warning)
    if not chosen.set_by_hand:
        output.note(
            f"no {RULES_FILE} or .dive-ci here and no rule among the options: dive's default "
            "rules are checked (--init writes a file of rules)"
        )


def _write(
    judgement: Judgement,
    subject: Subject,
    chosen: ChosenRules,
    arguments: Namespace,
    output: Output,
) -> None:
    from layerlens.report.sizes import exact_size, human_size

    format_size = exact_size if arguments.bytes else human_size
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.check_document import CHECK_SCHEMA_VERSION, check_document

        document = check_document(
            judgement,
            subject.image.title,
            baseline=subject.baseline.title if subject.baseline else None,
            base=subject.base.name,
            rules_file=chosen.file,
        )
        write_json(output.write, document, schema_version=CHECK_SCHEMA_VERSION)
    elif arguments.markdown:
        from layerlens.report.check_markdown import check_markdown

        for line in check_markdown(judgement, subject.image.title.image, format_size):
            output.write(line)
    else:
        from layerlens.report.check_table import check_lines

        lines = check_lines(
            judgement,
            format_size,
            width=output.width,
            palette=output.palette,
            details=arguments.details,
        )
        if not arguments.github:
            for line in lines:
                output.write(line)
            return
        from layerlens.report.check_github import annotation_lines, without_commands

        for line in lines:
            output.write(without_commands(line))
        for line in annotation_lines(judgement):
            output.write(line)


def _write_files(
    judgement: Judgement, subject: Subject, chosen: ChosenRules, files: dict[str, SideFile]
) -> None:
    image = subject.image.title.image
    if "--junit" in files:
        from datetime import UTC, datetime

        from layerlens.report.check_junit import junit_text

        files["--junit"].write(junit_text(judgement, image, datetime.now(UTC)))
    if "--sarif" in files:
        from layerlens import __version__
        from layerlens.report.check_sarif import sarif_text

        text = sarif_text(judgement, image, version=__version__, rules_file=chosen.file)
        files["--sarif"].write(text)
