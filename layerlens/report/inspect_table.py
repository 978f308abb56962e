"""What ``inspect`` says of an image, for people: who it is, how it runs, and a row for a layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from layerlens.analysis.layer_numbers import layers_text
from layerlens.report.as_table import Align, Cell, Column, Styled, table_lines
from layerlens.report.colour import Palette, Style
from layerlens.report.inspect_document import AttestationFields, InspectDocument, LayerFields
from layerlens.report.safe_text import escape, shorten
from layerlens.report.sizes import FormatSize

_UNKNOWN = "-"
_FROM_TOC = "toc"

_COLUMNS = (
    Column(heading="LAYER", align=Align.RIGHT),
    Column(heading="STORED", align=Align.RIGHT),
    Column(heading="RAW", align=Align.RIGHT),
    Column(heading="ENTRIES", align=Align.RIGHT),
    Column(heading="A", align=Align.RIGHT),
    Column(heading="M", align=Align.RIGHT),
    Column(heading="D", align=Align.RIGHT),
    Column(heading="TYPE"),
    Column(heading="INSTRUCTION", shorten=shorten),
)

Field = tuple[str, Sequence[str]]
"""A label, and a line for each of its values, not yet escaped."""


def inspect_lines(
    document: InspectDocument, *, format_size: FormatSize, width: int | None, palette: Palette
) -> Iterator[str]:
    """The text of ``inspect``, a line at a time, each with its newline.

    *width* is the terminal's, in cells, and shortens instructions; None shortens nothing.
    """
    for block in (_identity(document), _running(document), _about(document)):
        lines = list(_field_lines(block, palette))
        if lines:
            yield from lines
            yield "\n"
    rows = [_row(layer, format_size) for layer in document.layers]
    rows.append(_total_row(document, format_size))
    yield from table_lines(_COLUMNS, rows, width=width, palette=palette)


def _identity(document: InspectDocument) -> Iterator[Field]:
    # Labels of at most eight cells: with a space, a digest then fits in 80 columns.
    yield "image", [document.image]
    yield "names", document.names
    yield "platform", [document.platform]
    yield "created", _some(document.created)
    yield "author", _some(document.author)
    yield "manifest", _some(document.manifest_digest)
    yield "index", _some(document.index_digest)
    yield "config", _some(document.config_digest)
    base = document.base_image
    if base is not None:
        yield "base", [*_some(base.name), *_some(base.digest)]


def _running(document: InspectDocument) -> Iterator[Field]:
    config = document.config
    yield "entrypoint", _command(config.entrypoint)
    yield "cmd", _command(config.cmd)
    yield "user", _some(config.user)
    yield "workdir", _some(config.working_dir)
    yield "env", config.env
    yield "ports", config.exposed_ports
    yield "volumes", config.volumes
    yield "stop signal", _some(config.stop_signal)
    yield "shell", _command(config.shell)
    yield "healthcheck", [*_command(config.healthcheck), *config.healthcheck_flags]
    yield "on build", config.on_build
    yield "labels", _pairs(config.labels)


def _about(document: InspectDocument) -> Iterator[Field]:
    yield "annotations", _pairs(document.annotations)
    yield "media types", list(_media_types(document))
    yield "attestations", [_attestation(each) for each in document.attestations]


def _media_types(document: InspectDocument) -> Iterator[str]:
    """The manifest's, and each that layers have, with the numbers of those layers."""
    if document.media_type is not None:
        yield f"{document.media_type} (manifest)"
    layers: dict[str, list[int]] = {}
    for layer in document.layers:
        if layer.media_type is not None:
            layers.setdefault(layer.media_type, []).append(layer.index)
    for media_type, numbers in layers.items():
        yield f"{media_type} ({layers_text(numbers)})"


def _attestation(attestation: AttestationFields) -> str:
    kind = attestation.artifact_type or attestation.media_type
    return f"{attestation.digest} ({kind})"


def _row(layer: LayerFields, format_size: FormatSize) -> list[Cell]:
    line = layer.instruction.text if layer.instruction else ""
    return [
        str(layer.index),
        _size(layer.stored_size, format_size),
        _size(layer.uncompressed_size, format_size),
        _count(layer.entries),
        _changes(layer.added, Style.ADDED),
        _changes(layer.changed, Style.CHANGED),
        _changes(layer.removed, Style.REMOVED),
        _type(layer),
        line or Styled(_UNKNOWN, Style.FAINT),
    ]


def _type(layer: LayerFields) -> Cell:
    if layer.listed_from == _FROM_TOC:
        return Styled(f"{layer.compression}, TOC", Style.CHANGED)
    return layer.compression or "no tar"


def _total_row(document: InspectDocument, format_size: FormatSize) -> list[Cell]:
    totals = document.totals
    cells = [
        "total",
        _size(totals.stored_size, format_size),
        _size(totals.uncompressed_size, format_size),
        _count(totals.entries),
        _count(totals.added),
        _count(totals.changed),
        _count(totals.removed),
    ]
    return [*(Styled(cell, Style.HEADING) for cell in cells), "", ""]


def _size(size: int | None, format_size: FormatSize) -> str:
    return _UNKNOWN if size is None else format_size(size)


def _count(count: int | None) -> str:
    return _UNKNOWN if count is None else str(count)


def _changes(count: int | None, style: Style) -> Cell:
    return Styled(_count(count), style if count else Style.FAINT)


def _some(text: str | None) -> list[str]:
    return [text] if text else []


def _command(words: Sequence[str] | None) -> list[str]:
    """The exec form of a command as a Dockerfile has it; set to nothing is ``[]``."""
    if words is None:
        return []
    quoted = (word.replace('"', '\\"') for word in words)
    return ["[" + ", ".join(f'"{word}"' for word in quoted) + "]"]


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _field_lines(fields: Iterable[Field], palette: Palette) -> Iterator[str]:
    shown = [(label, values) for label, values in fields if values]
    width = max((len(label) for label, _ in shown), default=0) + 1
    for label, values in shown:
        heading = palette.paint(Style.HEADING, label) + " " * (width - len(label))
        for before, value in zip(chain([heading], _repeat(" " * width)), values, strict=False):
            yield f"{before}{escape(value)}\n"


def _repeat(text: str) -> Iterator[str]:
    while True:
        yield text
