"""Which repositories a crawl is to look at: those named, and those that a registry lists."""

from __future__ import annotations

from collections.abc import Iterable

from layerlens.audit.crawl_desk import Desk
from layerlens.audit.crawl_targets import CrawlRequest, WholeRegistry
from layerlens.errors import LayerlensError, MalformedInput, RegistryError
from layerlens.oci.quoting import quoted
from layerlens.oci.reference import is_repository
from layerlens.source.registry.clients import client_for

_WRITTEN_AT_A_TIME = 1000


def queue_targets(request: CrawlRequest, desk: Desk) -> None:
    """Write what the run is to look at; a registry is listed once in a run.

    Raises what a registry's refusal to list its repositories is: NotFound, AccessDenied,
    RegistryError.
    """
    named: dict[str, list[str]] = {}
    for target in request.targets:
        if isinstance(target, WholeRegistry):
            _list_registry(target.registry, desk)
        else:
            named.setdefault(target.registry, []).append(target.repository)
    for registry, names in named.items():
        desk.catalogue.queue_repositories(desk.run, registry, names)


def _list_registry(registry: str, desk: Desk) -> None:
    run, catalogue = desk.run, desk.catalogue
    listed = set((run.state or "").split())
    if registry in listed:
        return
    client = client_for(registry, desk.options)
    names: list[str] = []
    count = 0
    try:
        for name in client.catalog():
            names.append(name)
            count += 1
            if len(names) >= _WRITTEN_AT_A_TIME:
                _queue(names, registry, desk)
                names.clear()
                desk.progress.remark(f"{count} repositories listed")
    except RegistryError as error:
        if not count:
            raise
        # What it has named is there; of what it has not named nothing is known.
        _queue(names, registry, desk)
        _fail(error, registry, desk)
        return
    with catalogue.transaction():
        _queue(names, registry, desk)
        catalogue.remove_unqueued(run, registry, now=desk.now())
        listed.add(registry)
        catalogue.save_state(run, " ".join(sorted(listed)))
    desk.heard(registry, client.rate_limit)


def _queue(names: Iterable[str], registry: str, desk: Desk) -> None:
    good = []
    for name in names:
        if is_repository(name):
            good.append(name)
        else:
            error = MalformedInput(f"{registry}: lists {quoted(name)}, which is no repository")
            _fail(error, registry, desk)
    desk.catalogue.queue_repositories(desk.run, registry, good)


def _fail(error: LayerlensError, registry: str, desk: Desk) -> None:
    desk.catalogue.record_failure(desk.run, registry, reason=str(error), now=desk.now())
