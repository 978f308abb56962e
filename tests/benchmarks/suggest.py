"""Measure ``layerlens suggest`` on a repository of 5,000 files and 500 commits.

    python tests/benchmarks/suggest.py [--rounds N]

The Dockerfile has 40 instructions in two stages, half of them free to be in any order. git's own
``git log`` of the same commits is measured beside it, as the floor. Exit 0 when the best round
keeps to the target.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET_SECONDS = 3.0
FILES, COMMITS, DIRECTORIES = 5000, 500, 50


def main() -> int:
    """Make the repository, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        repository = Path(directory)
        make_repository(repository)
        command = [sys.executable, "-m", "layerlens", "suggest", "-f", "Dockerfile", "--json"]
        log = ["git", "log", "-n", str(COMMITS), "--raw", "-z", "--no-renames"]
        ours = min(_seconds(command, repository) for _ in range(rounds))
        floor = min(_seconds(log, repository) for _ in range(rounds))
    print(
        f"suggest: {ours:.2f} s of {TARGET_SECONDS:.0f} s for {COMMITS} commits, {FILES} files, "
        f"40 instructions (git log alone: {floor:.2f} s)"
    )
    return 0 if ours <= TARGET_SECONDS else 1


def _seconds(command: list[str], directory: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def make_repository(path: Path) -> None:
    """A repository with its work tree, and a Dockerfile that copies its directories."""
    draw = random.Random(1)
    names = [f"part_{n % DIRECTORIES}/sub_{n % 7}/file_{n}.py" for n in range(FILES)]
    stream: list[str] = []
    for number in range(COMMITS + 1):
        changed = names if not number else draw.sample(names, draw.randrange(1, 12))
        stamp = f"a <a@example.com> {1_700_000_000 + number * 9000} +0000"
        stream.append(f"commit refs/heads/main\ncommitter {stamp}\ndata 1\nx\n")
        for name in changed:
            text = f"value = {number}  # {name}\n" * 20
            stream.append(f"M 644 inline {name}\ndata {len(text)}\n{text}\n")
        if number % 40 == 0:
            text = dockerfile(number)
            stream.append(f"M 644 inline Dockerfile\ndata {len(text)}\n{text}\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*words: str, stdin: str | None = None) -> None:
        command = ["git", *words]
        subprocess.run(command, cwd=path, env=environment, input=stdin, text=True, check=True)

    git("init", "-q", "-b", "main")
    git("fast-import", "--quiet", stdin="".join(stream))
    git("reset", "-q", "--hard", "main")


def dockerfile(version: int) -> str:
    """40 instructions: COPYs that are independent of each other, and RUNs that are not."""
    lines = ["FROM python:3.12 AS build", "WORKDIR /src"]
    lines += [f"COPY part_{n} /src/part_{n}" for n in range(14)]
    lines += [f"RUN make step-{n} VERSION={version}" for n in range(3)]
    lines += ["FROM python:3.12-slim", "WORKDIR /app", "ENV A=1", "ARG B=2"]
    lines += [f"COPY part_{n} /app/part_{n}" for n in range(20, 34)]
    lines += ["COPY --from=build /src/out /app/out", 'CMD ["python3"]']
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
