"""Who holds a blob or layer, asked for by its blob digest, DiffID or ChainID, or the start of one.

A digest may be several of these at once: a lowest layer's DiffID is its ChainID too, and the blob
digest of an uncompressed layer is its DiffID.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerlens.audit.holdings import Holdings, TagName
from layerlens.audit.stored_values import (
    read_digest,
    read_optional_digest,
    read_optional_text,
    read_text,
    stored_digest,
)
from layerlens.errors import AmbiguousImage, NotFound, UsageError
from layerlens.oci.digest import Digest
from layerlens.oci.quoting import printable, quoted

_ASKED = re.compile(r"(?:sha(?:256|512):)?([0-9a-f]{1,128})", re.ASCII)
_LONGEST = 64
_NAMED = 5

_MATCHES = """
SELECT digest FROM blob WHERE digest BETWEEN ? AND ?
UNION SELECT digest FROM diff WHERE digest BETWEEN ? AND ?
UNION SELECT digest FROM chain WHERE digest BETWEEN ? AND ?
LIMIT ?
"""
_USED = """
SELECT image_layer.manifest_id AS manifest_id, position, blob_id, diff_id, chain_id, instruction_id
FROM image_layer WHERE {column} = ?
"""
_CONFIGS = """
SELECT id AS manifest_id, NULL AS position, config_id AS blob_id, NULL AS diff_id,
    NULL AS chain_id, NULL AS instruction_id
FROM manifest WHERE config_id = ?
"""
_COUNTS = """
WITH used AS ({used})
SELECT COUNT(DISTINCT used.manifest_id), COUNT(DISTINCT repository), COUNT(DISTINCT blob_id)
FROM used JOIN temp.reach ON reach.manifest_id = used.manifest_id
JOIN temp.live_tag ON live_tag.manifest_id = root
"""
_HOLDERS = """
WITH used AS ({used})
SELECT repository.name, tag.name, manifest.digest, platform.value, used.position,
    blob.digest, blob.size, diff.digest, chain.digest, instruction.value
FROM used JOIN temp.reach ON reach.manifest_id = used.manifest_id
JOIN temp.live_tag ON live_tag.manifest_id = root
JOIN tag ON tag.id = live_tag.id JOIN repository ON repository.id = repository_id
JOIN manifest ON manifest.id = used.manifest_id
JOIN blob ON blob.id = used.blob_id
LEFT JOIN diff ON diff.id = used.diff_id
LEFT JOIN chain ON chain.id = used.chain_id
LEFT JOIN text AS platform ON platform.id = platform_id
LEFT JOIN text AS instruction ON instruction.id = used.instruction_id
ORDER BY live_tag.place, manifest.id, used.position LIMIT ?
"""
_ALL = -1


class Meaning(enum.Enum):
    """What a digest can be; the value is the name it goes by."""

    BLOB_DIGEST = "blob digest"
    DIFF_ID = "DiffID"
    CHAIN_ID = "ChainID"


_COLUMNS = {
    Meaning.BLOB_DIGEST: ("blob", "blob_id"),
    Meaning.DIFF_ID: ("diff", "diff_id"),
    Meaning.CHAIN_ID: ("chain", "chain_id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One meaning of a digest that is in the catalogue. ``images``: manifests that tags lead to
    and that hold it, artifacts too; ``blobs``: in how many blobs they have it."""

    digest: Digest
    meaning: Meaning
    key: int
    images: int
    repositories: int
    blobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A tag that leads to a holder, and how that has the layer. ``position``: among its layers,
    from 0, None for its config; ``size``: bytes of the blob."""

    name: TagName
    manifest: Digest
    platform: str | None
    position: int | None
    blob: Digest
    size: int
    diff_id: Digest | None
    chain_id: Digest | None
    instruction: str | None


def find_digest(holdings: Holdings, text: str) -> list[Found]:
    """What the digest that *text* is, or is the start of, means in this registry's catalogue.

    Raises UsageError for what is no such start, NotFound where nothing starts so, AmbiguousImage
    where several digests do.
    """
    asked = _ASKED.fullmatch(text.strip().lower())
    if asked is None:
        raise UsageError(
            f"{quoted(text)} is not a digest: expected hex digits, the first ones are enough, "
            "perhaps after sha256:"
        )
    digits = asked[1]
    low = bytes.fromhex(digits + "0" * (len(digits) % 2))
    high = bytes.fromhex(digits + "f" * (len(digits) % 2)) + b"\xff" * (_LONGEST - len(low))
    matches = [
        read_digest(digest)
        for (digest,) in holdings.connection.execute(
            _MATCHES, (low, high, low, high, low, high, _NAMED + 1)
        )
    ]
    if not matches:
        raise NotFound(f"{printable(text)}: no blob, DiffID or ChainID in the catalogue starts so")
    if len(matches) > 1:
        named = ", ".join(map(str, matches[:_NAMED]))
        more = " and more" if len(matches) > _NAMED else ""
        raise AmbiguousImage(f"{printable(text)}: several digests start so: {named}{more}")
    return list(_meanings(holdings, matches[0]))


def holders(holdings: Holdings, found: Found, top: int | None) -> Iterator[Holder]:
    """The tags that lead to holders, by name; at most *top* of them."""
    for (
        repository,
        tag,
        manifest,
        platform,
        position,
        blob,
        size,
        diff,
        chain,
        instruction,
    ) in holdings.connection.execute(
        _HOLDERS.format(used=_used(found.meaning)),
        (*_parameters(found.meaning, found.key), _ALL if top is None else top),
    ):
        yield Holder(
            name=TagName(repository=read_text(repository), tag=read_text(tag)),
            manifest=read_digest(manifest),
            platform=read_optional_text(platform),
            position=position,
            blob=read_digest(blob),
            size=size,
            diff_id=read_optional_digest(diff),
            chain_id=read_optional_digest(chain),
            instruction=read_optional_text(instruction),
        )


def count_holders(holdings: Holdings, found: Found) -> int:
    """How many rows ``holders`` has: a layer that an image lists twice is in two of them."""
    statement = _HOLDERS.format(used=_used(found.meaning))
    return holdings.number(
        f"SELECT COUNT(*) FROM ({statement})",  # noqa: S608 - words of our own
        *_parameters(found.meaning, found.key),
        _ALL,
    )


def _meanings(holdings: Holdings, digest: Digest) -> Iterator[Found]:
    for meaning, (table, _) in _COLUMNS.items():
        row = holdings.connection.execute(
            f"SELECT id FROM {table} WHERE digest = ?",  # noqa: S608 - names of our own
            (stored_digest(digest),),
        ).fetchone()
        if row is None:
            continue
        images, repositories, blobs = holdings.connection.execute(
            _COUNTS.format(used=_used(meaning)), _parameters(meaning, row[0])
        ).fetchone()
        yield Found(
            digest=digest,
            meaning=meaning,
            key=row[0],
            images=images,
            repositories=repositories,
            blobs=blobs,
        )


def _used(meaning: Meaning) -> str:
    layers = _USED.format(column=_COLUMNS[meaning][1])
    return f"{layers} UNION ALL {_CONFIGS}" if meaning is Meaning.BLOB_DIGEST else layers


def _parameters(meaning: Meaning, key: int) -> tuple[int, ...]:
    return (key, key) if meaning is Meaning.BLOB_DIGEST else (key,)
