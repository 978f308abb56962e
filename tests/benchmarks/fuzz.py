"""Every truncation and every flipped bit of small archives: a long run, by hand.

    python tests/benchmarks/fuzz.py [SAMPLE ...] [--way file|pipe]

Prints a line for each case that gives neither the right answer nor a named error, and a count for
each sample; the exit status is 1 where there was such a case. Takes some minutes on one core.
"""

import argparse
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streams.fuzzing import SAMPLES, Way, answer_of, complaint, flipped, truncated

MASKS = (1, 2, 4, 8, 16, 32, 64, 128, 255)


def run(name: str, way: Way, label: str) -> int:
    """Try all damage to one sample; the number of complaints."""
    sample = SAMPLES[name]
    with way.name_for(sample) as image:
        right = answer_of(image)
    start = time.perf_counter()
    cases = complaints = 0
    for damage, data in chain(truncated(sample), flipped(sample, MASKS)):
        cases += 1
        problem = complaint(way, data, right)
        if problem:
            complaints += 1
            print(f"{name} by {label}: {damage}: {problem}", flush=True)
    seconds = time.perf_counter() - start
    print(f"{name} by {label}: {cases} cases, {complaints} complaints, {seconds:.0f} s", flush=True)
    return complaints


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("samples", nargs="*", metavar="SAMPLE", help=", ".join(SAMPLES))
    parser.add_argument("--way", choices=["file", "pipe"], action="append")
    options = parser.parse_args()
    unknown = set(options.samples) - set(SAMPLES)
    if unknown:
        parser.error(f"no such sample: {', '.join(sorted(unknown))}")
    complaints = 0
    with tempfile.TemporaryDirectory() as scratch:
        for label in options.way or ["file", "pipe"]:
            way = Way(label, Path(scratch))
            complaints += sum(run(name, way, label) for name in options.samples or SAMPLES)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
