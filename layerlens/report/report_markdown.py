"""The report on an image as Markdown for a pull request, under 60,000 characters whatever it is.

GitHub takes 65,536 in a comment. The most important comes first, details are folded.
"""

from __future__ import annotations

from layerlens.analysis.image_report import (
    Comparison,
    ImageReport,
    ReportedLayer,
    new_dead,
    removed_layers,
)
from layerlens.analysis.layer_alignment import Relation
from layerlens.analysis.layer_changes import Change, ChangeKind
from layerlens.analysis.rules import Status
from layerlens.report.bounded_markdown import BoundedMarkdown
from layerlens.report.change_lines import size_change
from layerlens.report.check_markdown import (
    PLACE_HEADINGS,
    PLACES_RIGHT,
    place_cells,
    verdict_table,
)
from layerlens.report.markdown_text import advice, code, code_beginning, html_beginning, plain
from layerlens.report.report_text import (
    RELATIONS,
    changes_text,
    count_change,
    counts_text,
    finding_place,
    growth_of,
    growth_text,
    headline,
    layers_text,
    pull_text,
    size_rows,
    size_text,
)
from layerlens.report.sizes import human_size, size_difference

LIMIT = 60_000
"""Characters of a document."""

_ROWS = 20
_PLACES = 10
_LAYER_ROWS = 130  # builders stop at 127
_CHANGES_OF_A_LAYER = 10
_INSTRUCTION = 100


def report_markdown(report: ImageReport) -> str:
    """The whole document."""
    document = BoundedMarkdown(LIMIT)
    document.add(f"## {code(report.image.checked.title.image)}: {plain(headline(report))}")
    _summary(document, report)
    _rules(document, report)
    if report.comparison is not None:
        _grown(document, report.comparison)
    _directories(document, report)
    _layers(document, report)
    _dead(document, report)
    _findings(document, report)
    if report.comparison is not None:
        _config(document, report.comparison)
    _changes_of_layers(document, report)
    return document.text()


def _summary(document: BoundedMarkdown, report: ImageReport) -> None:
    comparison = report.comparison
    rows = size_rows(report.sizes, comparison.sizes if comparison else None)
    if comparison is None:
        lines = [(name, size_text(after)) for name, _, after in rows]
        lines.append(("Layers", str(report.sizes.layers)))
        document.add_table("sizes", ("", "Bytes"), lines, right=(1,), most=_ROWS)
        return
    compared = [
        (name, size_text(before), size_text(after), growth_text(before, after))
        for name, before, after in rows
    ]
    layers = (comparison.sizes.layers, report.sizes.layers)
    compared.append(("Layers", str(layers[0]), str(layers[1]), count_change(*layers)))
    headings = ("", "Before", "After", "Change")
    document.add_table("sizes", headings, compared, right=(1, 2, 3), most=_ROWS)
    document.add(
        "",
        f"Compared with {code(comparison.title.image)}. {changes_text(comparison.changes)}",
        f"Pulling it where that image is: {pull_text(comparison.pull)}.",
    )


def _rules(document: BoundedMarkdown, report: ImageReport) -> None:
    if report.judgement is None:
        return
    document.add("", "### Rules", "", *verdict_table(report.judgement, human_size))
    for verdict in report.judgement.verdicts:
        if verdict.status is not Status.FAIL or not verdict.places:
            continue
        name = verdict.rule.kind.name
        rows = [place_cells(place, human_size) for place in verdict.places[:_ROWS]]
        document.folded(name)
        document.add_table(
            name,
            PLACE_HEADINGS,
            rows,
            right=PLACES_RIGHT,
            most=_PLACES,
            total=len(verdict.places),
        )
        document.end_folded()


def _grown(document: BoundedMarkdown, comparison: Comparison) -> None:
    lists = (
        ("What grew most", comparison.grown, comparison.grown_paths),
        ("What shrank most", comparison.shrunk, comparison.shrunk_paths),
    )
    for name, changes, total in lists:
        if not changes:
            continue
        rows = [
            (
                code(change.path),
                size_difference(growth_of(change), human_size),
                human_size(change.bytes_after),
                change.kind.value,
                str(change.after.layer) if change.after is not None else "",
            )
            for change in changes
        ]
        document.add("", f"### {name}")
        headings = ("Path", "Change", "Now", "", "Layer")
        document.add_table(name, headings, rows, right=(1, 2, 4), most=_ROWS, total=total)


def _directories(document: BoundedMarkdown, report: ImageReport) -> None:
    compares = report.comparison is not None
    rows = [row for row in report.directories if (row.growth if compares else row.after)]
    if not rows:
        return
    name = "By top-level directory"
    document.add("", f"### {name}")
    if not compares:
        lines = [(code(row.path), human_size(row.after)) for row in rows]
        document.add_table(name, ("Directory", "Bytes"), lines, right=(1,), most=_ROWS)
        return
    compared = [
        (
            code(row.path),
            human_size(row.before),
            human_size(row.after),
            growth_text(row.before, row.after),
        )
        for row in rows
    ]
    headings = ("Directory", "Before", "After", "Change")
    document.add_table(name, headings, compared, right=(1, 2, 3), most=_ROWS)


