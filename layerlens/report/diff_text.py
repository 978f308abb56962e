"""``diff`` for people: a section a layer, or the config, layers and files of two images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerlens.analysis.change_statistics import by_top_level_directory, total
from layerlens.analysis.comparison import ImageComparison, LayerRange
from layerlens.analysis.config_differences import ConfigDifference
from layerlens.analysis.layer_alignment import LayerPair, Relation
from layerlens.analysis.layer_changes import Change
from layerlens.analysis.titles import ImageTitle, LayerTitle
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.change_lines import STYLES, change_lines
from layerlens.report.colour import Palette, Style
from layerlens.report.diff_format import DiffRequest
from layerlens.report.diff_statistics import statistics_lines, summary_line
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import FormatSize

_NO_TAR = "no tar"
_TOC = "TOC"
_FROM_TOC = "from TOC, not verified"  # nor is its size known
_EMPTY = '""'
_RELATION_STYLES = {
    Relation.SAME: Style.FAINT,
    Relation.MOVED: Style.CHANGED,
    Relation.REBUILT: Style.CHANGED,
    Relation.ONLY_A: Style.REMOVED,
    Relation.ONLY_B: Style.ADDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """How text is written. ``width``: cells of a terminal's line, None where nothing is cut."""

    format_size: FormatSize
    palette: Palette
    width: int | None


@dataclass(frozen=True, slots=True)
class TextFormat:
    """Changes line by line."""

    request: DiffRequest
    style: TextStyle
    write: Callable[[str], object]

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """See DiffFormat."""
        return _write_sections(self, ranges)

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """See DiffFormat."""
        return _write_comparison(self, comparison)

    def write_changes(self, changes: Sequence[Change]) -> None:
        """One list of changes and its sum."""
        style = self.style
        shown = self.request.ordered(changes)
        for line in change_lines(shown, style.format_size, style.palette):
            self.write(line)
        _write_summary(self, changes, len(changes) - len(shown))


@dataclass(frozen=True, slots=True)
class StatisticsFormat:
    """``--stat``: changes added up by top-level directory."""

    request: DiffRequest
    style: TextStyle
    write: Callable[[str], object]

    def write_layers(self, image: ImageTitle, ranges: Sequence[LayerRange]) -> bool:
        """See DiffFormat."""
        return _write_sections(self, ranges)

    def write_comparison(self, comparison: ImageComparison) -> bool:
        """See DiffFormat."""
        return _write_comparison(self, comparison)

    def write_changes(self, changes: Sequence[Change]) -> None:
        """The table of one list of changes and its sum."""
        style = self.style
        rows = by_top_level_directory(changes)
        shown = self.request.ordered_rows(rows)
        for line in statistics_lines(
            shown, style.format_size, width=style.width, palette=style.palette
        ):
            self.write(line)
        _write_summary(self, changes, len(rows) - len(shown))


_SectionFormat = TextFormat | StatisticsFormat


def _write_summary(form: _SectionFormat, changes: Sequence[Change], hidden: int) -> None:
    summary = summary_line(total(changes), form.style.format_size)
    _write_aside(form, f"{summary}; {hidden} not shown" if hidden else summary)


def _write_aside(form: _SectionFormat, text: str, indent: str = "  ") -> None:
    form.write(f"{indent}{form.style.palette.paint(Style.FAINT, text)}\n")


def _write_sections(form: _SectionFormat, ranges: Sequence[LayerRange]) -> bool:
    """Every range; of several, those without a change are left out where a filter is the cause."""
    different = shown = False
    for layers in ranges:
        changes = list(layers.changes(form.request.change_filter))
        if not changes and len(ranges) > 1 and form.request.change_filter.narrows:
            continue
        form.write("\n" if shown else "")
        shown = True
        different = different or bool(changes)
        for line in _headings(layers.layers, form.style):
            form.write(line)
        _write_unreadable(form, layers.unreadable, "did")
        if changes or len(layers.unreadable) < len(layers.layers):
            form.write_changes(changes)
    if not shown:
        _write_aside(form, "no changes" if ranges else "no layers", indent="")
    return different


