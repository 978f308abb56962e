"""Measure layerlens against its floors, interleaved in one run, and say which targets it meets.

    python tests/benchmarks/run.py [--only ROW]... [--rounds N] [--json] [--into DIR]

Needs layerlens installed for the interpreter that runs this. Images are made where they are not
there yet (see ``make_image.py``). Exit 0 when every target is met, 1 otherwise.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark_process import CommandError, Sample, environment_without_isal, has_isal
from benchmark_rows import Figures, Probe, Row, make_probes, make_rows
from make_image import DEFAULT_DIRECTORY, MIXED, MadeImage, make_image

READ_SIZE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the probes gave: samples of those that ran, the message of those that failed."""

    samples: Mapping[str, Sequence[Sample]]
    failures: Mapping[str, str]


def run_probes(
    probes: Mapping[str, Probe], images: Mapping[str, MadeImage], rounds: int
) -> Measured:
    """Run each probe in turn, round after round, so that a busy moment falls on all alike."""
    samples: dict[str, list[Sample]] = {name: [] for name in probes}
    failures: dict[str, str] = {}
    for number in range(max(probe.times or rounds for probe in probes.values())):
        for name, probe in probes.items():
            if name in failures or number >= (probe.times or rounds):
                continue
            image = images[probe.recipe.name] if probe.recipe else None
            try:
                sample = probe.run(image)
            except CommandError as failure:
                failures[name] = str(failure)
                continue
            samples[name].append(sample)
            note(f"round {number + 1}  {name}: {sample.seconds:.3f} s")
    return Measured(samples=samples, failures=failures)


def make_images(probes: Mapping[str, Probe], into: Path) -> dict[str, MadeImage]:
    """The images of ``probes`` by name, each read once so that no probe waits for the disk."""
    images = {}
    recipes = {probe.recipe.name: probe.recipe for probe in probes.values() if probe.recipe}
    for name, recipe in recipes.items():
        # In a process of its own: a child's peak memory counts from what its parent had.
        with ProcessPoolExecutor(1) as pool:
            images[name] = image = pool.submit(make_image, recipe, into).result()
        for archive in (image.oci_archive, image.docker_archive):
            with archive.open("rb", buffering=0) as file:
                while file.read(READ_SIZE):
                    pass
        facts = image.facts
        note(
            f"{name}: {facts.layers} layers, {facts.entries} entries, {facts.files} files, "
            f"{facts.plain_size / 1e6:.0f} MB raw, {facts.gzipped_size / 1e6:.0f} MB compressed"
        )
    return images


def failure_of(row: Row, measured: Measured) -> str | None:
    """Why ``row`` has no figures, if it has none."""
    return next((measured.failures[name] for name in row.probes if name in measured.failures), None)


def table(rows: Mapping[str, Row], figures: Mapping[str, Figures], measured: Measured) -> str:
    """The rows as aligned text; ``over`` and ``FAILED`` are what to look at."""
    lines = [("row", "what", "median", "against", "ratio", "target", "")]
    for name, row in rows.items():
        if name in figures:
            found = figures[name]
            lines.append(
                (
                    name,
                    row.what,
                    f"{found.measured:.3f} {found.unit}",
                    f"{found.against:.3f} {found.unit}",
                    f"{found.ratio:.3f}",
                    "-" if found.target is None else f"{found.target:g}",
                    "-" if found.target is None else "ok" if found.good else "over",
                )
            )
        else:
            failure = failure_of(row, measured) or ""
            lines.append((name, row.what, "-", "-", "-", "-", f"FAILED: {failure}"))
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_json(
    rows: Mapping[str, Row],
    figures: Mapping[str, Figures],
    measured: Measured,
    images: Mapping[str, MadeImage],
) -> str:
    """The same figures, and every sample, for a program to read."""
    document = {
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "images": {
            name: {"entries": image.facts.entries, "bytes": image.facts.plain_size}
            for name, image in images.items()
        },
        "rows": [
            {
                "name": name,
                "measured": figures[name].measured,
                "against": figures[name].against,
                "unit": figures[name].unit,
                "ratio": figures[name].ratio,
                "target": figures[name].target,
                "ok": figures[name].good,
            }
            if name in figures
            else {"name": name, "ok": False, "failure": failure_of(row, measured)}
            for name, row in rows.items()
        ],
        "samples": {
            name: [sample._asdict() for sample in samples]
            for name, samples in measured.samples.items()
        },
    }
    return json.dumps(document, indent=2)


def note(text: str) -> None:
    """Progress goes to stderr: stdout is the table."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    every = [row.name for row in make_rows(MIXED)]
    parser = argparse.ArgumentParser(description="Measure layerlens against its floors.")
    parser.add_argument("--only", action="append", choices=every, metavar="ROW", help=str(every))
    parser.add_argument("--rounds", type=int, default=5, help="runs of each probe (default: 5)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, metavar="DIR")
    parser.add_argument("--megabytes", type=int, default=MIXED.megabytes, help="mixed image, raw")
    parser.add_argument("--files", type=int, default=MIXED.files, help="of the mixed image")
    options = parser.parse_args()
    if has_isal(environment_without_isal()):
        parser.error("isal can be imported although it is blocked: the ratios would lie")
    mixed = replace(MIXED, megabytes=options.megabytes, files=options.files)
    rows = {row.name: row for row in make_rows(mixed) if row.name in (options.only or every)}
    needed = {name for row in rows.values() for name in row.probes}
    probes = {name: probe for name, probe in make_probes(mixed).items() if name in needed}
    images = make_images(probes, options.into)
    note(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before")
    measured = run_probes(probes, images, options.rounds)
    note(f"load {os.getloadavg()[0]:.2f} after")
    facts = {name: image.facts for name, image in images.items()}
    figures = {
        name: row.figures(measured.samples, facts)
        for name, row in rows.items()
        if failure_of(row, measured) is None
    }
    if options.json:
        print(as_json(rows, figures, measured, images))
    else:
        print(table(rows, figures, measured))
    return 0 if all(name in figures and figures[name].good for name in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
