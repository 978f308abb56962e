"""The edges between a stage's steps: which pairs must keep their order, and on what evidence
they need not after all."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from layerlens.dockerfile.independence import conflict, writing_conflict
from layerlens.dockerfile.resources import Effects, ancestors
from layerlens.dockerfile.stage_effects import StepEffects
from layerlens.dockerfile.stage_graph import Edge, Release, Tier
from layerlens.dockerfile.tool_contracts import Contract, NoContract

_MOST_NAMED = 3


class EdgeFinder:
    """Finds the edges between steps; a pair is looked at once for all orders it stands in."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[StepEffects, StepEffects, _Held | None]] = {}

    def edges(self, steps: Sequence[StepEffects]) -> tuple[Edge, ...]:
        """The edges of steps that stand in this order."""
        return tuple(
            Edge(earlier=earlier, later=later, reason=held.reason, release=held.release)
            for later in range(len(steps))
            for earlier in range(later)
            if (held := self._held(steps[earlier], steps[later])) is not None
        )

    def _held(self, one: StepEffects, other: StepEffects) -> _Held | None:
        key = (id(one), id(other))
        known = self._known.get(key)
        if known is None:  # the two are kept, so that their ids stay theirs
            known = self._known[key] = (one, other, _held(one, other))
        return known[2]


class _Held(NamedTuple):
    """An edge, wherever its steps are."""

    reason: str
    release: Release | None = None


def _held(one: StepEffects, other: StepEffects) -> _Held | None:
    reason = conflict(one.effects, other.effects)
    if reason is None:
        return _unseen(one.effects, other.effects)
    if isinstance(other.contract, NoContract) and other.effects.everything:
        reason = f"{reason}: {other.contract.reason}"
    if other.by_contract is None or not isinstance(other.contract, Contract):
        return _Held(reason)
    held = contract_conflict(one, other)
    if held is not None:
        beside = contract_conflict(_without_manifests(one, other), other)
        return _Held(beside or held)
    doubt = other.contract.variable_doubt(one.effects.variables_written)
    tier = tier_of(other.contract) if doubt is None else Tier.IDEA
    reads = _reads(one.effects, other.contract)
    return _Held(reason, Release(tier=tier, reason=f"{reads}; but {doubt}" if doubt else reads))


def _without_manifests(one: StepEffects, run: StepEffects) -> StepEffects:
    """*one* without the manifests that the RUN only reads: what else holds the RUN is more telling,
    as those may be copied first."""
    if run.by_contract is None or not isinstance(run.contract, Contract):
        return one
    written = run.by_contract.writes
    manifests = {
        path
        for path in run.contract.manifests
        if path not in written.touched and written.anywhere.isdisjoint((path, *ancestors(path)))
    }
    writes = one.effects.writes
    rest = replace(one.effects, writes=replace(writes, files=writes.files - manifests))
    return replace(one, effects=rest, fresh=None)


def contract_conflict(one: StepEffects, run: StepEffects) -> str | None:
    """Why *one* may not be put below the RUN whatever its contract says; None: it may.

    Only what comes before the RUN may: what it would have done with a file that comes after it
    was never seen.
    """
    if run.by_contract is None or not isinstance(run.contract, Contract):
        return conflict(one.effects, run.effects)
    written = one.effects.variables_written
    read = frozenset(name for name in written if run.contract.reads_variable(name))
    by_contract = replace(run.by_contract, variables_read=run.by_contract.variables_read | read)
    held = conflict(one.fresh or one.effects, by_contract)
    if held is None and one.fresh is not None:
        held = writing_conflict(one.effects, by_contract)  # it would undo what the RUN changed
    return held


def tier_of(contract: Contract) -> Tier:
    """On what evidence something stands that a contract allows."""
    return Tier.IDEA if contract.doubts else Tier.CONTRACT


def doubting(contract: Contract) -> str:
    """What a reason has to add: the first of the contract's doubts."""
    if not contract.doubts:
        return ""
    more = f", and {len(contract.doubts) - 1} more" if len(contract.doubts) > 1 else ""
    return f"; but {contract.doubts[0]}{more}"


def _unseen(one: Effects, other: Effects) -> _Held | None:
    """Two copies of which no image shows where they land: apart by what the Dockerfile says."""
    if one.seen and other.seen:
        return None
    if not (one.writes.written or one.writes.anywhere):
        return None
    if not (other.writes.written or other.writes.anywhere):
        return None
    return _Held(
        "no image shows what they write",
        Release(
            tier=Tier.CONTRACT,
            reason="the Dockerfile has them write in different places",
        ),
    )


def _reads(one: Effects, contract: Contract) -> str:
    return f"{_reads_only(one, contract)}{doubting(contract)}"


def _reads_only(one: Effects, contract: Contract) -> str:
    tools = " and ".join(contract.tools)
    verb = "read" if len(contract.tools) > 1 else "reads"
    if one.variables_written:
        return f"{tools} {verb} no variable {', '.join(sorted(one.variables_written))}"
    if not contract.manifests:
        return f"{tools} {verb} nothing of what {one.short} writes"
    names = sorted(posixpath.basename(path) for path in contract.manifests)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{tools} {verb} only {', '.join(names[:_MOST_NAMED])}{more} of what is copied"
