"""What ``audit freed`` says, for people, and the tables of its ``--csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.audit.freed import Freed, deleted_tags, gone_blobs, gone_manifests
from layerlens.audit.holdings import Holdings
from layerlens.audit.scope import Scope, scope_of
from layerlens.report.as_csv import Field
from layerlens.report.as_table import Align, Column, Styled
from layerlens.report.audit_freed_document import KINDS
from layerlens.report.audit_names import day_text
from layerlens.report.colour import Style
from layerlens.report.counted import counted
from layerlens.report.safe_text import shorten_middle
from layerlens.report.table_style import TableStyle, prose_lines

_COUNTED = (
    "Counted is what no other tag of the registry leads to, in any repository, each blob once; an "
    "artifact goes with the manifest it is about. The registry frees it when its garbage "
    "collection runs; untagged manifests, which are not known, may hold some of it."
)


def freed_lines(
    holdings: Holdings, found: Freed, signature_tags: int, style: TableStyle
) -> Iterator[str]:
    """What goes, what stays, and what each tag alone would free."""
    if not found.tags:
        yield style.heading("No tag is chosen, so nothing is freed")
        return
    size = style.format_size
    yield style.heading(
        f"Deleting {counted(found.tags, 'tag')} of {holdings.registry} frees {size(found.bytes)}"
    )
    columns = (
        Column(heading="WHAT"),
        Column(heading="COUNT", align=Align.RIGHT),
        Column(heading="BYTES", align=Align.RIGHT),
    )
    parts = (
        ("layers", found.layers),
        ("configs", found.configs),
        ("blobs of artifacts", found.artifact_blobs),
        ("manifests", found.manifests),
    )
    rows: list[Sequence[str | Styled]] = [
        (name, str(part.count), size(part.bytes)) for name, part in parts
    ]
    rows.append([Styled(text, Style.HEADING) for text in ("all", "", size(found.bytes))])
    yield from style.table(columns, rows)
    yield from prose_lines(_about(found, signature_tags, scope_of(holdings), style))
    yield "\n"
    yield from _tags_lines(holdings, found, style)


def _about(found: Freed, signature_tags: int, scope: Scope, style: TableStyle) -> Iterator[str]:
    yield (
        f"Of the manifests {counted(found.images, 'image')}, "
        f"{counted(found.indexes, 'index', 'indexes')} and "
        f"{counted(found.artifacts, 'artifact')}."
        + (
            f" {found.unread} more were never read: what they hold is not known."
            if found.unread
            else ""
        )
    )
    if found.layers_kept.count:
        kept = found.layers_kept
        yield (
            f"{counted(kept.count, 'layer')} of {style.format_size(kept.bytes)} that the tags "
            "lead to stay: something that stays has them as well."
        )
    if signature_tags:
        yield (
            f"{counted(signature_tags, 'tag')} with signatures of what goes would be left; "
            "--signatures counts them as well."
        )
    if not scope.is_whole:
        yield (
            f"AT MOST: what is not known of this registry may hold some of that: "
            f"{', '.join(_not_known(scope))}."
        )
    yield _COUNTED


def _not_known(scope: Scope) -> Iterator[str]:
    if scope.registry_listed is None:
        yield "repositories that were not named to the crawl"
    several = "repositories"
    if scope.failed_repositories:
        yield f"{counted(scope.failed_repositories, 'repository', several)} that failed"
    if scope.unlisted_repositories:
        yield f"other tags of {counted(scope.unlisted_repositories, 'repository', several)}"
    if scope.unresolved_tags:
        yield f"{counted(scope.unresolved_tags, 'tag')} never followed"
    if scope.unread_manifests:
        yield f"{counted(scope.unread_manifests, 'manifest')} never read"


def _tags_lines(holdings: Holdings, found: Freed, style: TableStyle) -> Iterator[str]:
    yield style.heading("Tags, those that free most if deleted alone first")
    columns = (
        Column(heading="ALONE", align=Align.RIGHT),
        Column(heading="LEADS TO", align=Align.RIGHT),
        Column(heading="FROM"),
        Column(heading="TAG", shorten=shorten_middle),
    )
    rows = (
        (
            style.format_size(tag.alone),
            style.format_size(tag.size),
            day_text(tag.date),
            str(tag.name),
        )
        for tag in deleted_tags(holdings, style.top)
    )
    yield from style.table(columns, rows)
    yield from style.rest(found.tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedTable:
    """A table of ``--csv``: its header, and how its rows are read."""

    header: tuple[str, ...]
    rows: Callable[[Holdings, int | None], Iterator[Sequence[Field]]]


def _tag_rows(holdings: Holdings, top: int | None) -> Iterator[Sequence[Field]]:
    for tag in deleted_tags(holdings, top):
        yield (tag.name.repository, tag.name.tag, tag.date, tag.size, tag.alone)


def _blob_rows(holdings: Holdings, top: int | None) -> Iterator[Sequence[Field]]:
    for blob in gone_blobs(holdings, top):
        yield (str(blob.digest), blob.role.name.lower(), blob.size)


def _manifest_rows(holdings: Holdings, top: int | None) -> Iterator[Sequence[Field]]:
    for manifest in gone_manifests(holdings, top):
        yield (str(manifest.digest), KINDS[manifest.kind], manifest.size)


FREED_TABLES: Mapping[str, FreedTable] = {
    "tags": FreedTable(header=("repository", "tag", "date", "size", "alone"), rows=_tag_rows),
    "blobs": FreedTable(header=("digest", "role", "size"), rows=_blob_rows),
    "manifests": FreedTable(header=("digest", "kind", "size"), rows=_manifest_rows),
}
"""The tables by the names that ``--table`` takes; the names of columns are the JSON document's."""
