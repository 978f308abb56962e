"""Limits as people write them: sizes, shares, percentages, and the words that switch a rule off.

Sizes are read as dive reads them (go-humanize's ParseBytes): MB is 10^6 bytes, MiB 2^20, letters
of either case, commas between digits allowed, a bare number is bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from fractions import Fraction

from layerlens.analysis.rules import RuleKind, Unit
from layerlens.errors import UsageError
from layerlens.oci.quoting import quoted

OFF_WORDS = frozenset({"", "disabled", "off", "false"})

_DECIMAL = re.compile(r"[+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_SIZE = re.compile(r"([0-9.,]+)\s*([a-z]*)")
_UNITS = {
    "": 1,
    "b": 1,
    **{
        f"{letter}{end}": base ** (power + 1)
        for power, letter in enumerate("kmgtpe")
        for end, base in (("", 1000), ("b", 1000), ("i", 1024), ("ib", 1024))
    },
}
_MOST = 2**64

LONGEST = 100
"""Characters that a limit may have: what is longer is no number that anybody means."""


def is_off(text: str) -> bool:
    """Whether a limit says that the rule is switched off."""
    return text.strip().lower() in OFF_WORDS


def parse_size(text: str) -> int:
    """Bytes of ``20MB``, ``1.5 GiB``, ``1,024`` or ``512``. Raises UsageError."""
    match = _SIZE.fullmatch(text.strip().lower()) if len(text) <= LONGEST else None
    number = match[1].replace(",", "") if match else ""
    if match is None or not re.fullmatch(r"[0-9]+\.?[0-9]*|\.[0-9]+", number):
        raise UsageError(f"{quoted(text)} is no size, such as 20MB, 1.5GiB or 512")
    if match[2] not in _UNITS:
        unit = quoted(text.strip()[match.start(2) :])
        raise UsageError(f"{quoted(text)}: {unit} is no unit of sizes, such as kB, MB or GiB")
    size = int(float(number) * _UNITS[match[2]])
    if size >= _MOST:
        raise UsageError(f"{quoted(text)} is more than 16 EiB")
    return size


def parse_decimal(text: str) -> Fraction:
    """The exact value of a decimal number that is not negative. Raises UsageError."""
    text = text.strip()
    if len(text) > LONGEST or not _DECIMAL.fullmatch(text):
        raise UsageError(f"{quoted(text)} is no number, such as 0.95")
    return Fraction(text)


def parse_share(text: str) -> Fraction:
    """A part of a whole: ``0.95`` or ``95%``. Raises UsageError outside of 0 to 1."""
    number, percent, rest = text.strip().partition("%")
    share = parse_decimal(number if not rest else text)
    if percent:
        share /= 100
    if share > 1:
        raise UsageError(f"{quoted(text)} is no part of a whole: write 0 to 1, or 0% to 100%")
    return share


def parse_percent(text: str) -> Fraction:
    """``5%`` or ``5``, as the number 5. Raises UsageError."""
    return parse_decimal(text.strip().removesuffix("%"))


def parse_limit(kind: RuleKind, text: str) -> Fraction | None:
    """The limit that *text* sets for a rule of one number; None where it switches the rule off.

    Raises UsageError, which does not name the rule.
    """
    if is_off(text):
        return None
    if kind.unit is Unit.BYTES:
        if text.strip().endswith("%"):
            raise UsageError(f"{quoted(text)} is no size: growth in percent is max-growth-percent")
        return Fraction(parse_size(text))
    return parse_share(text) if kind.unit is Unit.SHARE else parse_percent(text)


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence for a *name* that is not among the *known*, with the nearest of them."""
    names = list(known)
    folded = {each.lower().replace("-", "").replace("_", ""): each for each in names}
    near = get_close_matches(
        name.lower().replace("-", "").replace("_", ""), folded, n=1, cutoff=0.5
    )
    hint = f"did you mean {folded[near[0]]}?" if near else f"known are {', '.join(names)}"
    return f"unknown {what} {quoted(name)}: {hint}"