def _write_unreadable(form: _SectionFormat, layers: Iterable[LayerTitle], verb: str) -> None:
    for layer in layers:
        _write_aside(form, f"layer {layer.number} is no tar: what it {verb} is not known")


def _headings(layers: Sequence[LayerTitle], style: TextStyle) -> Iterator[str]:
    for layer in layers:
        size = _FROM_TOC if layer.from_toc else _size_text(layer, style)
        text = escape(layer.instruction) if layer.instruction else "(instruction not known)"
        line = f"layer {layer.number}  {size}  {text}"
        if style.width is not None:
            line = shorten(line, style.width)
        yield style.palette.paint(Style.HEADING, line) + "\n"


def _size_text(layer: LayerTitle, style: TextStyle) -> str:
    if layer.size is not None:
        return style.format_size(layer.size)
    return _TOC if layer.from_toc else _NO_TAR


def _write_comparison(form: _SectionFormat, comparison: ImageComparison) -> bool:
    style = form.style
    for letter, image in (("a", comparison.a), ("b", comparison.b)):
        form.write(f"{letter}: {escape(_image_text(image.title))}\n")
    config = form.request.config_of(comparison)
    if form.request.config:
        _write_heading(form, "config")
        for line in _config_lines(config, style.palette):
            form.write(line)
        if not config:
            _write_aside(form, "no changes")
    _write_heading(form, "layers")
    for line in _pair_lines(comparison, style):
        form.write(line)
    _write_heading(form, "files")
    changes = list(comparison.changes(form.request.change_filter))
    _write_unreadable(form, comparison.unreadable, "holds")
    form.write_changes(changes)
    return bool(config) or bool(changes)


def _write_heading(form: _SectionFormat, text: str) -> None:
    form.write(f"\n{form.style.palette.paint(Style.HEADING, text)}\n")


def _image_text(image: ImageTitle) -> str:
    return "  ".join(part for part in (image.image, ", ".join(image.names), image.platform) if part)


def _config_lines(differences: Iterable[ConfigDifference], palette: Palette) -> Iterator[str]:
    for difference in differences:
        key = f" {difference.key}" if difference.key is not None else ""
        name = f"{difference.kind.value} {escape(difference.field + key)}"
        text = escape(_value_text(difference))
        yield f"  {palette.paint(STYLES[difference.kind], name)}{text}\n"


def _value_text(difference: ConfigDifference) -> str:
    before, after = difference.before, difference.after
    if before is not None and after is not None:
        return f": {before or _EMPTY} -> {after or _EMPTY}"
    value = before or after
    return f": {value}" if value else ""


def _pair_lines(comparison: ImageComparison, style: TextStyle) -> Iterator[str]:
    columns = (
        Column(heading="  A", align=Align.RIGHT),
        Column(heading="B", align=Align.RIGHT),
        Column(heading="RELATION"),
        Column(heading="SIZE", align=Align.RIGHT),
        Column(heading="INSTRUCTION", shorten=shorten),
    )
    rows = [_pair_row(pair, comparison, style) for pair in comparison.layer_pairs()]
    return table_lines(columns, rows, width=style.width, palette=style.palette)


def _pair_row(pair: LayerPair, comparison: ImageComparison, style: TextStyle) -> tuple[Cell, ...]:
    a = comparison.a.layers[pair.a] if pair.a is not None else None
    b = comparison.b.layers[pair.b] if pair.b is not None else None
    layer = b or a
    assert layer is not None
    sizes = [_size_text(side, style) for side in (a, b) if side is not None]
    return (
        "-" if pair.a is None else str(pair.a),
        "-" if pair.b is None else str(pair.b),
        Styled(pair.relation.value, _RELATION_STYLES[pair.relation]),
        " -> ".join(dict.fromkeys(sizes)),
        layer.instruction or "",
    )
