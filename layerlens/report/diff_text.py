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
from layerlens.report.as_table import Align, Column, table_lines
from layerlens.report.change_lines import change_lines, statistics_lines, summary_line
from layerlens.report.colour import Palette, Style
from layerlens.report.diff_format import DiffRequest
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import FormatSize


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
        for line in change_lines(self.request.ordered(changes), style.format_size, style.palette):
            self.write(line)
        hidden = len(changes) - (self.request.top or len(changes))
        more = f"; {hidden} not shown" if hidden > 0 else ""
        summary = summary_line(total(changes), style.format_size)
        self.write(f"  {style.palette.paint(Style.FAINT, summary + more)}\n")


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
        for line in statistics_lines(
            by_top_level_directory(changes),
            style.format_size,
            width=style.width,
            palette=style.palette,
        ):
            self.write(line)
        summary = summary_line(total(changes), style.format_size)
        self.write(f"  {style.palette.paint(Style.FAINT, summary)}\n")


_SectionFormat = TextFormat | StatisticsFormat


def _write_sections(form: _SectionFormat, ranges: Sequence[LayerRange]) -> bool:
    different = False
    for number, layers in enumerate(ranges):
        changes = list(layers.changes(form.request.change_filter))
        different = different or bool(changes)
        form.write("\n" if number else "")
        for line in _headings(layers.layers, form.style):
            form.write(line)
        form.write_changes(changes)
    return different


def _headings(layers: Sequence[LayerTitle], style: TextStyle) -> Iterator[str]:
    for layer in layers:
        size = "no tar" if layer.size is None else style.format_size(layer.size)
        text = escape(layer.instruction) if layer.instruction else "(not told)"
        line = f"layer {layer.number}  {size}  {text}"
        if style.width is not None:
            line = shorten(line, style.width)
        yield style.palette.paint(Style.HEADING, line) + "\n"


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
            form.write(f"  {style.palette.paint(Style.FAINT, 'no differences')}\n")
    _write_heading(form, "layers")
    for line in _pair_lines(comparison, style):
        form.write(line)
    _write_heading(form, "files")
    changes = list(comparison.changes(form.request.change_filter))
    form.write_changes(changes)
    return bool(config) or bool(changes)


def _write_heading(form: _SectionFormat, text: str) -> None:
    form.write(f"\n{form.style.palette.paint(Style.HEADING, text)}\n")


def _image_text(image: ImageTitle) -> str:
    return "  ".join(part for part in (image.image, ", ".join(image.names), image.platform) if part)


def _config_lines(differences: Iterable[ConfigDifference], palette: Palette) -> Iterator[str]:
    for difference in differences:
        key = f" {difference.key}" if difference.key is not None else ""
        name = escape(f"{difference.field}{key}")
        before, after = difference.before, difference.after
        if before is None:
            text = f"{palette.paint(Style.ADDED, f'A {name}')}{_value(after)}"
        elif after is None:
            text = f"{palette.paint(Style.REMOVED, f'D {name}')}{_value(before)}"
        else:
            name = palette.paint(Style.CHANGED, f"M {name}")
            text = f"{name}: {escape(before)} -> {escape(after)}"
        yield f"  {text}\n"


def _value(value: str | None) -> str:
    return f": {escape(value)}" if value else ""


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


def _pair_row(pair: LayerPair, comparison: ImageComparison, style: TextStyle) -> tuple[str, ...]:
    a = comparison.a.layers[pair.a] if pair.a is not None else None
    b = comparison.b.layers[pair.b] if pair.b is not None else None
    layer = b or a
    assert layer is not None
    sizes = [
        style.format_size(side.size)
        for side in (a, b)
        if side is not None and side.size is not None
    ]
    size = sizes[-1:] if pair.relation is Relation.SAME else sizes
    return (
        "-" if pair.a is None else str(pair.a),
        "-" if pair.b is None else str(pair.b),
        pair.relation.value,
        " -> ".join(dict.fromkeys(size)),
        layer.instruction or "",
    )
