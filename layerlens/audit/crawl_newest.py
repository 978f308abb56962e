"""The newest tags of a repository: those whose images were made last, by their configs.

A list of tags is in no order of time, so each tag is resolved; but of what it leads to only one
image is read, and nothing that the catalogue has.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.audit.crawl_desk import RegistrySilent, Visit
from layerlens.audit.crawl_manifests import is_wanted, keep, read_one
from layerlens.audit.crawl_questions import ReadManifest, TagQuestion, resolve_tag
from layerlens.audit.crawl_records import NO_PLATFORM
from layerlens.audit.crawl_schedule import Group, Job, Question, Task
from layerlens.errors import LayerlensError
from layerlens.oci.digest import Digest
from layerlens.oci.platform import Platform

_RESOLVE_TAG = Question(resolve_tag)
_DEEPEST = 8
_NEVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class _Dated:
    """A tag, what it leads to, and when that was made; ``created`` is None where it can't be
    told."""

    tag: str
    digest: Digest | None
    created: int | None


@dataclass(frozen=True, slots=True)
class Newest:
    """The tags to look at, and what was learned on the way of where they lead."""

    tags: tuple[str, ...]
    digests: dict[str, Digest]


def newest_tags(
    visit: Visit, tags: Sequence[str], count: int, platform: Platform | None
) -> Generator[Job | Group, object, Newest]:
    """The ``count`` newest; of equally new ones those whose names come last. Tags that can't be
    resolved are among them too: whoever looks at them tells why."""
    if len(tags) <= count:
        return Newest(tuple(tags), {})
    dated: list[_Dated] = []
    yield Group(_dating(visit, tags, platform, dated), len(tags))
    failed = [each.tag for each in dated if each.digest is None]
    known = [each for each in dated if each.digest is not None]
    known.sort(key=lambda each: (_NEVER if each.created is None else each.created, each.tag))
    chosen = known[-count:]
    digests = {each.tag: each.digest for each in chosen if each.digest is not None}
    return Newest((*failed, *digests), digests)


def _dating(
    visit: Visit, tags: Iterable[str], platform: Platform | None, dated: list[_Dated]
) -> Iterator[Task]:
    return (_date(visit, tag, platform, dated) for tag in tags)


def _date(visit: Visit, tag: str, platform: Platform | None, dated: list[_Dated]) -> Task:
    try:
        found = yield from visit.ask(_RESOLVE_TAG, TagQuestion(visit.place, tag))
        digest = found.digest if isinstance(found, ReadManifest) else found
        if isinstance(found, ReadManifest):
            yield from keep(visit, found, None, None)
        yield from _read_an_image(visit, digest, platform)
    except (LayerlensError, RegistrySilent):
        dated.append(_Dated(tag, None, None))
    else:
        dated.append(_Dated(tag, digest, visit.desk.catalogue.created(digest)))


def _read_an_image(
    visit: Visit, digest: Digest, platform: Platform | None
) -> Generator[Job | Group, object, None]:
    """Go down to the first image that is wanted, unless one below was read before."""
    catalogue = visit.desk.catalogue
    for _ in range(_DEEPEST):
        if catalogue.created(digest) is not None:
            return
        unread = [
            each
            for each in catalogue.unread(digest)
            if each.digest not in visit.without_config
            and each.platform != NO_PLATFORM
            and is_wanted(each, platform)
        ]
        first = next(iter(unread), None)
        if first is None:
            return
        yield from read_one(visit, first, None)
