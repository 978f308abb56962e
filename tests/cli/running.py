"""The command run as a person would, in this process, with a cache of its own."""

from dataclasses import dataclass
from typing import Protocol

import pytest

from layerlens.cli.main import main

from .golden import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended, and what it wrote."""

    status: int
    out: bytes
    err: str

    def text(self) -> str:
        """What went to stdout, of a command that ended well."""
        assert self.status == 0, self.err
        return self.out.decode()


class Run(Protocol):
    """Runs ``layerlens`` with words."""

    def __call__(self, *words: str) -> Ran: ...


def runner(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], cache: str
) -> Run:
    """A function that runs ``layerlens`` with the words it is given, from the repository's root."""
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(ROOT)

    def run(*words: str) -> Ran:
        status = main(list(words))
        captured = capfdbinary.readouterr()
        return Ran(status=status, out=captured.out, err=captured.err.decode())

    return run
