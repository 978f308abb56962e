"""``layerlens suggest``: a better order for a Dockerfile, on what evidence, and what it saves."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import IMAGE_HELP, add_image_options, opened_image
from layerlens.cli.numbers import whole_number
from layerlens.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from layerlens.advising import AdvisedDockerfile
    from layerlens.cli.output import Output

_TIERS = ("A", "B", "C")

_DESCRIPTION = """\
Suggest the order of a Dockerfile's instructions that rebuilds, pushes and pulls
the fewest bytes, and say why it builds the same. IMAGE is what the Dockerfile
built: its layers tell what each instruction wrote. The context's git history
tells what changes, and together with what; without one, tags given with --older
do, and else assumed shares, which the output states."""

_EPILOG = """\
Each suggestion has a tier:
  A  proved by what the instructions and their layers are
  B  by what a tool is documented to read (pip install -r, npm ci, apt-get ...)
  C  an idea that only a rebuild can tell; shown, and never written

An order is fitted to the oldest 70 % of the changes, and the figures are those
of the newest 30 %. Sizes are compressed bytes, marked ~ where estimated. A
stage that is not in IMAGE is counted in steps. Without IMAGE, all are; without
-f, the Dockerfile is read back from the image's history.

Beside the order it tells what the Dockerfile's layers hold that need not be
there, and which secrets and files of git its COPYs take. These are for you to
mend: no patch has them, and --check does not fail for them (layerlens check
does).

What looks like a secret in an instruction is shown as ***, and a JSON document
has null for a new Dockerfile that would hold one. A patch has to repeat lines
as they are: where one of them holds a secret, stderr says so.

examples:
  layerlens suggest app.tar -f Dockerfile
  layerlens suggest app.tar -f Dockerfile --explain 1
  layerlens suggest app.tar -f Dockerfile --patch | patch -p1
  layerlens suggest -f docker/app.Dockerfile --context . --since '6 months ago'
  layerlens suggest app.tar -f Dockerfile --check     exit 1 if one stands
  layerlens suggest app.tar                           no Dockerfile at hand
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``suggest``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", nargs="?", help=IMAGE_HELP)
    build = parser.add_argument_group("what is built")
    build.add_argument("-f", "--file", metavar="FILE", help="the Dockerfile")
    build.add_argument(
        "--context",
        metavar="DIRECTORY",
        help="the build context; by default the directory that the Dockerfile is in",
    )
    build.add_argument("--target", metavar="STAGE", help="the stage that is built, if not the last")
    build.add_argument(
        "--build-arg",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a build argument that IMAGE was built with; repeatable",
    )
    changes = parser.add_argument_group("what changes")
    changes.add_argument(
        "--commits", metavar="N", type=whole_number, help="the last N commits; by default 500"
    )
    changes.add_argument(
        "--since", metavar="DATE", help="the commits since then, in git's words for a date"
    )
    changes.add_argument(
        "--older",
        metavar="IMAGE",
        action="append",
        default=[],
        help="an older tag of IMAGE, to see what changes where git does not tell; repeatable, "
        "oldest first",
    )
    _add_forms(parser)
    add_image_options(parser)


def _add_forms(parser: ArgumentParser) -> None:
    form = parser.add_argument_group("what to do, and how to show it")
    form.add_argument(
        "--tier",
        choices=_TIERS,
        default="B",
        help="the weakest evidence to suggest on: A, B (the default) or C",
    )
    exclusive = form.add_mutually_exclusive_group()
    exclusive.add_argument("--patch", action="store_true", help="only a diff, for patch -p1")
    exclusive.add_argument(
        "--write", action="store_true", help="change the Dockerfile itself: tiers A and B only"
    )
    exclusive.add_argument("--json", action="store_true", help="a JSON document with all details")
    exclusive.add_argument("--markdown", action="store_true", help="Markdown, for a pull request")
    exclusive.add_argument(
        "--explain", metavar="N", type=whole_number, help="all that is known of suggestion N"
    )
    form.add_argument(
        "--check", action="store_true", help="exit 1 when a suggestion of tier A or B stands"
    )
    form.add_argument("--bytes", action="store_true", help="sizes as exact numbers of bytes")


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Suggest, and show it in one form or write it to the Dockerfile."""
    _check(arguments)
    from layerlens.dockerfile.stage_graph import Tier

    advised = _advised(arguments, output)
    advice = advised.advice
    if arguments.write:
        _write_dockerfile(advised, output)
    elif arguments.patch:
        patch = _patch(advised)
        output.write_raw(patch)
        _warn_of_secrets(advised, patch, output)
    elif arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.suggest_document import SUGGEST_SCHEMA_VERSION, suggest_document

        document = suggest_document(
            advice,
            advised.findings,
            image=arguments.image,
            reconstructed=advised.reconstructed,
        )
        write_json(output.write, document, schema_version=SUGGEST_SCHEMA_VERSION)
        if document.after is None:
            output.note("'after' is null: it would hold what looks like a secret; --patch has it")
    else:
        for line in _lines(advised, arguments, output):
            output.write(line)
    stands = any(each.tier is not Tier.IDEA for each in advice.suggestions)
    return ExitCode.DIFFERENT if arguments.check and stands else ExitCode.DONE


def _check(arguments: Namespace) -> None:
    """Raise UsageError for arguments that don't go together."""
    if arguments.image is None and arguments.file is None:
        raise UsageError("suggest: name an image, a Dockerfile with -f, or best both")
    if arguments.file == "":
        raise UsageError("--file: the name of the file is empty")
    if arguments.commits is not None and arguments.commits < 1:
        raise UsageError("--commits: the number must be 1 or more")
    if arguments.older and arguments.image is None:
        raise UsageError("--older: name the newest image as well")
    if arguments.older and (arguments.commits is not None or arguments.since is not None):
        raise UsageError("--older takes the place of git: leave out --commits and --since")
    if arguments.write:
        _check_writing(arguments)
    if arguments.context is not None and arguments.file is None:
        raise UsageError("--context: name the Dockerfile with -f as well")
    for pair in arguments.build_arg:
        if "=" not in pair or pair.startswith("="):
            raise UsageError(f"--build-arg {pair}: write NAME=VALUE")


