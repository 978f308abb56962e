"""A finding with the place in a Dockerfile where it is to be mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.analysis.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedFinding:
    """``line``: of the instruction to be changed, counted from 1; None where no instruction tells.

    ``lines``: of the other instructions that had a hand in it, by the numbers of their layers;
    those of the base image are not among them.
    """

    finding: Finding
    line: int | None
    lines: Mapping[int, int]
