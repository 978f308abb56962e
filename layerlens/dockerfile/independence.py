"""Whether two instructions of a stage may change places, and if not, why.

They may where neither writes what the other reads or writes. Paths meet by prefix, both ways. A
directory that both go through is no matter as long as either would make it the same. Any order
that keeps every dependent pair as it is can be reached by swapping neighbours that are
independent, so it makes the same file system and the same config.
"""

from __future__ import annotations

from layerlens.dockerfile.resources import MAKERS, Effects, ancestors, is_below
from layerlens.dockerfile.written_paths import WrittenPaths


def conflict(one: Effects, other: Effects) -> str | None:
    """Why the two may not change places, as a clause; None: they may. Symmetric but for words."""
    return (
        _barred(one, other)
        or _shared_names(one, other)
        or _reading(other, one)
        or _reading(one, other)
        or writing_conflict(one, other)
        or _making(one, other)
        or _making(other, one)
        or _left_to_next(one, other)
        or _left_to_next(other, one)
    )


def _barred(one: Effects, other: Effects) -> str | None:
    for each in (one, other):
        if each.barrier is not None:
            return f"nothing may cross {each.short}: {each.barrier}"
    return None


def _left_to_next(leaving: Effects, maker: Effects) -> str | None:
    """Whether *maker* might come to make, or no longer make, a directory that it is left to."""
    if leaving.left_to_next is None or maker.keyword not in MAKERS:
        return None
    return f"the step behind {leaving.short} makes the directory {leaving.left_to_next}"


def _shared_names(one: Effects, other: Effects) -> str | None:
    for first, second in ((one, other), (other, one)):
        names = first.variables_written & (second.variables_written | second.variables_read)
        if names:
            return f"{second.short} uses the variable {min(names)}"
        fields = first.fields_written & second.fields_read
        if fields:
            return f"{second.short} depends on the {min(fields)}"
    fields = one.fields_written & other.fields_written
    if fields:
        return f"both set {min(fields)}"
    return None


_RUN_FIELDS = frozenset({"working directory", "user", "shell"})


def _reading(reader: Effects, writer: Effects) -> str | None:
    """Whether *reader* may see what *writer* writes."""
    written = writer.writes
    if reader.everything:
        if writer.variables_written:
            return f"{reader.short} may read the variable {min(writer.variables_written)}"
        fields = writer.fields_written & _RUN_FIELDS
        if fields:
            return f"{reader.short} depends on the {min(fields)}"
        if written.files or written.created or written.changed or written.anywhere:
            return f"{reader.short} may read any file"
    looked_up = [
        path
        for path in (*reader.lookups, *reader.kinds)
        if path in written.files or path in written.linked
    ]
    if looked_up:
        return f"{reader.short} depends on {min(looked_up)}"
    kinds = [
        path
        for path in reader.kinds
        if path in written.created or path in written.above or path in written.changed
    ]
    if kinds:
        return f"whether {min(kinds)} is a directory decides where {reader.short} writes"
    for directory in sorted(written.anywhere):
        met = [path for path in reader.lookups if path == directory or is_below(path, directory)]
        met += [path for path in reader.kinds if _meet(path, directory)]
        if met:
            return f"{reader.short} depends on {min(met)}"
    for tree in sorted(reader.trees):
        path = written.below(tree, [each for each in reader.spared if is_below(each, tree)])
        if path is not None:
            return f"{reader.short} reads {path}"
        if any(_meet(tree, directory) for directory in written.anywhere):
            return f"{reader.short} reads {tree}"
    return None


def _meet(one: str, other: str) -> bool:
    return one == other or is_below(one, other) or is_below(other, one)


def writing_conflict(one: Effects, other: Effects) -> str | None:
    """Why what the two write meets, as a clause; None: it does not."""
    first, second = one.writes, other.writes
    met = (
        (first.files & second.touched)
        | (second.files & first.touched)
        | _met_links(first, second)
        | _met_links(second, first)
    )
    if met:
        return f"both write {min(met)}"
    for mine, theirs in ((first, second), (second, first)):
        for directory in sorted(mine.anywhere):
            if any(_meet(directory, path) for path in theirs.anywhere):
                return f"both may write below {directory}"
            path = theirs.below(directory)
            if path is not None:
                return f"both may write {path}"
            if any(is_below(directory, path) for path in theirs.files):
                return f"both may write {directory}"
    for directory in sorted(
        (first.changed & second.directories.keys()) | (second.changed & first.directories.keys())
    ):
        if first.directories[directory] != second.directories[directory]:
            return f"both set the mode or the owner of {directory}"
    return None


def _met_links(writer: WrittenPaths, linker: WrittenPaths) -> frozenset[str]:
    """What one writes of the files that hard links of the other name; a directory made there, or
    a file on the way to one, breaks the link."""
    return frozenset(
        path
        for path in linker.linked
        if path in writer.touched or any(above in writer.files for above in ancestors(path))
    )


def _making(maker: Effects, other: Effects) -> str | None:
    """Whether *other* would have to make directories that *maker* made, and make them otherwise."""
    needed = [
        directory
        for directory in maker.writes.created
        if directory in other.writes.touched
        or directory in other.lookups
        or directory in other.trees
    ]
    for directory in sorted(needed):
        attributes = maker.writes.directories[directory]
        makes = other.new_directories
        if makes is None or makes.made(directory) != attributes:
            return f"{maker.short} makes the directory {directory}"
    if other.keyword == "RUN":
        changed = maker.writes.changed & other.writes.touched
        if changed:
            return f"{maker.short} sets the mode or the owner of {min(changed)}"
    for directory in sorted(other.writes.anywhere):
        made = [
            path
            for path in maker.writes.created
            if _meet(path, directory) and not _made_alike(maker.writes, other, path)
        ]
        if made:
            return f"{maker.short} makes the directory {min(made)}"
    return None


def _made_alike(written: WrittenPaths, other: Effects, directory: str) -> bool:
    makes = other.new_directories
    return makes is not None and makes.made(directory) == written.directories[directory]
