"""``layerlens audit browse``: look through a registry's catalogue in the terminal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from layerlens.cli.exit_code import ExitCode
from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from layerlens.cli.output import Output

_DESCRIPTION = """\
Look through what 'layerlens audit' found in a registry: which repositories
hold which layers, and the bytes of them, by blob digest, DiffID or ChainID.
Enter on a layer shows who holds it, on a repository its layers alone. All of
it can be had from 'layerlens audit report' and 'audit holders' too."""

_EPILOG = """\
examples:
  layerlens audit browse
  layerlens audit browse registry.example.com
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``audit browse``."""
    from layerlens.cli.audit_catalogue import add_registry_argument

    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    add_registry_argument(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Open the catalogue, and stay until it is left."""
    from layerlens.audit.holdings import open_holdings
    from layerlens.audit.repository_layers import repository_layers
    from layerlens.cli.audit_catalogue import catalogue_path
    from layerlens.cli.terminal import terminal_for

    if arguments.output is not None:
        raise UsageError("audit browse shows the terminal's screen: there is nothing for --output")
    path = catalogue_path(arguments.db, arguments.registry)
    with open_holdings(path, arguments.registry) as holdings:
        registry, repositories = holdings.registry, repository_layers(holdings)
    with terminal_for((), threading.Event()):
        from layerlens.tui.catalogue_app import CatalogueApp
        from layerlens.tui.settings import read_settings, settings_file

        app = CatalogueApp(registry, repositories, read_settings(settings_file()))
        app.run()
    if app.return_code:
        raise SystemExit(app.return_code)
    return ExitCode.DONE
