"""``WWW-Authenticate`` taken apart: several challenges in one header, quoted, in any case.

RFC 9110, 11.6.1: challenges and their parameters are both separated by commas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_WORD}|[^\s",=]+))')
_SCHEME = re.compile(rf"({_WORD})(?=[ \t,]|$)")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")
_SEPARATORS = re.compile(r"[ \t,]*")
_ESCAPED = re.compile(r"\\(.)")
_LONGEST_HEADER = 8 << 10


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in. ``scheme`` and the parameters' names are in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a header, in order; what can't be read of it is passed over."""
    header = header[:_LONGEST_HEADER]
    found: list[tuple[str, dict[str, str]]] = []
    position = _after_separators(header, 0)
    while position < len(header):
        parameter = _PARAMETER.match(header, position)
        scheme = _SCHEME.match(header, position)
        if parameter is not None and found:
            name = parameter[1].lower()
            quoted_text, plain = parameter[2], parameter[3]
            value = plain if quoted_text is None else _ESCAPED.sub(r"\1", quoted_text)
            found[-1][1].setdefault(name, value)
            position = parameter.end()
        elif scheme is not None:
            found.append((scheme[1].lower(), {}))
            position = scheme.end()
            credentials = _TOKEN68.match(header, position)
            if credentials is not None and not _is_scheme_next(header, position):
                position = credentials.end()
        else:
            position += 1
        position = _after_separators(header, position)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


def _is_scheme_next(header: str, position: int) -> bool:
    """Whether what looks like a token68 is a parameter (``a=b`` reads as either up to there)."""
    return _PARAMETER.match(header, _after_separators(header, position)) is not None


def _after_separators(header: str, position: int) -> int:
    match = _SEPARATORS.match(header, position)
    return match.end() if match else position
