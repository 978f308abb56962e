"""``layerlens dockerfile``: an image's Dockerfile, as far as its history tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import IMAGE_HELP, add_image_options, opened_image

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output

_DESCRIPTION = """\
Read an image's history back to a Dockerfile, in whichever builder's dialect it
is written. What the history does not tell (what a classic COPY copied, the
stages of a build, mounts) is marked in comments that begin with 'lost:'. What
no Dockerfile instruction makes stands as an ADD of its layer. What looks like
a secret is shown as ***: stderr says that it is."""

_EPILOG = """\
Variables, labels and the like that the config has and no instruction tells, or
that it has otherwise, are set right below FROM, or at the end.

examples:
  layerlens dockerfile image.tar
  layerlens dockerfile python:3.12-slim -o Dockerfile
  layerlens dockerfile image.tar | grep lost:    what cannot be known
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``dockerfile``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", help=IMAGE_HELP)
    parser.add_argument("--json", action="store_true", help="a JSON document with the text in it")
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Read one image's Dockerfile back."""
    from layerlens.dockerfile.parser import parse_dockerfile
    from layerlens.dockerfile.read_back import lost_parts, read_back
    from layerlens.oci.base_annotations import base_digest, base_name
    from layerlens.opening import Access
    from layerlens.report.safe_text import escape
    from layerlens.report.suggest_secrets import text_without_secrets

    with opened_image(arguments.image, arguments, output, Access.LISTING) as image:
        title = image.title
        text = read_back(
            image.config,
            [layer.title.size for layer in image.layers],
            title=title.image,
            base=base_name(image.annotations) or base_digest(image.annotations),
        )
    whole, text = text, text_without_secrets(parse_dockerfile(text.encode(), title.image))
    if text != whole:
        output.note("what looks like a secret is shown as ***; layerlens inspect --json has it")
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.read_back_document import READ_BACK_SCHEMA_VERSION, read_back_document

        document = read_back_document(title, text, lost_parts(text))
        write_json(output.write, document, schema_version=READ_BACK_SCHEMA_VERSION)
        return ExitCode.DONE
    on_terminal = output.width is not None
    for line in text.removesuffix("\n").split("\n"):
        shown = escape(line) if on_terminal and not line.isprintable() else line
        output.write(f"{shown}\n")
    return ExitCode.DONE
