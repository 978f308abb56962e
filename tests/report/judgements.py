"""Verdicts made up for tests of how they are written."""

from fractions import Fraction

from layerlens.analysis.rules import RULE_KINDS, Judgement, Limit, Place, Rule, Status, Verdict

HOSTILE = "\x1b[31m`|*_<b>&amp;\"'%,:\n\r::error::\ud800\udcff\u202e\ufffe]]>--><!--@me #1 www.x.y"
"""A name that would like to be markup, a command or an address."""


def verdict(
    name: str,
    status: Status,
    value: Fraction | int | None = None,
    limit: Limit | int | None = None,
    *places: Place,
    why: str | None = None,
) -> Verdict:
    """A verdict on a rule of the kind called *name*."""
    kind = RULE_KINDS[name]
    rule = Rule(
        kind=kind, limit=Fraction(limit) if isinstance(limit, int) else limit, source="test"
    )
    number = None if value is None else Fraction(value)
    return Verdict(rule=rule, status=status, value=number, why=why, places=places)


def place(path: str | None = None, layer: int | None = None) -> Place:
    """Something of 1,500 bytes there."""
    return Place(path=path, layer=layer, bytes=1500, note=f"note of {path}")


ALL_SORTS = Judgement(
    verdicts=(
        verdict("max-image-size", Status.PASS, 5_000_000, 10_000_000),
        verdict("max-layer-size", Status.FAIL, 12_345_678, 10_000_000, place(layer=3)),
        verdict("min-live-share", Status.FAIL, Fraction(57, 100), Fraction(9, 10)),
        verdict("max-growth", Status.SKIP, None, 10, why=f"no baseline {HOSTILE}"),
        verdict(
            "forbidden-files",
            Status.FAIL,
            3,
            ("*",),
            place("/app/.env", 4),
            place(f"/{HOSTILE}", 0),
            place("/caf\udce9:x/%41", 1),
        ),
        verdict("lowest-efficiency", Status.SKIP, None, None, why="switched off"),
    )
)
"""Each status, places with and without paths, and hostile names."""
