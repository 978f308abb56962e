"""What goes into a benchmark image: files of this machine, and made-up ones where they run out.

Says which files and what bytes; lays out no layer and writes no archive.
"""

import os
import random
import stat
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOTS = ("/usr", "/opt")
LARGEST_SHARE = 20  # no file is more than a twentieth of the image
BLOCK = 1 << 20
MADE_UP = 1 << 18  # repeated beyond the 32 KiB that deflate looks back


class Payload(NamedTuple):
    """The bytes of one file: ``size`` of them, from ``path`` or, without one, made from ``seed``.

    Where ``variant`` is not 0 it replaces the first bytes: the same file with other content.
    """

    path: str
    size: int
    seed: int = 0
    variant: int = 0

    def chunks(self) -> Iterator[bytes]:
        """Yield exactly ``size`` bytes, whatever happened to the file since it was listed."""
        left = self.size
        head = self.variant.to_bytes(8, "little")[:left] if self.variant else b""
        for chunk in _read(self.path) if self.path else _synthesise(self.seed, self.size):
            piece = head + chunk[len(head) : left]
            head = b""
            left -= len(piece)
            yield piece
            if left <= 0:
                return
        while left > 0:
            yield bytes(min(left, BLOCK))
            left -= BLOCK


class MachineFile(NamedTuple):
    """A regular file, or a symlink where ``target`` is not empty, found on this machine."""

    path: str
    size: int
    mode: int
    mtime: int
    target: str


def choose_files(
    roots: Sequence[str], count: int, total_bytes: int, seed: int
) -> tuple[list[MachineFile], int]:
    """Up to ``count`` files of ``roots``, sized near their share of ``total_bytes``, and their sum.

    Whole directories are taken in an order drawn from ``seed``, so that neighbours stay together
    as they do in real layers. Fewer come back where the machine has fewer; where the bytes fall
    short, the largest files left out are added until they are reached.
    """
    largest = total_bytes // LARGEST_SHARE
    chosen: list[MachineFile] = []
    spare: list[MachineFile] = []
    files = size = 0
    for found in _walk(roots, seed):
        if files == count:
            break
        if found.size > largest or not os.access(found.path, os.R_OK):
            continue
        if size + found.size > total_bytes * (files + 1) // count + largest:
            spare.append(found)
            continue
        chosen.append(found)
        if not found.target:
            files += 1
            size += found.size
    for found in sorted(spare, key=lambda file: (-file.size, file.path)):
        if size >= total_bytes:
            break
        chosen.append(found)
        size += found.size
    return chosen, size


def _walk(roots: Sequence[str], seed: int) -> Iterator[MachineFile]:
    for root in roots:
        directories = sorted(directory for directory, _, _ in os.walk(root))
        random.Random(seed).shuffle(directories)
        for directory in directories:
            yield from _files_in(directory)


def _files_in(directory: str) -> Iterator[MachineFile]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        path = os.path.join(directory, name)
        try:
            status = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
        except OSError:
            continue
        if target or stat.S_ISREG(status.st_mode):
            size = 0 if target else status.st_size
            mode = stat.S_IMODE(status.st_mode)
            yield MachineFile(path, size, mode, int(status.st_mtime), target)


def _read(path: str) -> Iterator[bytes]:
    try:
        with Path(path).open("rb", buffering=0) as file:
            while chunk := file.read(BLOCK):
                yield chunk
    except OSError:
        return


def _synthesise(seed: int, size: int) -> Iterator[bytes]:
    """Half of the seeds give words, which shrink about threefold, half give a binary mixture."""
    block = _words() if seed % 2 else _binary()
    start = (seed * 7919) % len(block)
    left = size
    while left > 0:
        piece = block[start : start + left]
        start = 0
        left -= len(piece)
        yield piece


@cache
def _words() -> bytes:
    source = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = [
        "".join(source.choices(letters, range(len(letters), 0, -1), k=source.randint(2, 11)))
        for _ in range(4000)
    ]
    return " ".join(source.choices(words, k=MADE_UP // 7)).encode()


@cache
def _binary() -> bytes:
    source = random.Random(2)
    return bytes(
        source.choices(range(256), [1 + 4096 // (1 + value) for value in range(256)], k=MADE_UP)
    )
