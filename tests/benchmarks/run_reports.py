"""Measure every question to a catalogue of 10,000 images, and say which takes too long.

    python tests/benchmarks/run_reports.py [--rounds N] [--catalogue FILE]

Needs layerlens installed for the interpreter that runs this. The catalogue is made where it is not
there (see ``make_catalogue.py``). Exit 0 when every question took less than 3 seconds and 200 MB.
"""

import argparse
import sys
from pathlib import Path

from benchmark_process import environment_with_isal, measure
from make_catalogue import HOST, Size, write_catalogue
from make_image import DEFAULT_DIRECTORY

MOST_SECONDS = 3.0
MOST_BYTES = 200_000_000
QUESTIONS = {
    "report": ["report"],
    "report --json": ["report", "--json"],
    "report --csv": ["report", "--csv"],
    "freed, by rules": ["freed", "--older-than", "30d", "--keep-newest", "2", "--json"],
    "freed, everything": ["freed", "--tags", "*", "--json"],
    "freed, one tag": ["freed", f"{HOST}/team-0/app-50:1.2"],
    "dump": ["dump"],
}


def main() -> int:
    """Print a line a question."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--catalogue", type=Path, default=DEFAULT_DIRECTORY / "catalogue-10000.sqlite"
    )
    arguments = parser.parse_args()
    path: Path = arguments.catalogue
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_catalogue(path, Size(repositories=2000, tags=5))
    failed = False
    for name, words in QUESTIONS.items():
        command = [sys.executable, "-m", "layerlens", "audit", *words, "--db", str(path)]
        samples = [measure(command, environment_with_isal()) for _ in range(arguments.rounds)]
        seconds = min(sample.seconds for sample in samples)
        peak = max(sample.peak_bytes for sample in samples)
        too_much = seconds > MOST_SECONDS or peak > MOST_BYTES
        failed |= too_much
        print(
            f"{name:<18} {seconds:6.2f} s  {peak / 1e6:6.1f} MB  {'too much' if too_much else ''}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
