"""Which requests to the test registry meet a fault, and how often.

The faults themselves stand in tests/registry_faults.py.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from registry_messages import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One meeting of a request and a fault. ``turn``: how often the fault's rule was met before."""

    request: Request
    origin: str
    turn: int

    def filled_in(self, text: str) -> str:
        """The text with ``{origin}`` and ``{target}`` replaced."""
        return text.replace("{origin}", self.origin).replace("{target}", self.request.target)


class Fault(Protocol):
    """Something wrong."""

    def applied(self, response: Response, occasion: Occasion) -> Response:
        """What is answered in place of ``response``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which requests a fault meets: those let in, of this method and path (patterns as of the
    shell, ``*`` also over slashes; the query does not count), after the first ``skip`` and
    ``times`` times (None: always)."""

    fault: Fault
    method: str = "GET"
    path: str = "*"
    skip: int = 0
    times: int | None = None

    def matches(self, request: Request) -> bool:
        """Whether the request is one of those, whatever came before."""
        return fnmatchcase(request.method, self.method) and fnmatchcase(request.path, self.path)


class DeclaredRules:
    """Rules, and how often each was met."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._lock = threading.Lock()
        self._rules = [(rule, [0]) for rule in rules]

    def add(self, rules: tuple[Rule, ...]) -> None:
        """From now on also these; they begin to count now."""
        with self._lock:
            self._rules += [(rule, [0]) for rule in rules]

    def clear(self) -> None:
        """From now on none."""
        with self._lock:
            self._rules.clear()

    def applied(self, response: Response, request: Request, origin: str) -> Response:
        """The answer after every fault that the request meets, in their order; counts it."""
        for fault, occasion in self._met(request, origin):
            response = fault.applied(response, occasion)
        return response

    def _met(self, request: Request, origin: str) -> list[tuple[Fault, Occasion]]:
        meetings: list[tuple[Fault, Occasion]] = []
        with self._lock:
            for rule, count in self._rules:
                if not rule.matches(request):
                    continue
                turn = count[0] - rule.skip
                count[0] += 1
                if turn >= 0 and (rule.times is None or turn < rule.times):
                    occasion = Occasion(request=request, origin=origin, turn=turn)
                    meetings.append((rule.fault, occasion))
        return meetings
