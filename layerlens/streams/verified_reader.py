"""Chunks passed on while they are counted and hashed; wrong size or digest is an error at the end.

Size is checked before the hash, so that a longer stream stops at its first byte too many.
"""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.errors import DigestMismatch, SizeMismatch
from layerlens.oci.digest import Digest


def verified(
    chunks: Iterator[bytes], *, digest: Digest | None, size: int | None, where: str
) -> Iterator[bytes]:
    """The same chunks; raises at their end unless they match what was promised of them.

    ``size`` in bytes; None for either leaves it unchecked. Raises SizeMismatch and DigestMismatch.
    """
    hasher = digest.hasher() if digest else None
    count = 0
    for chunk in chunks:
        count += len(chunk)
        if size is not None and count > size:
            raise SizeMismatch(f"{where}: has more than the {size} bytes its descriptor declares")
        if hasher:
            hasher.update(chunk)
        yield chunk
    if size is not None and count != size:
        raise SizeMismatch(f"{where}: has {count} bytes, its descriptor declares {size}")
    if digest and hasher and hasher.hexdigest() != digest.hex:
        raise DigestMismatch(
            f"{where}: its bytes hash to {digest.algorithm}:{hasher.hexdigest()}, not to {digest}"
        )


def verified_bytes(data: bytes, *, digest: Digest | None, size: int | None, where: str) -> bytes:
    """``data`` itself, once it is known to have the promised size and digest."""
    for _ in verified(iter([data]), digest=digest, size=size, where=where):
        pass
    return data
