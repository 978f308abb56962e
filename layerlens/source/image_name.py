"""What a person types to name an image, told apart: a file, a layout, stdin or a registry's.

Forms: skopeo's (``docker-archive:PATH[:REF]``, ``oci-archive:PATH[:REF]``, ``oci:DIR[:REF]``,
``docker://REF``), an existing path (with ``:REF`` or ``:@N`` after it), ``-``, a bare reference.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from layerlens.errors import NotFound, UsageError
from layerlens.oci.reference import Reference, parse_reference

_REGISTRY_PREFIX = "docker://"
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


@dataclass(frozen=True, slots=True)
class RegistryImage:
    """An image in a registry. ``could_be_a_file``: a bare reference, which no file is called."""

    reference: Reference
    could_be_a_file: bool


ImageName = LocalImage | StandardInput | RegistryImage


def parse_image_name(text: str) -> ImageName:
    """Tell what ``text`` names; looks whether paths exist, and opens nothing.

    Raises UsageError for an empty name and a malformed reference, NotFound for a path that does
    not exist.
    """
    if not text:
        raise UsageError("an image needs a name: a file, a directory, - for stdin, a reference")
    if text == "-" or text.startswith("-:"):
        return StandardInput(text[2:] or None)
    if text.startswith(_REGISTRY_PREFIX):
        reference = parse_reference(text.removeprefix(_REGISTRY_PREFIX))
        return RegistryImage(reference, could_be_a_file=False)
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            path = text[len(prefix) :]
            if not path:
                raise UsageError(f"{text!r} names no file or directory: write {prefix}PATH")
            local = _local(path)
            if local is None:
                raise NotFound(f"{path}: no such file or directory")
            return local
    return _local(text) or _bare_reference(text)


def _local(path: str) -> LocalImage | None:
    """The longest path that exists, and what follows the colon after it."""
    if os.path.lexists(path):
        return LocalImage(path, None)
    position = path.rfind(":")
    while position > 0:
        if os.path.lexists(path[:position]):
            return LocalImage(path[:position], path[position + 1 :] or None)
        position = path.rfind(":", 0, position)
    return None


def _bare_reference(text: str) -> RegistryImage:
    if text.startswith(("/", "./", "../", "~")) or _names_an_archive(text):
        raise NotFound(f"{text}: no such file or directory")
    try:
        return RegistryImage(parse_reference(text), could_be_a_file=True)
    except UsageError as error:
        if "@" in text.partition("/")[0]:  # it may hold a password
            raise
        raise NotFound(f"{text}: no such file or directory, and {error}") from error


def _names_an_archive(path: str) -> bool:
    return path.endswith((".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2", ".oci"))
