"""Measure crawls and reports of a registry of 10,000 images, and say which targets are met.

    python tests/benchmarks/benchmark_audit.py [--repositories N] [--tags N] [--rounds N]
                                               [--jobs N] [--json]

The registry runs on loopback in a process of its own (``audit_registry.py``); what a crawl cannot
do without is asked by bare ``requests.Session`` loops (``audit_floor.py``), interleaved with the
crawls. Needs layerlens installed for the interpreter that runs this. Exit 0 when every target is
met, 1 otherwise.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmark_process import HERE, CommandError, Sample, measure
from benchmark_rows import Figures

FLOOR = HERE / "audit_floor.py"
REGISTRY = HERE / "audit_registry.py"
MEMORY = 200_000_000
REPORT_SECONDS = 3.0
RATE = 0.7
FASTER = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running registry, and a directory with the requests that crawls cannot do without."""

    host: str
    directory: Path

    def catalogue(self) -> Path:
        """Where it is crawled into."""
        return self.directory / "catalogue.sqlite"


@dataclass(slots=True)
class Measurements:
    """Samples by what was run."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, name: str, sample: Sample) -> None:
        """One more; told on stderr."""
        self.samples.setdefault(name, []).append(sample)
        peak = f", {sample.peak_bytes / 1e6:.0f} MB" if sample.peak_bytes else ""
        note(f"{name}: {sample.seconds:.2f} s{peak}")

    def seconds(self, name: str) -> float:
        """The median."""
        return median(sample.seconds for sample in self.samples[name])

    def peak(self) -> int:
        """The largest of all layerlens's processes, in bytes."""
        return max(sample.peak_bytes for samples in self.samples.values() for sample in samples)


@contextlib.contextmanager
def registry(repositories: int, tags: int) -> Iterator[Served]:
    """A registry for as long as the block runs."""
    with tempfile.TemporaryDirectory() as directory:
        options = ["--repositories", str(repositories), "--tags", str(tags)]
        with subprocess.Popen(
            [sys.executable, str(REGISTRY), *options, "--requests", directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            assert process.stdin
            host = process.stdout.readline().strip()
            yield Served(host=host, directory=Path(directory))
            process.stdin.close()


def floor(served: Served, which: str, jobs: int) -> Sample:
    """The bare loops, without the interpreter's start."""
    with (served.directory / which).open() as requests:
        ran = subprocess.run(
            [sys.executable, str(FLOOR), served.host, str(jobs)],
            stdin=requests,
            check=True,
            capture_output=True,
            text=True,
        )
    return Sample(float(ran.stdout), 0)


def layerlens(served: Served, *words: str) -> Sample:
    """A command on the catalogue, start and all. Raises CommandError."""
    command = [sys.executable, "-P", "-m", "layerlens", "audit", *words]
    return measure([*command, "--db", str(served.catalogue())], os.environ)


def run_rounds(served: Served, rounds: int, jobs: int) -> Measurements:
    """Crawls against floors, then the reports, round after round; the first crawl, which takes
    longest, stands between two floors, so that a busy moment does not fall on one alone."""
    found = Measurements()
    for _ in range(rounds):
        served.catalogue().unlink(missing_ok=True)
        found.add("floor of the first", floor(served, "first", jobs))
        found.add("first crawl", layerlens(served, served.host, "--jobs", str(jobs)))
        found.add("floor of the first", floor(served, "first", jobs))
        found.add("floor of the second", floor(served, "second", jobs))
        found.add("second crawl", layerlens(served, served.host, "--jobs", str(jobs)))
        for words in reports(served):
            found.add(" ".join(words), layerlens(served, *words))
    return found


def reports(served: Served) -> list[tuple[str, ...]]:
    """What the catalogue is asked."""
    return [
        ("report", served.host),
        ("report", served.host, "--json"),
        ("freed", "--registry", served.host, "--keep-newest", "2"),
    ]


def figures_of(found: Measurements, served: Served) -> dict[str, Figures]:
    """Each target: what was measured, and the most it may be of what it is set against."""

    def ratio(measured: float, against: float, target: float | None) -> Figures:
        return Figures(measured=measured, against=against, unit="s", target=target)

    first, second = found.seconds("first crawl"), found.seconds("second crawl")
    rows = {
        "first crawl / bare loops": ratio(first, found.seconds("floor of the first"), 1 / RATE),
        "second crawl / bare loops": ratio(second, found.seconds("floor of the second"), None),
        "second crawl / first crawl": ratio(second, first, 1 / FASTER),
        "peak memory / 200 MB": Figures(
            measured=found.peak() / 1e6, against=MEMORY / 1e6, unit="MB", target=1
        ),
    }
    for words in reports(served):
        name = " ".join(words)
        shown = name.replace(f" {served.host}", "").replace(" --registry", "")
        rows[f"audit {shown} / 3 s"] = ratio(found.seconds(name), REPORT_SECONDS, 1)
    return rows


def note(text: str) -> None:
    """Progress goes to stderr: stdout is the table."""
    print(text, file=sys.stderr, flush=True)


def line(name: str, row: Figures) -> str:
    """One row of the table."""
    target = "-" if row.target is None else f"{row.target:.2f}"
    verdict = "" if row.target is None else "ok" if row.good else "over"
    numbers = f"{row.measured:9.2f} {row.unit:<2}  {row.against:9.2f} {row.unit:<2}"
    return f"{name:<36}{numbers}  {row.ratio:6.2f}  {target:>6}  {verdict}".rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure crawls and reports of a registry.")
    parser.add_argument("--repositories", type=int, default=2000)
    parser.add_argument("--tags", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    note(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before")
    with registry(options.repositories, options.tags) as served:
        try:
            found = run_rounds(served, options.rounds, options.jobs)
        except CommandError as error:
            print(f"FAILED: {error}")
            return 1
        rows = figures_of(found, served)
        note(f"load {os.getloadavg()[0]:.2f} after")
        note(f"catalogue: {served.catalogue().stat().st_size / 1e6:.1f} MB")
    if options.json:
        figures = {
            name: {"measured": row.measured, "ratio": row.ratio, "target": row.target}
            for name, row in rows.items()
        }
        samples = {
            name: [each._asdict() for each in taken] for name, taken in found.samples.items()
        }
        print(json.dumps({"rows": figures, "samples": samples}, indent=2))
    else:
        heading = f"{'':<36}{'median':>12}  {'against':>12}   ratio  target"
        print("\n".join([heading, *(line(name, row) for name, row in rows.items())]))
    return 0 if all(row.good for row in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
