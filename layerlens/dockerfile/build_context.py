"""The files that a build's COPY can see: what the engine asks of them, whoever lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class BuildContext(Protocol):
    """A build context after its ``.dockerignore``. Paths are relative, clean, with ``/``."""

    @property
    def files(self) -> Collection[str]:
        """All that is no directory."""

    @property
    def links(self) -> Mapping[str, str]:
        """Those of the files that are symbolic links, and what they name."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file; None where there is none, or it is a link out of it."""

    def directory_mode(self, path: str) -> int | None:
        """The permission bits of a directory (``""``: the root); None where it is none."""
