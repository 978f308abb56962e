"""Digests: the content addresses that name blobs, DiffIDs and ChainIDs.

Image spec, descriptor.md "Digests" and config.md "Layer ChainID".
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from layerlens.errors import MalformedInput
from layerlens.oci.quoting import quoted

_HEX = {
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "sha512": re.compile(r"[0-9a-f]{128}"),
}


class Hasher(Protocol):
    """What hashlib's objects do."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Digest:
    """A valid digest: sha256 with 64, or sha512 with 128, lower-case hex digits.

    Being valid makes it safe as a file name or a path in a URL.
    """

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        """Raise MalformedInput unless algorithm and digits are those of a digest."""
        pattern = _HEX.get(self.algorithm)
        if pattern is None or pattern.fullmatch(self.hex) is None:
            raise _not_a_digest(f"{self.algorithm}:{self.hex}")

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Read ``sha256:...`` or ``sha512:...``; raise MalformedInput for anything else."""
        algorithm, colon, digits = text.partition(":")
        if not colon:
            raise _not_a_digest(text)
        return cls(algorithm=algorithm, hex=digits)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    def hasher(self) -> Hasher:
        """A new hash object of this digest's algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def _not_a_digest(text: str) -> MalformedInput:
    return MalformedInput(
        f"{quoted(text)} is not a digest: expected sha256: and 64, or sha512: and 128, "
        "lower-case hex digits"
    )


def sha256_digest(data: bytes) -> Digest:
    """The SHA-256 digest of the data."""
    return Digest(algorithm="sha256", hex=hashlib.sha256(data, usedforsecurity=False).hexdigest())


def chain_ids(diff_ids: Sequence[Digest]) -> tuple[Digest, ...]:
    """The ChainID of each layer: that of the layer and all below it, lowest first."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(sha256_digest(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return tuple(chain)
