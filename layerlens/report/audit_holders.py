"""What ``audit holders`` says, as a document, as CSV rows and for people.

Sizes are bytes. ``layer`` is a layer's place in its image, from 0, None for a config.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerlens.audit.holders import Found, Holder, Meaning, count_holders, holders
from layerlens.audit.holdings import Holdings
from layerlens.report.as_csv import Field
from layerlens.report.as_table import Align, Column
from layerlens.report.audit_layers_table import image_text
from layerlens.report.counted import counted
from layerlens.report.safe_text import shorten
from layerlens.report.table_style import UNKNOWN, TableStyle, prose_lines

HOLDERS_SCHEMA_VERSION = 1

_KEYS = {
    Meaning.BLOB_DIGEST: "blob_digest",
    Meaning.DIFF_ID: "diff_id",
    Meaning.CHAIN_ID: "chain_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFields:
    """A tag that leads to an image that holds the layer, and how it has it there."""

    repository: str
    tag: str
    manifest_digest: str
    platform: str | None
    layer: int | None
    blob_digest: str
    size: int
    diff_id: str | None
    chain_id: str | None
    instruction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningFields:
    """What the digest is (``by``), and who holds that. ``blobs``: in how many forms."""

    by: str
    images: int
    repositories: int
    blobs: int
    holders: Iterator[HolderFields]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldersDocument:
    """All that ``audit holders`` says."""

    registry: str
    digest: str
    meanings: Sequence[MeaningFields]


def holders_document(
    holdings: Holdings, meanings: Sequence[Found], top: int | None
) -> HoldersDocument:
    """The document; it can be written once, while the catalogue is open."""
    return HoldersDocument(
        registry=holdings.registry,
        digest=str(meanings[0].digest),
        meanings=[
            MeaningFields(
                by=_KEYS[each.meaning],
                images=each.images,
                repositories=each.repositories,
                blobs=each.blobs,
                holders=map(_holder, holders(holdings, each, top)),
            )
            for each in meanings
        ],
    )


def _holder(holder: Holder) -> HolderFields:
    return HolderFields(
        repository=holder.name.repository,
        tag=holder.name.tag,
        manifest_digest=str(holder.manifest),
        platform=holder.platform,
        layer=holder.position,
        blob_digest=str(holder.blob),
        size=holder.size,
        diff_id=None if holder.diff_id is None else str(holder.diff_id),
        chain_id=None if holder.chain_id is None else str(holder.chain_id),
        instruction=holder.instruction,
    )


HOLDERS_HEADER = (
    "by",
    "repository",
    "tag",
    "manifest_digest",
    "platform",
    "layer",
    "blob_digest",
    "size",
    "diff_id",
    "chain_id",
    "instruction",
)


def holders_rows(
    holdings: Holdings, meanings: Sequence[Found], top: int | None
) -> Iterator[Sequence[Field]]:
    """The rows of ``--csv``."""
    for each in meanings:
        for holder in map(_holder, holders(holdings, each, top)):
            yield (
                _KEYS[each.meaning],
                holder.repository,
                holder.tag,
                holder.manifest_digest,
                holder.platform,
                holder.layer,
                holder.blob_digest,
                holder.size,
                holder.diff_id,
                holder.chain_id,
                holder.instruction,
            )


def holders_lines(
    holdings: Holdings, meanings: Sequence[Found], style: TableStyle
) -> Iterator[str]:
    """The text, a table for each meaning of the digest."""
    yield f"{meanings[0].digest}\n"
    for name, each in _told_apart(meanings):
        yield "\n"
        yield from _meaning_lines(holdings, name, each, style)


def _told_apart(meanings: Sequence[Found]) -> list[tuple[str, Found]]:
    """The meanings by name. What has a ChainID has its DiffID too: where as many images have the
    one as the other, they are the same, and told once."""
    told: list[tuple[str, Found]] = []
    for each in meanings:
        before = told[-1][1] if told else None
        if (
            before is not None
            and before.meaning is Meaning.DIFF_ID
            and each.meaning is Meaning.CHAIN_ID
            and before.images == each.images
        ):
            told[-1] = (f"{before.meaning.value} and {each.meaning.value}", before)
        else:
            told.append((each.meaning.value, each))
    return told


def _meaning_lines(holdings: Holdings, name: str, found: Found, style: TableStyle) -> Iterator[str]:
    if not found.images:
        yield style.heading(f"As {name}: held by nothing that a tag leads to")
        return
    images = counted(found.images, "image")
    places = counted(found.repositories, "repository", "repositories")
    yield style.heading(f"As {name}: held by {images} in {places}")
    columns = (
        Column(heading="IMAGE"),
        Column(heading="PLATFORM"),
        Column(heading="LAYER", align=Align.RIGHT),
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = (
        (
            image_text(str(holder.name), style),
            holder.platform or UNKNOWN,
            "config" if holder.position is None else str(holder.position),
            style.format_size(holder.size),
            holder.instruction or UNKNOWN,
        )
        for holder in holders(holdings, found, style.top)
    )
    yield from style.table(columns, rows)
    if style.top is not None:
        yield from style.rest(count_holders(holdings, found))
    if found.blobs > 1:
        yield from prose_lines(
            [f"They have it in {found.blobs} blobs: compressed differently, by --csv each."]
        )
