"""A git repository made for a test, commit by commit, from one stream."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

START = 1_700_000_000
DAY = 86_400

Files = Mapping[str, bytes | None]
"""What a commit does: content by path, None where a file is removed; ``+x`` at the end of a
path makes it executable, ``@`` a symlink."""


class Repository:
    """A repository below ``path``, with its work tree checked out by `check_out`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self._stream: list[bytes] = []
        self._count = 0

    def git(self, *words: str, stdin: bytes = b"") -> bytes:
        """Runs git there, away from the configuration of whoever runs the tests."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def commit(
        self, files: Files, *, branch: str = "main", merging: str | None = None, days: float = 1
    ) -> None:
        """Adds a commit to what `check_out` will write, ``days`` after the one before."""
        self._count += 1
        time = START + int(self._count * days * DAY)
        self._stream.append(
            f"commit refs/heads/{branch}\nmark :{self._count}\n"
            f"committer a <a@example.com> {time} +0000\ndata 1\nx\n".encode()
        )
        if merging is not None:
            self._stream.append(f"merge refs/heads/{merging}\n".encode())
        for name, content in files.items():
            path = os.fsencode(name.removesuffix("+x").removesuffix("@"))
            quoted = (
                b'"'
                + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
                + b'"'
            )
            if content is None:
                self._stream.append(b"D " + quoted + b"\n")
                continue
            mode = b"100755" if name.endswith("+x") else b"100644"
            mode = b"120000" if name.endswith("@") else mode
            self._stream.append(b"M " + mode + b" inline " + quoted + b"\n")
            self._stream.append(f"data {len(content)}\n".encode() + content + b"\n")
        self._stream.append(b"\n")

    def branch(self, name: str, at: str) -> None:
        """A branch that starts at another."""
        self._stream.append(f"reset refs/heads/{name}\nfrom refs/heads/{at}\n\n".encode())

    def check_out(self) -> None:
        """Writes all commits, and the work tree of ``main``."""
        self.git("fast-import", "--quiet", stdin=b"".join(self._stream))
        self._stream.clear()
        self.git("reset", "-q", "--hard", "main")
