"""Which tags a question is about: those that are named, or those that rules choose.

A tag is as old as the newest image it leads to, by ``created`` of its config; where that is missing
or a placeholder (a moment before there were such images, as reproducible builds write it), as old
as the catalogue's first sight of the tag leading there.

Rules choose tags alone. They pass over what was asked for by digest, which is no tag, and over the
tags that signatures and other referrers are kept under (``sha256-HEX``, ``sha256-HEX.sig``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from layerlens.audit.holdings import Holdings, TagName
from layerlens.audit.records import DIGEST_MARK
from layerlens.audit.stored_values import read_text, stored_digest, stored_text
from layerlens.errors import NotFound, UsageError
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import printable, quoted
from layerlens.oci.reference import Reference, parse_reference

FIRST_IMAGES = 1_356_998_400
"""2013-01-01: what was created before is dated by a placeholder."""

_DATED_TAGS = """
SELECT live_tag.place, live_tag.repository, repository.name, tag.name, live_tag.manifest_id,
    COALESCE(MAX(CASE WHEN created >= ? THEN created END), moved, 0)
FROM temp.live_tag JOIN tag USING (id) JOIN repository ON repository.id = repository_id
JOIN temp.reach ON root = live_tag.manifest_id
JOIN manifest ON manifest.id = reach.manifest_id
GROUP BY live_tag.place ORDER BY live_tag.place
"""
_NAMED_TAGS = """
SELECT live_tag.place FROM temp.live_tag JOIN tag USING (id)
JOIN repository ON repository.id = repository_id
JOIN manifest ON manifest.id = live_tag.manifest_id
WHERE registry_id = :registry AND repository.name = :repository
    AND tag.name = COALESCE(:tag, tag.name) AND digest = COALESCE(:digest, digest)
"""
_UNRESOLVED = """
SELECT COUNT(*) FROM tag JOIN repository ON repository.id = repository_id
WHERE registry_id = ? AND repository.name = ? AND tag.name = ? AND tag.removed IS NULL
    AND manifest_id IS NULL
"""
_SIGNATURE = re.compile(r"sha256-([0-9a-f]{64})(?:\.\w+)?", re.ASCII)
_AGE = re.compile(r"([0-9]{1,6})([hdw])", re.ASCII)
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedTag:
    """A tag with its place among the live ones, and the second since 1970 it dates from."""

    place: int
    repository: int
    name: TagName
    manifest: int
    date: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRules:
    """Tags of the repositories and with the names that globs as of the shell match, None for all;
    of them those older than so many seconds; and never the ``keep_newest`` of a repository, where
    tags that lead to one manifest count as one."""

    repositories: str | None
    tags: str | None
    older_than: int | None
    keep_newest: int | None


def parse_age(text: str) -> int:
    """The seconds of ``90d``, ``12h`` or ``8w``; UsageError for anything else."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{quoted(text)} is no age: expected a number of hours, days or weeks: 12h, 90d, 8w"
        )
    return int(found[1]) * _SECONDS[found[2]]


def dated_tags(holdings: Holdings) -> Iterator[DatedTag]:
    """All tags that lead somewhere, by their names."""
    for place, repository, name, tag, manifest, date in holdings.connection.execute(
        _DATED_TAGS, (FIRST_IMAGES,)
    ):
        yield DatedTag(
            place=place,
            repository=repository,
            name=TagName(repository=read_text(name), tag=read_text(tag)),
            manifest=manifest,
            date=date,
        )


def chosen_tags(holdings: Holdings, rules: TagRules, *, now: int) -> frozenset[int]:
    """The places of the tags that the rules choose, at the time *now*."""
    chosen: set[int] = set()
    of_repository: list[DatedTag] = []
    for tag in dated_tags(holdings):
        if of_repository and of_repository[-1].repository != tag.repository:
            chosen.update(_chosen_of(of_repository, rules, now))
            of_repository = []
        if _is_matched(tag.name, rules):
            of_repository.append(tag)
    chosen.update(_chosen_of(of_repository, rules, now))
    return frozenset(chosen)


def named_tags(holdings: Holdings, names: Iterable[str]) -> frozenset[int]:
    """The places of the tags that references name: ``repository:tag``, with or without the
    registry's host, or ``repository@digest`` for all tags there that lead to it; with both, a tag
    that must lead there.

    Raises UsageError for what names neither, NotFound for what the catalogue has not.
    """
    return frozenset(place for name in names for place in _named(holdings, name))


def signature_tags(holdings: Holdings, manifests: frozenset[Digest]) -> frozenset[int]:
    """The places of the tags under which signatures of these manifests are kept."""
    found: set[int] = set()
    for tag in dated_tags(holdings):
        signed = _SIGNATURE.fullmatch(tag.name.tag)
        if signed and Digest(algorithm="sha256", hex=signed[1]) in manifests:
            found.add(tag.place)
    return frozenset(found)


def _is_matched(name: TagName, rules: TagRules) -> bool:
    if name.tag.startswith(DIGEST_MARK) or _SIGNATURE.fullmatch(name.tag):
        return False
    if rules.repositories is not None and not fnmatchcase(name.repository, rules.repositories):
        return False
    return rules.tags is None or fnmatchcase(name.tag, rules.tags)


def _chosen_of(tags: Sequence[DatedTag], rules: TagRules, now: int) -> Iterator[int]:
    """The places of the tags chosen in one repository."""
    kept: set[int] = set()
    if rules.keep_newest is not None:
        newest = sorted(tags, key=lambda tag: (tag.date, tag.name.tag), reverse=True)
        kept.update(list(dict.fromkeys(tag.manifest for tag in newest))[: rules.keep_newest])
    for tag in tags:
        young = rules.older_than is not None and tag.date > now - rules.older_than
        if tag.manifest not in kept and not young:
            yield tag.place


def _named(holdings: Holdings, name: str) -> list[int]:
    reference = _reference(holdings.registry, name)
    repository = stored_text(reference.repository)
    found = holdings.connection.execute(
        _NAMED_TAGS,
        {
            "registry": holdings.registry_key,
            "repository": repository,
            "tag": reference.tag,
            "digest": None if reference.digest is None else stored_digest(reference.digest),
        },
    ).fetchall()
    if found:
        return [place for (place,) in found]
    unresolved = reference.tag is not None and holdings.number(
        _UNRESOLVED, holdings.registry_key, repository, reference.tag
    )
    why = (
        "the crawl did not follow this tag, so what it leads to is not known"
        if unresolved
        else f"no such tag in the catalogue of {printable(holdings.registry)}"
    )
    raise NotFound(f"{printable(name)}: {why}")


def _reference(registry: str, name: str) -> Reference:
    rest = name.removeprefix("docker://").removeprefix(f"{registry}/")
    reference = parse_reference(f"{registry}/{rest}")
    if reference.tag is None and reference.digest is None:
        raise UsageError(
            f"{quoted(name)} names no tag: say {printable(rest)}:TAG, or --repo "
            f"{printable(rest)} for all of that repository"
        )
    return reference
