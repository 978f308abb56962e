"""What an image wastes as rows to look through: what was found, or dead bytes added up."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from layerlens.analysis.findings import Finding, Place, Stance, findings_of_layer
from layerlens.analysis.waste import DeadBytes, InstructionWaste, LayerWaste, PathWaste
from layerlens.analysis.waste_survey import WasteSurvey
from layerlens.report.safe_text import shorten_middle
from layerlens.report.shared_numbers import numbers_text, percent_text
from layerlens.report.sizes import human_size
from layerlens.report.waste_text import where_text
from layerlens.tui.shown_text import MakeParts, Part, safe
from layerlens.tui.state.details import Field


class WasteView(enum.Enum):
    """How waste is looked at; the value is what the screen calls it."""

    FINDINGS = "what was found"
    PATHS = "dead bytes by path"
    LAYERS = "dead bytes by layer"
    INSTRUCTIONS = "dead bytes by instruction"

    @property
    def following(self) -> WasteView:
        """The next one, after the last the first."""
        views = list(WasteView)
        return views[(views.index(self) + 1) % len(views)]


class Destination(NamedTuple):
    """A path to show in the tree of what a layer did."""

    layer: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteRow:
    """A row: what stands in it, what is said of it, and where it leads, if anywhere."""

    parts: MakeParts
    details: tuple[Field, ...]
    destination: Destination | None


_SIZE_CELLS, _LAYER_CELLS, _KIND_CELLS, _HOW_CELLS = 9, 4, 18, 9
_STANCE_STYLES = {Stance.EXPOSED: "error", Stance.WASTE: "changed", Stance.TOLD: "faint"}
_STANCE_MARKS = {Stance.EXPOSED: "! ", Stance.WASTE: "~ ", Stance.TOLD: "  "}
_MOST_PLACES = 50


def waste_rows(survey: WasteSurvey, view: WasteView) -> Sequence[WasteRow]:
    """The rows of one view, those that matter most first."""
    waste = survey.waste
    match view:
        case WasteView.FINDINGS:
            stances = list(_STANCE_STYLES)
            found = sorted(survey.findings, key=lambda each: stances.index(each.kind.stance))
            return [_finding_row(finding) for finding in found]
        case WasteView.PATHS:
            return [_path_row(path) for path in waste.paths()]
        case WasteView.LAYERS:
            return [_layer_row(layer, survey) for layer in waste.layers]
        case WasteView.INSTRUCTIONS:
            return [_instruction_row(each) for each in waste.instructions()]


def sums(survey: WasteSurvey) -> Iterator[Field]:
    """The image's bytes, how much of them is dead, and dive's figures."""
    waste = survey.waste
    share = f" ({percent_text(waste.live_share)})" if waste.bytes else ""
    yield Field("files", f"{human_size(waste.bytes)}, {human_size(waste.live_bytes)} live{share}")
    yield Field("dead", dead_words(waste.dead) or "nothing")
    percent = survey.dive.user_wasted_percent
    user = f"{percent * 100:.4f} %" if math.isfinite(percent) else "-"
    yield Field(
        "dive",
        f"efficiency {survey.dive.efficiency * 100:.4f} %, "
        f"wastedBytes {human_size(survey.dive.wasted_bytes)}, userWastedPercent {user}",
    )
    if waste.unreadable:
        yield Field("warning", f"no tar, not counted: layer {numbers_text(waste.unreadable)}")


def dead_words(dead: DeadBytes) -> str:
    """``3 MB: 1 MB deleted, 2 MB copied``; empty where nothing is dead."""
    if not dead.total:
        return ""
    ways = (dead.deleted, "deleted"), (dead.overwritten, "overwritten"), (dead.copied, "copied")
    how = ", ".join(f"{human_size(size)} {way}" for size, way in ways if size)
    return f"{human_size(dead.total)}: {how}"


def _finding_row(finding: Finding) -> WasteRow:
    return WasteRow(
        parts=partial(_finding_parts, finding),
        details=tuple(_finding_details(finding)),
        destination=_destination_of(finding),
    )


def _destination_of(finding: Finding) -> Destination | None:
    """The first place, in the layer that wrote it."""
    if not finding.places or finding.layer is None:
        return None
    return Destination(finding.layer, finding.places[0].path)


def _finding_parts(finding: Finding, width: int) -> list[Part]:
    stance = finding.kind.stance
    style = _STANCE_STYLES[stance]
    size = human_size(finding.bytes) if finding.places else "-"
    layer = "-" if finding.layer is None else str(finding.layer)
    kind = finding.kind.value
    left = width - 2 - _SIZE_CELLS - _LAYER_CELLS - _KIND_CELLS - 2
    return [
        (_STANCE_MARKS[stance], style),
        (f"{size:>{_SIZE_CELLS}}{layer:>{_LAYER_CELLS}} ", ""),
        (f"{kind:<{_KIND_CELLS}} ", style),
        (shorten_middle(safe(where_text(finding)), max(8, left)), ""),
    ]


def _finding_details(finding: Finding) -> Iterator[Field]:
    yield Field("fix", finding.remedy)
    made = finding.instruction or "(the history does not tell)"
    if finding.layer is not None:
        yield Field("layer", str(finding.layer))
    yield Field("made by", made)
    if finding.places:
        dead = f", {human_size(finding.dead)} of them dead" if finding.dead else ""
        yield Field("bytes", f"{human_size(finding.bytes)} in {_files(finding.files)}{dead}")
    for place in finding.places[:_MOST_PLACES]:
        yield Field("path", _place_words(place))
    if len(finding.places) > _MOST_PLACES:
        yield Field("", f"and {len(finding.places) - _MOST_PLACES} more: layerlens waste --json")
    for name in finding.subject:
        yield Field("variable", name)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _place_words(place: Place) -> str:
    killed = f", gone with layer {numbers_text(place.killers)}" if place.killers else ""
    return f"{place.path}  {human_size(place.bytes)}{killed}"


def _path_row(path: PathWaste) -> WasteRow:
    details = (
        Field("path", path.path),
        Field("dead", f"{dead_words(path.dead)}; {_files(path.dead.files)}"),
        Field("written", f"by layer {numbers_text(path.layers)}"),
        Field("killed", f"by layer {numbers_text(path.killers)}"),
    )
    return WasteRow(
        parts=partial(_path_parts, path),
        details=details,
        destination=Destination(path.killers[0], path.path),
    )


def _path_parts(path: PathWaste, width: int) -> list[Part]:
    written, killed = numbers_text(path.layers, 8), numbers_text(path.killers, 8)
    how = _main_way(path.dead)
    left = width - _SIZE_CELLS - 20 - _HOW_CELLS - 5
    return [
        (f"{human_size(path.dead.total):>{_SIZE_CELLS}} ", ""),
        (f"{written:>8} -> {killed:<8}", "faint"),
        (f"{how:<{_HOW_CELLS}}  ", "removed" if how == "deleted" else "changed"),
        (shorten_middle(safe(path.path), max(8, left)), ""),
    ]


def _main_way(dead: DeadBytes) -> str:
    ways = ((dead.deleted, "deleted"), (dead.overwritten, "replaced"), (dead.copied, "copied"))
    return max(ways)[1]


def _layer_row(layer: LayerWaste, survey: WasteSurvey) -> WasteRow:
    title = layer.title
    details = [
        Field("made by", title.instruction or "(the history does not tell)"),
        Field("bytes", f"{human_size(layer.bytes)}, {human_size(layer.live_bytes)} of them live"),
        Field("dead", dead_words(layer.dead) or "nothing of what it wrote"),
        Field("killed", dead_words(layer.killed) or "nothing of the layers below"),
    ]
    details.extend(
        Field("fix", f"{finding.kind.value}: {finding.remedy}")
        for finding in findings_of_layer(survey.findings, title.number)
    )
    return WasteRow(
        parts=partial(
            _sums_parts, str(title.number), layer.dead, layer.killed, title.instruction or ""
        ),
        details=tuple(details),
        destination=Destination(title.number, "/"),
    )


def _instruction_row(each: InstructionWaste) -> WasteRow:
    details = (
        Field("made by", each.instruction or "(the history does not tell)"),
        Field("layers", numbers_text(each.layers)),
        Field("bytes", human_size(each.bytes)),
        Field("dead", dead_words(each.dead) or "nothing of what it wrote"),
        Field("killed", dead_words(each.killed) or "nothing of the layers below"),
    )
    numbers = numbers_text(each.layers, 6)
    return WasteRow(
        parts=partial(_sums_parts, numbers, each.dead, each.killed, each.instruction or ""),
        details=details,
        destination=Destination(each.layers[0], "/"),
    )


def _sums_parts(
    numbers: str, dead: DeadBytes, killed: DeadBytes, instruction: str, width: int
) -> list[Part]:
    left = width - 7 - 2 * _SIZE_CELLS - len(" dead  killed") - 2
    took = f"{human_size(killed.total):>{_SIZE_CELLS}} killed"
    return [
        (f"{numbers:>6} ", "faint"),
        (f"{human_size(dead.total):>{_SIZE_CELLS}} dead ", "changed" if dead.total else "faint"),
        (took, "removed" if killed.total else "faint"),
        ("  " + safe(instruction, max(8, left)), ""),
    ]