def _check_writing(arguments: Namespace) -> None:
    if arguments.file is None:
        raise UsageError("--write: name the Dockerfile with -f")
    if arguments.tier == "C":
        raise UsageError("--write takes tiers A and B only: an idea of tier C may break the build")
    if arguments.output is not None:
        raise UsageError("--write changes the Dockerfile itself: leave out -o, or use --patch")


def _advised(arguments: Namespace, output: Output) -> AdvisedDockerfile:
    from layerlens.advising import AdviceRequest, advise_on
    from layerlens.dockerfile.stage_graph import Tier
    from layerlens.opening import Access

    request = AdviceRequest(
        dockerfile=arguments.file,
        context=arguments.context,
        target=arguments.target,
        build_arguments=dict(pair.split("=", 1) for pair in arguments.build_arg),
        commits=arguments.commits,
        since=arguments.since,
        tier=Tier(arguments.tier),
    )
    with contextlib.ExitStack() as stack:
        images = [
            stack.enter_context(opened_image(name, arguments, output, Access.LISTING))
            for name in (*arguments.older, arguments.image)
            if name is not None
        ]
        return advise_on(request, images[-1] if images else None, images[:-1])


def _patch(advised: AdvisedDockerfile) -> str:
    from layerlens.dockerfile.patch import patch_text, path_in_patch

    advice = advised.advice
    return patch_text(
        path_in_patch(advised.path),
        advice.dockerfile.text,
        advice.outcome(advice.numbers).text,
    )


def _warn_of_secrets(advised: AdvisedDockerfile, patch: str, output: Output) -> None:
    from layerlens.report.suggest_secrets import patch_warning

    if warning := patch_warning(advised.advice.dockerfile, patch):
        output.warn(warning)


def _write_dockerfile(advised: AdvisedDockerfile, output: Output) -> None:
    """Replace the Dockerfile, whole or not at all, if it is still the one that was read."""
    from layerlens.cli.atomic_file import AtomicFile
    from layerlens.report.sizes import human_size
    from layerlens.report.suggest_words import headline

    advice = advised.advice
    said = headline(advice, advice.comparison(advice.numbers), human_size)
    text = advice.outcome(advice.numbers).text
    if text == advice.dockerfile.text:
        output.note(f"{advised.path} is left as it is: {said}")
        return
    with open(advised.path, "rb") as file:
        if file.read() != advice.dockerfile.to_bytes():
            raise UsageError(f"{advised.path}: was changed meanwhile; it is left as it is")
    written = AtomicFile(advised.path)
    try:
        written.stream.write(text.encode("utf-8", "surrogateescape"))
    except BaseException:
        written.discard()
        raise
    written.commit()
    output.note(f"wrote {advised.path}: {said}")


def _lines(advised: AdvisedDockerfile, arguments: Namespace, output: Output) -> Iterator[str]:
    from layerlens.report.sizes import exact_size, human_size
    from layerlens.report.suggest_markdown import advice_markdown
    from layerlens.report.suggest_text import SuggestStyle, advice_lines, explained_lines

    format_size = exact_size if arguments.bytes else human_size
    advice = advised.advice
    if arguments.markdown:
        title = advised.path if arguments.image is None else f"{arguments.image} {advised.path}"
        return advice_markdown(advice, advised.findings, _patch(advised), title, format_size)
    style = SuggestStyle(format_size=format_size, palette=output.palette, width=output.width)
    if arguments.explain is None:
        return advice_lines(advice, advised.findings, style)
    known = [each.number for each in (*advice.suggestions, *advice.ideas)]
    if arguments.explain not in known:
        there = ", ".join(map(str, known)) if known else "there is none"
        raise NotFound(f"--explain {arguments.explain}: no such suggestion; {there}")
    return explained_lines(advice, arguments.explain, style)
