"""A builder of few words, after BuildKit: what COPY, WORKDIR and ENV do to files and config.

It exists to build one Dockerfile in several orders and compare; it knows nothing of the engine.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from filesystem.layers import entry_of

from layerlens.dockerfile.instructions import Copy, Env, Instruction, Workdir
from layerlens.dockerfile.resources import ancestors
from layerlens.layer.entry import EntryKind, LayerEntry


class Impossible(Exception):
    """The build fails."""


@dataclass(frozen=True)
class Item:
    """A file (`content`), a link (`target`) or a directory (neither)."""

    mode: int
    owner: int
    content: str | None = None
    target: str | None = None

    @property
    def is_directory(self) -> bool:
        return self.content is None and self.target is None


@dataclass
class Build:
    """A build under way."""

    context: Mapping[str, str]
    modes: Mapping[str, int]
    tree: dict[str, Item]
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    written: list[str] = field(default_factory=list)

    def run(self, instruction: Instruction) -> list[LayerEntry] | None:
        """Carry one out, and give the entries of its layer; None where it makes none."""
        self.written = []
        match instruction:
            case Env():
                # A value sees the variables as they were before the line, as in buildah.
                self.environment |= {
                    pair.name: self._expanded(pair.value or "") for pair in instruction.assignments
                }
                return None
            case Workdir():
                self.directory = self._absolute(self._expanded(instruction.path))
                self._make(self._real(self.directory), 0)
            case Copy():
                self._copy(instruction)
        return self._entries()

    def _expanded(self, text: str) -> str:
        for name in sorted(self.environment, reverse=True):
            text = text.replace(f"${name}", self.environment[name])
        return text.replace("$A", "").replace("$B", "")

    def _absolute(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.directory, path))

    def _real(self, path: str) -> str:
        here = "/"
        names = [name for name in path.split("/") if name]
        hops = 0
        while names:
            where = posixpath.join(here, names.pop(0))
            item = self.tree.get(where)
            if item is not None and item.target is not None:
                hops += 1
                if hops > 9:
                    raise Impossible
                names = [*item.target.strip("/").split("/"), *names]
                here = "/"
            else:
                here = where
        return here

    def _make(self, path: str, owner: int, mode: int = 0o755) -> None:
        """The directories up to *path*; *mode* is that of the last one, where it is not there."""
        if path == "/":
            return
        parent = posixpath.dirname(path)
        self._make(parent, owner)
        item = self.tree.get(path)
        if item is None:
            self._put(path, Item(mode, owner))
        elif not item.is_directory:
            raise Impossible

    def _put(self, path: str, item: Item) -> None:
        self.tree[path] = item
        self.written.append(path)

    def _copy(self, copy: Copy) -> None:
        owner = int(copy.chown or 0)
        destination = self._expanded(copy.destination)
        path = self._real(self._absolute(destination))
        into = destination.endswith("/") or destination == "." or len(copy.sources) > 1
        for source in map(self._expanded, copy.sources):
            if source in self.context:
                item = self.tree.get(path)
                inside = into or (item is not None and item.is_directory)
                name = posixpath.join(path, posixpath.basename(source)) if inside else path
                self._file(name, source, owner)
                continue
            start = "" if source == "." else f"{source}/"
            found = sorted(name for name in self.context if name.startswith(start))
            if not found:
                raise Impossible
            self._make(path, owner, self.modes.get(source, 0o755))
            for name in found:
                self._nested(path, start, name, owner)
                self._file(posixpath.join(path, name[len(start) :]), name, owner)

    def _nested(self, path: str, start: str, name: str, owner: int) -> None:
        parts = name[len(start) :].split("/")[:-1]
        for count in range(1, len(parts) + 1):
            inner = "/".join(parts[:count])
            where = self._real(posixpath.join(path, inner))
            item = self.tree.get(where)
            if item is not None and not item.is_directory:
                raise Impossible
            self._put(where, Item(self.modes.get(start + inner, 0o755), owner))

    def _file(self, path: str, source: str, owner: int) -> None:
        parent = self._real(posixpath.dirname(path))
        self._make(parent, owner)
        where = self._real(posixpath.join(parent, posixpath.basename(path)))
        item = self.tree.get(where)
        if item is not None and item.is_directory:
            raise Impossible
        self._put(where, Item(0o644, owner, content=self.context[source]))

    def _entries(self) -> list[LayerEntry]:
        paths = set(self.written)
        for path in self.written:
            paths.update(ancestors(path))
        return [_entry(path, self.tree[path]) for path in sorted(paths - {"/"})]


def _entry(path: str, item: Item) -> LayerEntry:
    if item.target is not None:
        return entry_of(path, EntryKind.SYMLINK, link_target=item.target)
    if item.content is not None:
        content = item.content.encode()
        return entry_of(path, EntryKind.FILE, mode=item.mode, owner=item.owner, content=content)
    return entry_of(path, EntryKind.DIRECTORY, mode=item.mode, owner=item.owner)


def entries_of(tree: Mapping[str, Item]) -> list[LayerEntry]:
    """A whole tree as one layer."""
    return [_entry(path, tree[path]) for path in sorted(tree)]


def built(
    instructions: Sequence[Instruction],
    base: Mapping[str, Item],
    context: Mapping[str, str],
    modes: Mapping[str, int],
) -> tuple[Build, dict[int, list[LayerEntry]]]:
    """The end of a build, and the layers by the place of who made them. Raises Impossible."""
    build = Build(context=context, modes=modes, tree=dict(base))
    layers: dict[int, list[LayerEntry]] = {}
    for place, instruction in enumerate(instructions):
        entries = build.run(instruction)
        if entries is not None:
            layers[place] = entries
    return build, layers
