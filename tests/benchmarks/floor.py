"""What reading an image cannot cost less than, or is compared with: the benchmarks' floors.

    python tests/benchmarks/floor.py inflate ARCHIVE    zlib and SHA-256, a process a core
    python tests/benchmarks/floor.py tarfile ARCHIVE    for member in tarfile.open(layer): pass
    python tests/benchmarks/floor.py pass               python -c pass

Nothing of layerlens is imported. The first two take an OCI archive or a docker-archive as
``make_image.py`` writes them, and time the work alone, without the interpreter's start.
"""

import argparse
import hashlib
import multiprocessing
import os
import subprocess
import sys
import tarfile
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

READ_SIZE = 1 << 18  # larger reads fall out of the processor's cache and are slower
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31


class Blob(NamedTuple):
    """A layer's bytes as they stand in the file ``archive``; offset and size in bytes."""

    archive: Path
    offset: int
    size: int
    gzipped: bool


def layer_blobs(archive: Path) -> list[Blob]:
    """Every member that holds a layer, in the archive's order: what is neither JSON nor empty."""
    blobs = []
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            stored = tar.extractfile(member)
            magic = stored.read(2) if stored else b""
            if magic and not magic.startswith((b"{", b"[")):
                gzipped = magic == GZIP_MAGIC
                blobs.append(Blob(archive, member.offset_data, member.size, gzipped))
    return blobs


def inflate_and_hash(blob: Blob) -> str:
    """The DiffID's hexadecimal digits: the blob read, inflated where it is gzip, and hashed."""
    digest = hashlib.sha256()
    inflater = zlib.decompressobj(GZIP_WINDOW)
    with blob.archive.open("rb", buffering=0) as file:
        file.seek(blob.offset)
        left = blob.size
        while left > 0 and (data := file.read(min(READ_SIZE, left))):
            left -= len(data)
            digest.update(inflater.decompress(data) if blob.gzipped else data)
    return digest.hexdigest()


def inflate_all(archive: Path) -> float:
    """Seconds to inflate and hash every layer: one process a core, the largest blobs first."""
    blobs = sorted(layer_blobs(archive), key=lambda blob: -blob.size)
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    start = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        for _ in pool.map(inflate_and_hash, blobs):
            pass
    return time.perf_counter() - start


def iterate_all(archive: Path) -> tuple[float, int]:
    """Seconds of tarfile's bare loop over every layer in this process, and the members it met.

    A gzip blob is opened as ``tarfile.open`` does by default, through ``gzip``; a plain layer is
    read where it stands in the archive's own seekable file, with nothing in between.
    """
    members = 0
    start = time.perf_counter()
    for blob in layer_blobs(archive):
        with blob.archive.open("rb") as file:
            file.seek(blob.offset)
            with tarfile.open(fileobj=file) as tar:
                for _ in tar:
                    members += 1
    return time.perf_counter() - start, members


def start_interpreter() -> float:
    """Seconds of ``python -c pass``, as a whole process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a floor, several times.")
    parser.add_argument("what", choices=("inflate", "tarfile", "pass"))
    parser.add_argument("archive", type=Path, nargs="?", help="for inflate and tarfile")
    parser.add_argument("--times", type=int, default=1, help="how often (default: 1)")
    options = parser.parse_args()
    if options.what != "pass" and options.archive is None:
        parser.error(f"{options.what} needs an ARCHIVE")
    for _ in range(options.times):
        if options.what == "inflate":
            blobs = layer_blobs(options.archive)
            kind = "gzip" if any(blob.gzipped for blob in blobs) else "plain"
            print(f"{inflate_all(options.archive):.3f} s  {len(blobs)} {kind} layers", flush=True)
        elif options.what == "tarfile":
            blobs = layer_blobs(options.archive)
            kind = "gzip, r:gz" if any(blob.gzipped for blob in blobs) else "plain, seekable"
            seconds, members = iterate_all(options.archive)
            print(f"{seconds:.3f} s  {members} members ({kind})", flush=True)
        else:
            print(f"{start_interpreter():.4f} s", flush=True)


if __name__ == "__main__":
    main()
