"""``layerlens browse``, and ``layerlens IMAGE``: the terminal UI."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import (
    IMAGE_HELP,
    add_image_options,
    is_stdin,
    load_settings_of,
)
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output
    from layerlens.dockerfile.suggestions import Advice
    from layerlens.image import Image

_DESCRIPTION = """\
Look around in images in a terminal: what each layer added, changed and
removed, the files that a container sees, who wrote them. 'layerlens IMAGE'
is short for it. Press ? for the keys: arrows, vim's and dive's."""

_EPILOG = """\
Keys and the theme are set in $XDG_CONFIG_HOME/layerlens/config.toml (by
default ~/.config/layerlens/config.toml):

  theme = "nord"
  [keys]
  tree.fold-all = "z"

examples:
  layerlens image.tar
  layerlens browse python:3.12-slim --platform linux/arm64
  layerlens browse old.tar new.tar
  layerlens browse app.tar -f Dockerfile
  docker save web:1.0 | layerlens browse -
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``browse``."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("image", metavar="IMAGE", nargs="+", help=IMAGE_HELP)
    build = parser.add_argument_group("what Suggest is about")
    build.add_argument(
        "-f", "--file", metavar="FILE", help="the Dockerfile; by default the image's history"
    )
    build.add_argument(
        "--context",
        metavar="DIRECTORY",
        help="the build context; by default the directory that the Dockerfile is in",
    )
    add_image_options(parser)


def _advice(image: Image, dockerfile: str | None, context: str | None) -> Advice:
    """What to do better in a Dockerfile; ``context`` is of the one that is named."""
    from layerlens.advising import AdviceRequest, advise_on

    wanted = context if dockerfile is not None else None
    return advise_on(AdviceRequest(dockerfile=dockerfile, context=wanted), image).advice


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Open the UI, and stay until it is left."""
    from layerlens.cli.failure import describe
    from layerlens.cli.terminal import terminal_for
    from layerlens.source.image_name import parse_image_name

    if arguments.output is not None:
        raise UsageError("browse shows images on the terminal: there is nothing for --output")
    for name in arguments.image:
        parse_image_name(name)  # a name that leads nowhere is told before the screen is taken
    load_settings = load_settings_of(arguments)
    stop = threading.Event()
    with terminal_for(arguments.image, stop) as names:
        from layerlens.tui.app import LayerlensApp, Opening
        from layerlens.tui.settings import read_settings, settings_file
        from layerlens.tui.state.open_image import OpenImage

        images = [
            OpenImage(
                name=name,
                shown_name="standard input" if is_stdin(given) else name,
                platform=arguments.platform,
                comes_once=is_stdin(given),
                cancelled=stop if is_stdin(given) else threading.Event(),
            )
            for given, name in zip(arguments.image, names, strict=True)
        ]
        opening = Opening(
            load_settings=load_settings,
            describe=describe,
            advise=partial(_advice, context=arguments.context),
            dockerfile=arguments.file,
        )
        app = LayerlensApp(images, opening, read_settings(settings_file()))
        try:
            app.run()
        finally:
            app.close_images()
    if app.return_code:
        raise SystemExit(app.return_code)
    return ExitCode.DONE
