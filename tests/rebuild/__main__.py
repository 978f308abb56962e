"""Try projects, and print what came of them as a table.

    sudo python -m tests.rebuild [--work DIRECTORY] [PROJECT ...]

It needs root, buildah, mmdebstrap, docker-registry, npm, pip, git and patch, some 5 GB, and a few
minutes a project. The status is 1 where a suggestion broke an image, or one is missing or too much.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from . import base_image
from .projects import projects
from .registry import serving
from .replaying import Result, removed, tried
from .tools import Failed


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="tests.rebuild")
    parser.add_argument("projects", metavar="PROJECT", nargs="*")
    parser.add_argument("--work", default="/var/tmp/layerlens-rebuild", type=Path)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("building needs root")
    arguments.work.mkdir(parents=True, exist_ok=True)
    lock = base_image.prepare(arguments.work)
    known = {project.name: project for project in projects(lock)}
    wanted = arguments.projects or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no such project: {', '.join(unknown)}; there are {', '.join(known)}")
    results: list[Result] = []
    for name in wanted:
        started = time.monotonic()
        try:
            with serving(arguments.work) as registry:
                result = tried(known[name], arguments.work, registry)
        except Failed as error:
            print(f"{name}: {error}", file=sys.stderr)
            result = Result(
                name=name, expected=known[name].expected, suggested="failed", broken=("failed",)
            )
        results.append(result)
        print(f"{name}: {time.monotonic() - started:.0f} s {result}", file=sys.stderr, flush=True)
    removed()
    for line in table(results):
        print(line)
    fine = all(
        not result.broken and (result.suggested != "-") == result.expected for result in results
    )
    return 0 if fine else 1


def table(results: list[Result]) -> list[str]:
    """The results as Markdown."""
    lines = [
        "| project | tier | same image | rebuilds | MB before | MB after | less | predicted |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    shares: list[float] = []
    for each in results:
        if each.before is None or each.after is None:
            why = "none, as it should be" if not each.expected else "none"
            same = "broken" if each.broken else ""
            lines.append(f"| {each.name} | {each.suggested} | {same or why} | | | | | |")
            continue
        less = 1 - each.after / each.before if each.before else 0.0
        shares.append(less)
        assert each.predicted_before is not None
        assert each.predicted_after is not None
        guess = 1 - each.predicted_after / each.predicted_before if each.predicted_before else 0.0
        same = "no: " + ", ".join(each.broken[:3]) if each.broken else "yes"
        lines.append(
            f"| {each.name} | {each.suggested} | {same} | {each.rebuilds} "
            f"| {each.before / 1e6:.1f} | {each.after / 1e6:.1f} | {less:.0%} | {guess:.0%}: "
            f"{each.predicted_before / 1e6:.1f} → {each.predicted_after / 1e6:.1f} |"
        )
    if shares:
        lines.append(f"| mean | | | | | | {sum(shares) / len(shares):.0%} | |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
