"""Numbers of things in sentences: ``1 layer``, ``2 layers``."""

from __future__ import annotations


def counted(count: int, one: str, several: str | None = None) -> str:
    """*count* and the word for it; ``several`` where it is not *one* with an s."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"
