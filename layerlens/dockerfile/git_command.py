"""git, run to read a repository that may be anybody's.

Without a shell; with nothing that the repository's own configuration names: no pager, no hooks,
no external diff, no signature check, no file-system monitor, and no fetch of what a partial clone
left out. The user's environment does not redirect it to another repository. It ends in time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from layerlens.errors import LimitExceeded, MalformedInput, NotFound

SECONDS = 60.0
"""How long one run of git may take."""

_CHUNK = 1 << 16
_MESSAGE_BYTES = 1 << 16

_GLOBAL_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "safe.bareRepository=explicit",
    "-c",
    "log.showSignature=false",
    "-c",
    "log.showRoot=true",
    "-c",
    "diff.relative=false",
    "-c",
    "diff.ignoreSubmodules=none",
    "-c",
    "diff.orderFile=/dev/null",
)
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_")


class Git:
    """git in one directory. Raises NotFound where git is not installed."""

    def __init__(self, directory: str, *, seconds: float = SECONDS) -> None:
        program = shutil.which("git")
        if program is None:
            raise NotFound("git is not in PATH; without it no history of changes can be read")
        self.directory = directory
        self._program = os.path.abspath(program)
        self._seconds = seconds

    def output(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What a run of git writes, whole."""
        return b"".join(self._chunks(arguments, stdin))

    def fields(self, *arguments: str) -> Iterator[bytes]:
        """What a run with ``-z`` writes, cut at each NUL; read as git writes it."""
        rest = b""
        for chunk in self._chunks(arguments, b""):
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole
        if rest:
            yield rest

    def _chunks(self, arguments: Sequence[str], stdin: bytes) -> Iterator[bytes]:
        """Raises MalformedInput with git's own words where it fails, LimitExceeded in time."""
        with tempfile.TemporaryFile() as messages, tempfile.TemporaryFile() as questions:
            questions.write(stdin)
            questions.seek(0)
            with subprocess.Popen(  # noqa: S603 (no shell, and the program is git)
                [self._program, *_GLOBAL_OPTIONS, *arguments],
                cwd=self.directory,
                env=_environment(),
                stdin=questions,
                stdout=subprocess.PIPE,
                stderr=messages,
            ) as process:
                assert process.stdout is not None
                expired = threading.Event()
                timer = threading.Timer(self._seconds, _end, (process, expired))
                timer.start()
                done = False
                try:
                    while chunk := process.stdout.read1(_CHUNK):  # type: ignore[attr-defined]
                        yield chunk
                    done = True
                finally:
                    timer.cancel()
                    if not done:
                        process.kill()
                status = process.wait()
            if expired.is_set():
                raise LimitExceeded(
                    f"{self.directory}: git {arguments[0]} took over {self._seconds:.0f} s; "
                    "ask for fewer commits"
                )
            if status != 0:
                raise self._failure(messages, arguments)

    def _failure(self, messages: BinaryIO, arguments: Sequence[str]) -> Exception:
        messages.seek(0)
        text = messages.read(_MESSAGE_BYTES).decode("utf-8", "replace")
        said = " ".join(text.split()).removeprefix("fatal: ")
        if "not a git repository" in said:
            return NotFound(f"{self.directory}: is in no git repository")
        if "dubious ownership" in said:
            return NotFound(
                f"{self.directory}: git refuses a repository that another user owns; "
                "'git config --global --add safe.directory' with its path allows it"
            )
        if "does not have any commits" in said or "bad revision 'HEAD'" in said:
            return NotFound(f"{self.directory}: the git repository has no commits")
        if "must be run in a work tree" in said or "cannot use bare repository" in said:
            return NotFound(f"{self.directory}: is in no work tree of a git repository")
        return MalformedInput(f"{self.directory}: git {arguments[0]} failed: {said}")


def _environment() -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return inherited | _SET


def _end(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    process.kill()
