"""What a person who types the name of an image may mean: the files there are, as in a shell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

_MOST_ENTRIES = 5_000
"""Entries of one directory that are looked at."""

_NOT_A_PATH = ("docker://", "-")
_FORMATS = ("docker-archive:", "oci-archive:", "oci:")


class FileChoice(NamedTuple):
    """One entry of a directory. ``text``: what to type for it; ``is_directory`` without a
    layout's ``index.json`` in it, so one to look into."""

    text: str
    name: str
    is_directory: bool


def file_choices(typed: str) -> list[FileChoice]:
    """Entries whose names begin with what is typed, directories first; none for a registry's.

    Hidden ones only where a dot is typed. Where nothing can be read there are none.
    """
    if typed.startswith(_NOT_A_PATH):
        return []
    form = next((form for form in _FORMATS if typed.startswith(form)), "")
    path = typed.removeprefix(form)
    directory, _, start = path.rpartition("/")
    prefix = f"{form}{path[: len(path) - len(start)]}"
    where = os.path.expanduser(directory) if directory else "/" if path.startswith("/") else "."
    found = sorted(_entries(where, start, prefix), key=lambda each: each.name.casefold())
    return sorted(found, key=lambda each: not each.is_directory)


def _entries(where: str, start: str, prefix: str) -> Iterator[FileChoice]:
    try:
        with os.scandir(where) as entries:
            for number, entry in enumerate(entries):
                if number >= _MOST_ENTRIES:
                    return
                if not entry.name.casefold().startswith(start.casefold()):
                    continue
                if entry.name.startswith(".") and not start.startswith("."):
                    continue
                below = _is_to_look_into(entry)
                text = f"{prefix}{entry.name}{'/' if below else ''}"
                yield FileChoice(os.path.expanduser(text), entry.name, below)
    except OSError:
        return


def _is_to_look_into(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and not os.path.exists(os.path.join(entry.path, "index.json"))
    except OSError:
        return False
