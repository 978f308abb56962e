"""The arguments by which the parts of ``audit`` find their catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, _ArgumentGroup


def add_catalogue_options(parser: ArgumentParser) -> None:
    """Declare ``--registry`` and ``--db``."""
    group = parser.add_argument_group("which catalogue")
    group.add_argument(
        "--registry",
        metavar="HOST",
        help="the registry that is meant; not needed where only one was crawled",
    )
    add_db_option(group)


def add_db_option(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Declare ``--db``."""
    parser.add_argument(
        "--db", metavar="FILE", help="the catalogue, if the crawl kept it elsewhere"
    )


def catalogue_path(db: str | None, registry: str | None) -> Path:
    """Where the catalogue is; raises as `layerlens.audit.location` and for a host that is none."""
    from layerlens.audit.location import check_host, default_path, only_path

    if registry is not None:
        check_host(registry)
    if db is not None:
        if not db:
            raise UsageError("--db: the name of the file is empty")
        return Path(db)
    return only_path() if registry is None else default_path(registry)
