"""A build context that is a directory of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence

from layerlens.dockerfile.dockerignore import (
    IGNORE_FILE,
    NO_RULES,
    PathRules,
    parse_dockerignore,
    specific_ignore_file,
)
from layerlens.errors import LimitExceeded, NotFound

_LARGEST_READ = 1 << 26
_LARGEST_WRITTEN = 1 << 24
GIT_DIRECTORY = ".git"
GIT_FILE = f"{GIT_DIRECTORY}/HEAD"
"""Stands for all of git's own files."""


class LocalContext:
    """A directory after its ignore file: a `BuildContext`. It is listed once, when it is made.

    Of git's own directory one file is listed. Raises NotFound where there is no directory.
    """

    def __init__(self, directory: str, rules: PathRules = NO_RULES) -> None:
        if not os.path.isdir(directory):
            raise NotFound(f"{directory}: no such directory to be a build context")
        self._root = os.path.realpath(directory)
        self._rules = rules
        self._links: dict[str, str] = {}
        self._files = tuple(sorted(self._listed()))

    @property
    def files(self) -> Collection[str]:
        """All that is no directory."""
        return self._files

    @property
    def links(self) -> Mapping[str, str]:
        """Those of the files that are symbolic links, and what they name."""
        return self._links

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file of up to 64 MB; None where there is none, where it is left
        out, or where it is a link out of the context."""
        if self._rules.matches(path):
            return None
        real = self._real(path)
        if real is None:
            return None
        try:
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST_READ:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(_LARGEST_READ)
        finally:
            os.close(descriptor)

    def git_sizes(self) -> Sequence[int]:
        """The bytes of each of git's own files that is not left out."""
        return [
            size
            for path, size in _sizes_below(self._root, GIT_DIRECTORY)
            if not self._rules.matches(path)
        ]

    def directory_mode(self, path: str) -> int | None:
        """The permission bits of a directory (``""``: the root); None where it is none."""
        real = self._real(path)
        try:
            facts = None if real is None else os.stat(real)
        except OSError:
            return None
        if facts is None or not stat.S_ISDIR(facts.st_mode):
            return None
        return stat.S_IMODE(facts.st_mode)

    def _real(self, path: str) -> str | None:
        real = os.path.realpath(os.path.join(self._root, path))
        inside = real == self._root or real.startswith(f"{self._root.rstrip('/')}/")
        return real if inside else None

    def _listed(self) -> Iterator[str]:
        waiting = [""]
        while waiting:
            directory = waiting.pop()
            try:
                with os.scandir(os.path.join(self._root, directory)) as found:
                    entries = list(found)
            except OSError:  # not to be read, by builders neither
                continue
            for entry in entries:
                path = f"{directory}/{entry.name}" if directory else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if path == GIT_DIRECTORY:
                        if not self._rules.matches(GIT_FILE):
                            yield GIT_FILE
                    elif self._rules.may_let_in_below(path):
                        waiting.append(path)
                elif not self._rules.matches(path):
                    if entry.is_symlink():
                        self._links[path] = _target(entry.path)
                    yield path


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:  # gone meanwhile
        return ""


def _sizes_below(root: str, directory: str) -> Iterator[tuple[str, int]]:
    """The regular files below a directory, by their paths from the root."""
    for where, _, names in os.walk(os.path.join(root, directory)):
        for name in names:
            path = os.path.join(where, name)
            try:
                facts = os.lstat(path)
            except OSError:  # gone meanwhile, as git's files go
                continue
            if stat.S_ISREG(facts.st_mode):
                yield os.path.relpath(path, root), facts.st_size


def found_ignore_file(dockerfile: str | None, context: str) -> str | None:
    """The ignore file that counts: the Dockerfile's own, or else the context's; None for none."""
    specific = [] if dockerfile is None else [specific_ignore_file(dockerfile)]
    for path in (*specific, os.path.join(context, IGNORE_FILE)):
        if os.path.isfile(path):
            return path
    return None


def read_rules(ignore_file: str | None) -> PathRules:
    """The rules of an ignore file. Raises MalformedInput, LimitExceeded, and OSError where it can't
    be read."""
    if ignore_file is None:
        return NO_RULES
    text = read_whole(ignore_file, "ignore file").decode("utf-8", "surrogateescape")
    return parse_dockerignore(text, ignore_file)


def read_whole(path: str, what: str) -> bytes:
    """The bytes of a file that a person wrote, *what* it should be. Raises LimitExceeded for one of
    more than 16 MiB, and OSError where it can't be read."""
    with open(path, "rb") as file:
        data = file.read(_LARGEST_WRITTEN + 1)
    if len(data) > _LARGEST_WRITTEN:
        raise LimitExceeded(f"{path}: is larger than 16 MiB, and no {what}")
    return data
