"""What a repository's history says of a build context: which files each commit changed.

The commits are those of the current branch as it was built: merges count as one step against
what the branch had before. All is read by one ``git log``; renames are a file gone and one new.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from layerlens.dockerfile.git_command import Git
from layerlens.errors import MalformedInput

MAX_COMMITS = 500
"""Commits that are read unless another number is asked for."""

MAX_CHANGES = 2_000_000
"""Changed files that are read at most; the commits before them are left out."""

GIT_LINK = 0o160000
"""The mode of a submodule, whose files the repository does not know."""

_MARK = b"\x02"
_LARGEST_TEXT = 1 << 20


class Blob(NamedTuple):
    """A file's content and mode, as git names them."""

    mode: int
    id: str


class FileChange(NamedTuple):
    """What a commit did to a file. ``path`` is relative to the repository's top; None: no file."""

    path: str
    before: Blob | None
    after: Blob | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """``time``: the committer's, in seconds since 1970. ``first``: nothing is known before it."""

    id: str
    time: int
    first: bool
    changes: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """``top``: the repository's work tree. ``prefix``: the context's path in it, with a slash at
    its end, or "". ``commits``: oldest first. ``tracked``: the paths of the last commit that are
    in the context. ``texts``: by blob id, the watched files as they were. ``shallow``: the clone
    has no older commits, though there are some. ``partial``: it has not all of the texts."""

    top: str
    prefix: str
    commits: tuple[Commit, ...]
    tracked: frozenset[str]
    texts: Mapping[str, bytes]
    shallow: bool
    partial: bool

    def inside(self, path: str) -> str | None:
        """A path relative to the context; None for one that is not in it."""
        return path[len(self.prefix) :] if path.startswith(self.prefix) else None

    def path_of(self, file: str) -> str | None:
        """Where a file of this machine is in the repository; None for one outside of it."""
        return _relative_file(file, self.top)


def read_history(
    context: str,
    watched: Sequence[str],
    *,
    limit: int = MAX_COMMITS,
    since: str | None = None,
) -> History:
    """The last ``limit`` commits (those after ``since``, in git's words for a date) that touched
    the directory ``context`` or a ``watched`` file, whose texts are read in every version.

    Raises NotFound (no git, no repository, no commits), MalformedInput or LimitExceeded.
    """
    context = os.path.realpath(context)
    git = Git(context)
    top, shallow = _repository(git)
    prefix = _relative(context, top)
    files = tuple(path for name in watched if (path := _relative_file(name, top)) is not None)
    in_top = Git(top)
    commits = tuple(_commits(in_top, prefix, files, limit, since))[::-1]
    ids = _versions(commits, frozenset(files))
    texts = _texts(in_top, ids)
    return History(
        top=top,
        prefix=prefix,
        commits=commits,
        tracked=frozenset(_tracked(in_top, prefix)),
        texts=texts,
        shallow=shallow,
        partial=len(texts) < len(ids),
    )


def _repository(git: Git) -> tuple[str, bool]:
    # the path may hold newlines, the answer after it none
    lines = git.output("rev-parse", "--show-toplevel", "--is-shallow-repository").split(b"\n")
    shallow = lines[-2] == b"true"
    return os.fsdecode(b"\n".join(lines[:-2])), shallow


def _relative(directory: str, top: str) -> str:
    relative = os.path.relpath(directory, os.path.realpath(top))
    if relative == ".":
        return ""
    if relative == ".." or relative.startswith("../"):  # core.worktree points elsewhere
        raise MalformedInput(f"{directory}: its git repository has its work tree at {top}")
    return f"{relative}/"


def _relative_file(name: str, top: str) -> str | None:
    directory = os.path.realpath(os.path.dirname(name) or ".")
    relative = os.path.relpath(os.path.join(directory, os.path.basename(name)), top)
    return None if relative.startswith("../") else relative


def _commits(
    git: Git, prefix: str, files: Sequence[str], limit: int, since: str | None
) -> Iterator[Commit]:
    """Newest first."""
    wanted = [prefix.removesuffix("/"), *files] if prefix else []
    fields = git.fields(
        "log",
        f"--max-count={limit}",
        *([f"--since={since}"] if since is not None else []),
        "--first-parent",
        "-m",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-notes",
        "--no-show-signature",
        "--no-mailmap",
        f"--format=tformat:{_MARK.decode()}%H %ct %P",
        "--end-of-options",
        "HEAD",
        "--",
        *wanted,
    )
    header: bytes | None = None
    changes: list[FileChange] = []
    total = 0
    followed = frozenset(files)
    for field in fields:
        text = field.lstrip(b"\n")
        if text.startswith(_MARK):
            if header is not None:
                yield _commit(header, changes)
                if total > MAX_CHANGES:
                    fields.close()  # type: ignore[attr-defined]
                    return
            header, changes = text[1:], []
        elif text.startswith(b":"):
            path = os.fsdecode(next(fields, b""))
            if path.startswith(prefix) or path in followed:
                changes.append(_change(text, path))
            total += 1
    if header is not None:
        yield _commit(header, changes)


def _commit(header: bytes, changes: Sequence[FileChange]) -> Commit:
    id_, _, rest = header.decode("ascii", "replace").strip("\n").partition(" ")
    time, _, parents = rest.partition(" ")
    # git says nothing of a committer's time that it can't read
    return Commit(id=id_, time=int(time or "0"), first=not parents.strip(), changes=tuple(changes))


def _change(raw: bytes, path: str) -> FileChange:
    """``:100644 100755 ID ID M``; a mode of 0 is no file."""
    words = raw[1:].decode("ascii", "replace").split(" ")
    before, after = int(words[0], 8), int(words[1], 8)
    return FileChange(
        path,
        Blob(before, words[2]) if before else None,
        Blob(after, words[3]) if after else None,
    )


def _tracked(git: Git, prefix: str) -> Iterator[str]:
    wanted = [prefix.removesuffix("/")] if prefix else []
    for field in git.fields("ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD", *wanted):
        yield os.fsdecode(field)


def _versions(commits: Sequence[Commit], files: frozenset[str]) -> Sequence[str]:
    """The blob ids of every version of the files."""
    return list(
        {
            blob.id: None
            for commit in commits
            for change in commit.changes
            if change.path in files
            for blob in (change.before, change.after)
            if blob is not None and blob.mode != GIT_LINK
        }
    )


def _texts(git: Git, ids: Sequence[str]) -> Mapping[str, bytes]:
    """The contents by their ids, from one run of ``cat-file``; without those not to be had."""
    if not ids:
        return {}
    try:
        answer = git.output(
            "cat-file", "--batch", stdin="".join(f"{id_}\n" for id_ in ids).encode()
        )
    except MalformedInput:  # a partial clone wants to fetch them, which git was told not to do
        return {}
    texts: dict[str, bytes] = {}
    position = 0
    for wanted in ids:
        end = answer.index(b"\n", position)
        words = answer[position:end].split(b" ")
        position = end + 1
        if len(words) != 3:  # "ID missing"
            continue
        size = int(words[2])
        if size <= _LARGEST_TEXT:
            texts[wanted] = answer[position : position + size]
        position += size + 1
    return texts
