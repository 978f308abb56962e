"""The arguments by which the parts of ``audit`` find their catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerlens.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, _ArgumentGroup
    from collections.abc import Sequence


def add_catalogue_options(parser: ArgumentParser) -> None:
    """Declare ``--registry`` and ``--db``."""
    group = parser.add_argument_group("which catalogue")
    group.add_argument(
        "--registry",
        metavar="HOST",
        help="the registry that is meant; not needed where only one was crawled",
    )
    add_db_option(group)


def add_registry_argument(parser: ArgumentParser) -> None:
    """Declare ``REGISTRY``, which may be left out, and ``--db``."""
    parser.add_argument(
        "registry",
        metavar="REGISTRY",
        nargs="?",
        help="its host; not needed where only one was crawled",
    )
    add_db_option(parser)


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


def registry_of(references: Sequence[str], db: str | None) -> str | None:
    """The registry that references begin with, if it is in the catalogue that is named, or else a
    catalogue of it stands where it is by default; None where they name none.

    UsageError for references that name several; raises as `catalogue_path`, and as
    ``registries_in`` for a catalogue that is named.
    """
    from layerlens.audit.holdings import registries_in
    from layerlens.audit.location import default_path
    from layerlens.oci.reference import parse_reference

    hosts = {parse_reference(each.removeprefix("docker://")).registry for each in references}
    if db is None:
        known = [host for host in sorted(hosts) if default_path(host).exists()]
    else:
        known = sorted(hosts & registries_in(catalogue_path(db, None)))
    if len(known) > 1:
        raise UsageError(f"these are of several registries: {', '.join(known)}")
    return known[0] if known else None
