"""The recipes of the benchmark images: which entries each layer has, in the order of its tar.

Makes lists of items and instructions; reads no content and writes nothing.
"""

import hashlib
import posixpath
import random
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from benchmark_files import ROOTS, MachineFile, Payload, choose_files

EPOCH = 1_700_000_000
OPAQUE = ".wh..wh..opq"
NO_PAYLOAD = Payload("", 0)


class Item(NamedTuple):
    """One entry of a layer; ``path`` has no leading slash, ``kind`` is tar's type flag."""

    path: str
    kind: bytes
    mode: int
    mtime: int
    payload: Payload = NO_PAYLOAD
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """A layer before it is written: the history's instruction, and the items in tar order."""

    instruction: str
    items: tuple[Item, ...]


class Recipe(Protocol):
    """An image that can be made; equal names promise equal images on one machine."""

    @property
    def name(self) -> str: ...

    def layers(self) -> list[LayerPlan]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedImage:
    """Shaped like a real image: a base, big dependencies, small layers that alter those below."""

    megabytes: int
    files: int
    layer_count: int
    seed: int
    roots: tuple[str, ...] = ROOTS

    @property
    def name(self) -> str:
        name = f"mixed-{self.megabytes}mb-{self.files}files-{self.layer_count}layers-{self.seed}"
        if self.roots == ROOTS:
            return name
        return f"{name}-{hashlib.sha256(':'.join(self.roots).encode()).hexdigest()[:8]}"

    def layers(self) -> list[LayerPlan]:
        source = random.Random(self.seed)
        fresh = self._fresh_items()
        live: dict[str, Item] = {}
        plans = []
        for number, part in enumerate(_share_out(fresh, _weights(self.layer_count))):
            items = {item.path: item for item in part}
            if live:
                for item in _alterations(live, len(part), number, source):
                    items.setdefault(item.path, item)
            live.update((i.path, i) for i in items.values() if i.kind == tarfile.REGTYPE)
            instruction = f"RUN /bin/sh -c build-step --number {number} # buildkit"
            plans.append(LayerPlan(instruction=instruction, items=_with_parents(items)))
        return plans

    def _fresh_items(self) -> list[Item]:
        total_bytes = self.megabytes * 1_000_000
        chosen, size = choose_files(self.roots, self.files, total_bytes, self.seed)
        items = [_machine_item(file) for file in chosen]
        missing = max(0, self.files - sum(1 for file in chosen if not file.target))
        missing = missing or int(size < total_bytes)
        mean = max(0, total_bytes - size) // max(1, missing)
        items += [
            Item(
                f"srv/made/d{number // 5:05}/f{number:06}",
                tarfile.REGTYPE,
                0o644,
                EPOCH,
                Payload("", mean + 1, number),
            )
            for number in range(missing)
        ]
        every_200th = [item for item in items[::200] if item.kind == tarfile.REGTYPE]
        links = [
            Item(f"{item.path}~", tarfile.LNKTYPE, item.mode, item.mtime, link=item.path)
            for item in every_200th
        ]
        beside = {link.link: link for link in links}
        return [
            both for item in items for both in (item, beside.get(item.path)) if both is not None
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyFiles:
    """Nothing but files of a few hundred bytes, a hundred to a directory."""

    files: int
    layer_count: int

    @property
    def name(self) -> str:
        return f"tiny-{self.files}files-{self.layer_count}layers"

    def layers(self) -> list[LayerPlan]:
        each = self.files // self.layer_count
        return [
            _tiny_layer(f"srv/layer{number}/d{{directory:05}}/f{{file:06}}", each)
            for number in range(self.layer_count)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteoutTrial:
    """A layer of files in one directory and, above it, nothing, as many files, or whiteouts."""

    files: int
    upper: str

    @property
    def name(self) -> str:
        return f"whiteouts-{self.files}files-{self.upper}-above"

    def layers(self) -> list[LayerPlan]:
        plans = [_tiny_layer("srv/flat/a{file:06}", self.files)]
        if self.upper == "files":
            plans.append(_tiny_layer("srv/flat/b{file:06}", self.files))
        elif self.upper == "whiteouts":
            marks = [
                _whiteout(item.path) for item in plans[0].items if item.kind == tarfile.REGTYPE
            ]
            items = _with_parents({item.path: item for item in marks})
            plans.append(LayerPlan(instruction="RUN /bin/sh -c rm -r /srv/flat/*", items=items))
        return plans


def _tiny_layer(pattern: str, files: int) -> LayerPlan:
    items: dict[str, Item] = {}
    for number in range(files):
        path = pattern.format(directory=number // 100, file=number)
        payload = Payload("", 50 + number * 37 % 400, number)
        items[path] = Item(path, tarfile.REGTYPE, 0o644, EPOCH, payload)
    return LayerPlan(instruction="COPY files /srv # buildkit", items=_with_parents(items))


def _machine_item(file: MachineFile) -> Item:
    path = file.path.lstrip("/")
    if file.target:
        return Item(path, tarfile.SYMTYPE, 0o777, file.mtime, link=file.target)
    payload = Payload(file.path, file.size)
    return Item(path, tarfile.REGTYPE, file.mode, file.mtime, payload)


def _weights(layer_count: int) -> list[float]:
    """A base of 30 %, dependencies of 40 %, and the rest halved from layer to layer."""
    weights = [2.0**-number for number in range(layer_count)]
    scale = 0.3 / sum(weights)
    weights = [weight * scale for weight in reversed(weights)]
    weights[0] += 0.3
    weights[min(2, layer_count - 1)] += 0.4
    return weights


def _share_out(items: Sequence[Item], weights: Sequence[float]) -> Iterator[list[Item]]:
    """Cut ``items`` into runs, each with its weight of both the bytes and the number."""
    total = sum(item.payload.size for item in items) or 1
    start, reached, limit = 0, 0.0, 0.0
    for layer, weight in enumerate(weights):
        limit += weight
        end = start
        while end < len(items) and (reached < limit or layer == len(weights) - 1):
            reached += items[end].payload.size / total / 2 + 0.5 / len(items)
            end += 1
        yield list(items[start:end])
        start = end


def _alterations(
    live: dict[str, Item], fresh: int, number: int, source: random.Random
) -> Iterator[Item]:
    """What a layer does to files of the layers below: about a tenth of what it adds.

    ``live`` loses what is removed; each file written again is charged in full, as builders do.
    """
    for _ in range(2):
        directory = posixpath.dirname(source.choice(list(live)))
        inside = [path for path in live if path.startswith(f"{directory}/")]
        if len(inside) > min(200, len(live) // 5):
            continue
        for path in inside:
            del live[path]
        yield Item(f"{directory}/{OPAQUE}", tarfile.REGTYPE, 0, EPOCH)
        renewed = Payload("", 5000, number)
        yield Item(f"{directory}/renewed", tarfile.REGTYPE, 0o644, EPOCH, renewed)
    each = 1 + fresh // 50
    touched = source.sample(list(live), min(5 * each, len(live)))
    for position, path in enumerate(touched):
        item = live[path]
        what = position % 5
        if what == 0:
            yield item
        elif what == 1:
            yield item._replace(payload=item.payload._replace(variant=number + 1), mtime=EPOCH)
        elif what == 2:
            yield item._replace(mode=item.mode ^ 0o022)
        else:
            del live[path]
            yield _whiteout(path)


def is_mark(item: Item) -> bool:
    """Whether ``item`` is a whiteout, single or opaque, and no file."""
    return posixpath.basename(item.path).startswith(".wh.")


def _whiteout(path: str) -> Item:
    directory, name = posixpath.split(path)
    return Item(f"{directory}/.wh.{name}", tarfile.REGTYPE, 0, EPOCH)


def _with_parents(items: dict[str, Item]) -> tuple[Item, ...]:
    """All items and the directories they stand in, in the order of their paths."""
    every = dict(items)
    for path in items:
        directory = posixpath.dirname(path)
        while directory and directory not in every:
            every[directory] = Item(directory, tarfile.DIRTYPE, 0o755, EPOCH)
            directory = posixpath.dirname(directory)
    return tuple(every[path] for path in sorted(every))