def _layers(document: BoundedMarkdown, report: ImageReport) -> None:
    name = "Layers"
    document.add("", f"### {name}")
    headings = ("", "", "Instruction", "Files", "Stored", "Dead", "Changes")
    if report.comparison is None:
        rows = [(str(layer.number), "", *_layer_cells(layer)) for layer in report.layers]
        document.add_table(name, headings, rows, right=(0, 3, 4, 5), most=_LAYER_ROWS)
        return
    pairs = report.comparison.pairs
    same = [pair.b for pair in pairs if pair.relation is Relation.SAME and pair.b is not None]
    if same:
        document.add("", f"The same as before: {layers_text(same)}.")
    rows = [
        (str(pair.b), RELATIONS[pair.relation], *_layer_cells(report.layers[pair.b]))
        for pair in pairs
        if pair.b is not None and pair.relation is not Relation.SAME
    ]
    rows += [
        (f"({layer.number})", RELATIONS[Relation.ONLY_A], *_layer_cells(layer))
        for layer in removed_layers(report.comparison)
    ]
    if rows:
        document.add_table(name, headings, rows, right=(0, 3, 4, 5), most=_LAYER_ROWS)


def _layer_cells(layer: ReportedLayer) -> tuple[str, str, str, str, str]:
    return (
        code_beginning(layer.instruction, _INSTRUCTION) if layer.instruction else "",
        human_size(layer.bytes) if layer.readable else "no tar",
        size_text(layer.stored),
        human_size(layer.dead) if layer.dead else "",
        counts_text(layer.statistics),
    )


def _dead(document: BoundedMarkdown, report: ImageReport) -> None:
    dead = new_dead(report)
    if not dead:
        return
    compared = report.comparison is not None
    name = "New dead bytes" if compared else "Dead bytes"
    document.add(
        "",
        f"### {name}: {human_size(sum(path.growth for path in dead))}",
        "",
        "Bytes that layers hold and the final file system does not show.",
    )
    rows = [
        (
            code(path.path),
            size_difference(path.growth, human_size) if compared else human_size(path.after),
            layers_text(path.layers),
            layers_text(path.killers),
        )
        for path in dead[: 2 * _ROWS]
    ]
    headings = ("Path", "Bytes", "Written by", "Lost to")
    document.add_table(name, headings, rows, right=(1,), most=_ROWS, total=len(dead))


def _findings(document: BoundedMarkdown, report: ImageReport) -> None:
    if not report.findings:
        return
    name = "Findings"
    rows = [
        (
            ("new " if row.new else "") + f"`{row.finding.kind.value}`",
            human_size(row.finding.bytes) if row.finding.places else "",
            "" if row.finding.layer is None else str(row.finding.layer),
            code(finding_place(row.finding)),
            advice(row.finding.remedy),
        )
        for row in report.findings[: 2 * _ROWS]
    ]
    document.add("", f"### {name}")
    headings = ("", "Bytes", "Layer", "Where", "What to do")
    total = len(report.findings)
    document.add_table(name, headings, rows, right=(1, 2), most=_ROWS, total=total)


def _config(document: BoundedMarkdown, comparison: Comparison) -> None:
    """Names alone of variables and labels: their values may be secrets."""
    if not comparison.config:
        return
    rows = [
        (
            difference.kind.value,
            difference.field.upper(),
            code(difference.key) if difference.key is not None else "",
        )
        for difference in comparison.config
    ]
    document.add("", "### Config")
    document.add_table("Config", ("", "Field", "Name"), rows, most=2 * _ROWS)


def _changes_of_layers(document: BoundedMarkdown, report: ImageReport) -> None:
    """The largest changes of each layer that is not as it was, folded."""
    same = set()
    if report.comparison is not None:
        same = {p.b for p in report.comparison.pairs if p.relation is Relation.SAME}
    layers = [layer for layer in report.layers if layer.number not in same and layer.largest]
    for position, layer in enumerate(layers):
        if document.is_full:
            document.leave_out(f"the changes of {len(layers) - position} layers")
            return
        document.folded(
            f"Layer {layer.number}: {html_beginning(layer.instruction or '', _INSTRUCTION)}"
        )
        rows = [
            (change.kind.value, code(change.path), _bytes_of(change)) for change in layer.largest
        ]
        total = layer.statistics
        document.add_table(
            f"layer {layer.number}",
            ("", "Path", "Bytes"),
            rows,
            right=(2,),
            most=_CHANGES_OF_A_LAYER,
            total=total.added + total.changed + total.removed,
        )
        document.end_folded()


def _bytes_of(change: Change) -> str:
    """With a sign where they came or went with the path, else what it holds now."""
    if change.kind is ChangeKind.CHANGED:
        return size_change(change.bytes_before, change.bytes_after, human_size)
    return size_difference(growth_of(change), human_size)
