"""What a person types to name an image, told apart: a file, a layout, stdin or a registry's.

Forms: skopeo's (``docker-archive:PATH[:REF]``, ``oci-archive:PATH[:REF]``, ``oci:DIR[:REF]``,
``docker://REF``), an existing path (with ``:REF`` or ``:@N`` after it), ``-``, a bare reference.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from layerlens.errors import NotFound, UnsupportedInput, UsageError

_PREFIXES = ("docker-archive:", "oci-archive:", "oci:")


@dataclass(frozen=True, slots=True)
class LocalImage:
    """A file, pipe or directory, and which of its images. ``choice``: a name, ``@N`` or None."""

    path: str
    choice: str | None


@dataclass(frozen=True, slots=True)
class StandardInput:
    """An archive on stdin, and which of its images."""

    choice: str | None


ImageName = LocalImage | StandardInput


def parse_image_name(text: str) -> ImageName:
    """Tell what ``text`` names; looks whether paths exist, and opens nothing.

    Raises UsageError for an empty name, NotFound for a path that does not exist, and
    UnsupportedInput for a registry's image.
    """
    if not text:
        raise UsageError("an image needs a name: a file, a directory, - for stdin")
    if text == "-" or text.startswith("-:"):
        return StandardInput(text[2:] or None)
    if text.startswith("docker://"):
        raise _no_registries(text)
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            return _local(text[len(prefix) :], text)
    return _local(text, text)


def _local(path: str, text: str) -> LocalImage:
    """The longest path that exists, and what follows the colon after it."""
    if os.path.lexists(path):
        return LocalImage(path, None)
    position = path.rfind(":")
    while position > 0:
        if os.path.lexists(path[:position]):
            return LocalImage(path[:position], path[position + 1 :] or None)
        position = path.rfind(":", 0, position)
    if text != path or path.startswith(("/", "./", "../", "~")) or _names_an_archive(path):
        raise NotFound(f"{path}: no such file or directory")
    raise _no_registries(text)


def _names_an_archive(path: str) -> bool:
    return path.endswith((".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2", ".oci"))


def _no_registries(text: str) -> UnsupportedInput:
    return UnsupportedInput(
        f"{text}: no such file or directory, and images in registries are not read yet; "
        "save it to an archive first (skopeo copy docker://… oci-archive:image.tar)"
    )
