"""Measure the terminal UI with 100,000 and 500,000 files, and say which targets it meets.

    python tests/benchmarks/run_tui.py [--files N]... [--json] [--into DIR]

Images are made where they are not there yet (see ``make_image.py``). Exit 0 when every target is
met, 1 otherwise. ``ratio`` is what was measured to its target.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmark_layers import TinyFiles
from make_image import DEFAULT_DIRECTORY, make_image

PROBE = Path(__file__).parent / "tui_probe.py"
SIZES = (100_000, 500_000)
MEMORY_AT = 500_000
"""Files of the image for which memory has a target."""

Seconds = dict[str, list[float]]


class Row(NamedTuple):
    """One figure, and how large it may be; None where nothing was promised of it. ``processor``:
    the same of the processor's time alone, which other work on the machine does not change."""

    what: str
    measured: float
    target: float | None
    unit: str
    processor: float | None = None

    @property
    def ratio(self) -> float | None:
        """What was measured to its target."""
        return None if self.target is None else self.measured / self.target


class Kind(NamedTuple):
    """A kind of key: of its times one figure is taken."""

    name: str
    figure: str
    of: Callable[[Sequence[float]], float]
    target: float | None


def p95(times: Sequence[float]) -> float:
    """The time that 95 of 100 do not exceed."""
    return sorted(times)[max(0, -(-len(times) * 95 // 100) - 1)]


KINDS = (
    Kind("first paint", "median", statistics.median, 0.3),
    Kind("move", "p95", p95, 0.05),
    Kind("page", "p95", p95, 0.05),
    Kind("fold or unfold", "p95", p95, 0.05),
    Kind("fold all", "p95", p95, 0.05),
    Kind("unfold all", "p95", p95, 0.05),
    Kind("show or hide", "p95", p95, 0.05),
    Kind("type", "p95", p95, 0.1),
    Kind("another view", "median", statistics.median, None),
)


def probe(what: str, archive: Path) -> Seconds:
    """What the probe found, in a process of its own."""
    command = [sys.executable, "-P", str(PROBE), what, str(archive)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Seconds = json.loads(ran.stdout)
    return found


def rows_for(files: int, into: Path) -> list[Row]:
    """The figures for an image of so many files."""
    archive = make_image(TinyFiles(files=files, layer_count=3), into).docker_archive
    indexes = probe("indexes", archive)  # fills the cache too
    indexes = probe("indexes", archive)
    found = probe("keys", archive)
    rows = [
        Row(
            f"{kind.name} ({kind.figure} of {len(found[kind.name])})",
            kind.of(found[kind.name]) * 1000,
            None if kind.target is None else kind.target * 1000,
            "ms",
            kind.of(found[f"{kind.name}: processor"]) * 1000
            if f"{kind.name}: processor" in found
            else None,
        )
        for kind in KINDS
    ]
    beyond = (found["memory"][0] - indexes["memory"][0]) / 1e6
    rows.append(Row("memory beyond the indexes", beyond, 120 if files == MEMORY_AT else None, "MB"))
    return rows


def table(files: int, rows: Sequence[Row]) -> str:
    """The figures as aligned text."""
    lines = [f"{files} files"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:6.2f} of {row.target:g} {row.unit}"
        verdict = "" if row.ratio is None else "  ok" if row.ratio <= 1 else "  over"
        used = "" if row.processor is None else f"  ({row.processor:.1f} ms of the processor)"
        figure = f"{row.what:<36}{row.measured:8.1f} {row.unit}"
        lines.append(f"  {figure}  {ratio}{verdict}{used}".rstrip())
    return "\n".join(lines)


def main() -> int:
    """Print a table for each size; whether a target was missed."""
    parser = argparse.ArgumentParser(description="Measure the terminal UI.")
    parser.add_argument("--files", action="append", type=int, help=f"default: {SIZES}")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, metavar="DIR")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}", file=sys.stderr)
    found = {files: rows_for(files, options.into) for files in options.files or SIZES}
    if options.json:
        document = [
            {"files": files, **row._asdict(), "ratio": row.ratio}
            for files, rows in found.items()
            for row in rows
        ]
        print(json.dumps(document, indent=2))
    else:
        print("\n".join(table(files, rows) for files, rows in found.items()))
    met = all(row.ratio is None or row.ratio <= 1 for rows in found.values() for row in rows)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
