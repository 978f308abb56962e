"""Tar member names to absolute clean paths; what tried to leave the root is clamped to it."""

from __future__ import annotations

from typing import NamedTuple


class CleanPath(NamedTuple):
    """``path`` as it counts, and ``clamped`` where the name was absolute or had ``..``."""

    path: str
    clamped: bool


def clean_path(name: str) -> CleanPath:
    """``./usr//bin/`` is ``/usr/bin``, ``../x`` and ``/x`` are ``/x``, clamped, ``/`` is itself."""
    clamped = name.startswith("/") and name.strip("/") != ""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            clamped = True
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return CleanPath("/" + "/".join(parts), clamped)
