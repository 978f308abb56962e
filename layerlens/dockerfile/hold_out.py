"""Whether a saving that past events promise holds for events it was not looked for in.

An order is fitted to the oldest events, and what it saves is measured on the newest.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from layerlens.dockerfile.build_model import Unit
from layerlens.dockerfile.cost import Comparison
from layerlens.dockerfile.ordering import bits

FITTED_PERCENT = 70
FEWEST_REBUILDS = 10
"""With fewer rebuilds than these nothing is held out: orders are fitted to all there are."""

LEAST_SAVED_SHARE = Fraction(5, 100)
LEAST_SAVED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Events as bit masks: those that orders are fitted to, and those that savings are reported
    on. The same ones where there are too few to hold any out."""

    fitted: int
    reported: int

    @property
    def held_out(self) -> bool:
        """Whether the saving is reported on events that nothing was fitted to."""
        return self.fitted & self.reported == 0


def divided(rebuilding: int) -> Division:
    """Divide the events that rebuild anything: the oldest 70 % to fit to, the rest to report."""
    numbers = list(bits(rebuilding))
    if len(numbers) < FEWEST_REBUILDS:
        return Division(fitted=rebuilding, reported=rebuilding)
    fitted = sum(1 << number for number in numbers[: len(numbers) * FITTED_PERCENT // 100])
    return Division(fitted=fitted, reported=rebuilding & ~fitted)


def worth_it(comparison: Comparison) -> bool:
    """Whether a saving is large enough to be suggested: 5 %, or 1 MB a rebuild."""
    if comparison.saved <= 0:
        return False
    enough = comparison.unit is Unit.BYTES and comparison.saved >= LEAST_SAVED_BYTES
    return enough or comparison.saved_share >= LEAST_SAVED_SHARE
