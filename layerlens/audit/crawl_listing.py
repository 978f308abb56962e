"""Which repositories a crawl is to look at: those named, and those that a registry lists."""

from __future__ import annotations

from collections.abc import Iterable

from layerlens.audit.crawl_desk import Desk
from layerlens.audit.crawl_targets import CrawlRequest, WholeRegistry
from layerlens.errors import LayerlensError, MalformedInput
from layerlens.oci.quoting import quoted
from layerlens.oci.reference import is_repository
from layerlens.source.registry.clients import client_for

_WRITTEN_AT_A_TIME = 1000


def queue_targets(request: CrawlRequest, desk: Desk) -> None:
    """Write what the run is to look at; a registry is listed once in a run.

    Raises what a registry's refusal to list its repositories is (NotFound, AccessDenied,
    RegistryError) where nothing else is asked for; else it is a failure like others.
    """
    named: dict[str, list[str]] = {}
    listed = set((desk.run.state or "").split())
    for target in request.targets:
        if not isinstance(target, WholeRegistry):
            named.setdefault(target.registry, []).append(target.repository)
        elif target.registry not in listed:
            trouble = _list_registry(target.registry, listed, desk)
            if trouble is None:
                continue
            if len(request.targets) == 1 and desk.catalogue.counts(desk.run).repositories == 0:
                raise trouble
            _fail(trouble, target.registry, desk)
    for registry, names in named.items():
        desk.catalogue.queue_repositories(desk.run, registry, names)


def _list_registry(registry: str, listed: set[str], desk: Desk) -> LayerlensError | None:
    """Write the repositories that a registry names, and add it to those listed whole; what kept
    it from that, if anything did: of what it has not named nothing is known then."""
    client = client_for(registry, desk.options)
    unwritten: list[str] = []
    trouble = None
    pages = client.catalog()
    while True:
        try:
            name = next(pages, None)
        except LayerlensError as error:
            trouble = error
            break
        if name is None:
            break
        unwritten.append(name)
        if len(unwritten) >= _WRITTEN_AT_A_TIME:
            _queue(unwritten, registry, desk)
            unwritten.clear()
    with desk.catalogue.transaction():
        _queue(unwritten, registry, desk)
        if trouble is None:
            desk.catalogue.remove_unqueued(desk.run, registry, now=desk.now())
            listed.add(registry)
            desk.catalogue.save_state(desk.run, " ".join(sorted(listed)))
    if trouble is None:
        desk.heard(registry, client.rate_limit)
    return trouble


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
