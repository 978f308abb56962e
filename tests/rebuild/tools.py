"""Running other programs: loudly when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent


class Failed(Exception):
    """A program that ended badly, with the end of what it said."""


def output_of(
    *words: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    statuses: tuple[int, ...] = (0,),
) -> str:
    """What a program writes to stdout; Failed where it ends with another status."""
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in statuses:
        said = (done.stdout + done.stderr)[-2000:]
        raise Failed(f"{' '.join(words)}: status {done.returncode}\n{said}")
    return done.stdout


def run(*words: str, cwd: Path | None = None) -> None:
    """Run a program for what it does."""
    output_of(*words, cwd=cwd)
