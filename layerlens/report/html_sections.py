"""The sections of the HTML report that can be read without its script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from layerlens.analysis.findings import Stance
from layerlens.analysis.image_report import (
    Comparison,
    ImageReport,
    ReportedFinding,
    ReportedLayer,
    new_dead,
    removed_layers,
)
from layerlens.analysis.layer_alignment import Relation
from layerlens.analysis.layer_changes import Change, ChangeKind
from layerlens.analysis.rules import Judgement, Status
from layerlens.oci.digest import sha256_digest
from layerlens.report.change_lines import size_change
from layerlens.report.check_text import limit_text, place_text, value_text, verdict_line
from layerlens.report.html_text import advice, beginning, code, table, text
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

_ROWS = 50
_PLACES = 20
_LAYERS = 300
_CHANGE_ROWS = 4000  # of all layers together

_NO_CONFIG = str(sha256_digest(b""))  # of a root file system, which is stored without one
_STATUS_CLASSES = {Status.PASS: "good", Status.FAIL: "bad", Status.SKIP: "skip"}

_TREEMAP = """\
<section id="treemap" hidden>
<h2>Where the bytes are</h2>
<div class="map-bar">
<span class="modes" role="group" aria-label="What the map shows">
<button type="button" data-mode="d" aria-pressed="true">By directory</button>
<button type="button" data-mode="l" aria-pressed="false">By layer</button>
</span>
<nav class="crumbs" id="crumbs" aria-label="Where the map is"></nav>
</div>
<div id="map" role="group" aria-label="Treemap: Enter opens a directory, Escape goes up"></div>
<p id="about" aria-live="polite"></p>
<p class="faint">By directory: files of the final file system. By layer: all files that layers list;
<span class="key"></span> is dead. A hard-linked file counts once. What is small is added up.</p>
<details><summary>The same as a list</summary>
<div class="scroll"><table><thead><tr><th scope="col">Name</th>
<th scope="col" class="number">Bytes</th><th scope="col" class="number">Share</th>
<th scope="col" class="number">Files</th><th scope="col" class="number">Dead</th></tr></thead>
<tbody id="list"></tbody></table></div></details>
</section>
<noscript><p class="faint">The treemap needs the page's script; all else is below.</p></noscript>
"""


def page_sections(report: ImageReport) -> Iterator[str]:
    """The page's body, in pieces."""
    yield from _header(report)
    yield _TREEMAP
    if report.judgement is not None:
        yield from _rules(report.judgement)
    if report.comparison is not None:
        yield from _changes(report.comparison)
    yield from _directories(report)
    yield from _layers(report)
    yield from _dead(report)
    yield from _findings(report)
    if report.comparison is not None:
        yield from _config(report.comparison)


def _header(report: ImageReport) -> Iterator[str]:
    title = report.image.checked.title
    yield f"<header>\n<h1>{code(title.image)}</h1>\n<p>{text(headline(report))}</p>\n"
    facts = [title.platform, *title.names[:3], title.manifest_digest or title.config_digest]
    shown = " · ".join(code(fact) for fact in facts if fact != _NO_CONFIG)
    yield f'<p class="faint">{shown}</p>\n'
    comparison = report.comparison
    if comparison is not None:
        yield f"<p>Compared with {code(comparison.title.image)}."
        yield f" {text(changes_text(comparison.changes))}"
        yield f" Pulling it where that image is: {text(pull_text(comparison.pull))}.</p>\n"
    yield '<ul class="cards">\n'
    for name, before, after in size_rows(report.sizes, comparison.sizes if comparison else None):
        known = comparison is not None and before is not None and after is not None
        yield _card(name, size_text(after), growth_text(before, after) if known else "")
    layers = report.sizes.layers
    change = "" if comparison is None else count_change(comparison.sizes.layers, layers)
    yield _card("Layers", str(layers), change)
    yield "</ul>\n</header>\n"


def _card(name: str, value: str, change: str) -> str:
    return (
        f'<li><span class="name">{name}</span><span class="value">{value}</span>'
        f'<span class="change">{change}</span></li>\n'
    )


def _rules(judgement: Judgement) -> Iterator[str]:
    kind = "good" if judgement.passed else "bad"
    yield f'<section id="rules">\n<h2>Rules</h2>\n<p class="verdict {kind}">'
    yield f"{verdict_line(judgement)}</p>\n"
    rows = [
        (
            f'<span class="{_STATUS_CLASSES[each.status]}">{each.status.value}</span>',
            code(each.rule.kind.name),
            value_text(each, human_size),
            limit_text(each.rule, human_size),
            text(each.why or ""),
        )
        for each in judgement.verdicts
    ]
    yield from table(("", "Rule", "Value", "Limit", ""), rows, numbers=(2, 3))
    for verdict in judgement.verdicts:
        if verdict.places:
            yield f"<details><summary>{code(verdict.rule.kind.name)}</summary>\n"
            places = ((code(place_text(each, human_size)),) for each in verdict.places[:_PLACES])
            yield from table(("Where",), places, more=len(verdict.places) - _PLACES)
            yield "</details>\n"
    yield "</section>\n"


def _changes(comparison: Comparison) -> Iterator[str]:
    for name, changes, total in (
        ("What grew most", comparison.grown, comparison.grown_paths),
        ("What shrank most", comparison.shrunk, comparison.shrunk_paths),
    ):
        if changes:
            yield f"<section>\n<h2>{name}</h2>\n"
            rows = (
                (
                    each.kind.value,
                    code(each.path),
                    size_difference(growth_of(each), human_size),
                    human_size(each.bytes_after),
                    "" if each.after is None else str(each.after.layer),
                )
                for each in changes[:_PLACES]
            )
            headings = ("", "Path", "Change", "Now", "Layer")
            yield from table(headings, rows, numbers=(2, 3, 4), more=total - _PLACES)
            yield "</section>\n"


def _directories(report: ImageReport) -> Iterator[str]:
    compares = report.comparison is not None
    rows = [row for row in report.directories if row.before or row.after]
    if not rows:
        return
    yield "<section>\n<h2>By top-level directory</h2>\n"
    headings = ("Directory", "Before", "After", "Change") if compares else ("Directory", "Bytes")
    cells = (
        (
            code(row.path),
            *((human_size(row.before),) if compares else ()),
            human_size(row.after),
            *((growth_text(row.before, row.after),) if compares else ()),
        )
        for row in rows[:_ROWS]
    )
    yield from table(headings, cells, numbers=(1, 2, 3), more=len(rows) - _ROWS)
    yield "</section>\n"


def _layers(report: ImageReport) -> Iterator[str]:
    yield '<section id="layers">\n<h2>Layers</h2>\n'
    relations = {}
    if report.comparison is not None:
        relations = {pair.b: RELATIONS[pair.relation] for pair in report.comparison.pairs}
    rows_left = _CHANGE_ROWS
    for layer in report.layers[:_LAYERS]:
        shown = layer.largest[: max(rows_left, 0)]
        rows_left -= len(shown)
        yield from _layer(layer, shown, relations.get(layer.number))
    if len(report.layers) > _LAYERS:
        yield f'<p class="faint">… and {len(report.layers) - _LAYERS:,} more layers.</p>\n'
    if report.comparison is not None:
        gone = list(removed_layers(report.comparison))
        for layer in gone[:_LAYERS]:
            yield from _layer(layer, (), RELATIONS[Relation.ONLY_A])
    yield "</section>\n"


def _layer(layer: ReportedLayer, changes: Sequence[Change], relation: str | None) -> Iterator[str]:
    instruction = code(beginning(layer.instruction, 160)) if layer.instruction else ""
    note = f" <b>{relation}</b>" if relation else ""
    size = human_size(layer.bytes) if layer.readable else "no tar"
    yield f'<details><summary><span class="size">{size}</span>{layer.number}{note} '
    yield f"{instruction}</summary>\n<p>"
    parts = [f"{size} in files", f"{size_text(layer.stored)} compressed"]
    if layer.dead:
        parts.append(f"{human_size(layer.dead)} of it dead")
    if layer.killed:
        parts.append(f"{human_size(layer.killed)} taken from layers below")
    yield f"{', '.join(parts)}. {counts_text(layer.statistics) or 'No changes'}.</p>\n"
    if layer.instruction and len(layer.instruction) > 160:
        yield f"<p>{code(layer.instruction, 4000)}</p>\n"
    if layer.diff_id:
        yield f'<p class="faint">DiffID {code(layer.diff_id)}</p>\n'
    if changes:
        rows = ((each.kind.value, code(each.path), _bytes_of(each)) for each in changes)
        statistics = layer.statistics
        total = statistics.added + statistics.changed + statistics.removed
        headings = ("", "Largest changes", "Bytes")
        yield from table(headings, rows, numbers=(2,), more=total - len(changes))
    yield "</details>\n"


def _bytes_of(change: Change) -> str:
    if change.kind is ChangeKind.CHANGED:
        return text(size_change(change.bytes_before, change.bytes_after, human_size))
    return size_difference(growth_of(change), human_size)


def _dead(report: ImageReport) -> Iterator[str]:
    compares = report.comparison is not None
    dead = new_dead(report)
    if not dead:
        return
    name = "New dead bytes" if compares else "Dead bytes"
    total = human_size(sum(each.growth for each in dead))
    yield f'<section id="dead">\n<h2>{name}: {total}</h2>\n'
    yield "<p>Bytes that layers hold and the final file system does not show.</p>\n"
    rows = (
        (
            code(each.path),
            size_difference(each.growth, human_size) if compares else human_size(each.after),
            layers_text(each.layers),
            layers_text(each.killers),
        )
        for each in dead[:_ROWS]
    )
    headings = ("Path", "Bytes", "Written by layer", "Lost to layer")
    yield from table(headings, rows, numbers=(1,), more=len(dead) - _ROWS)
    yield "</section>\n"


def _findings(report: ImageReport) -> Iterator[str]:
    if not report.findings:
        return
    yield '<section id="findings">\n<h2>Findings</h2>\n'
    rows = (
        (
            _kind(each),
            human_size(each.finding.bytes) if each.finding.places else "",
            "" if each.finding.layer is None else str(each.finding.layer),
            code(finding_place(each.finding)),
            advice(each.finding.remedy),
        )
        for each in report.findings[:_ROWS]
    )
    headings = ("", "Bytes", "Layer", "Where", "What to do")
    yield from table(headings, rows, numbers=(1, 2), more=len(report.findings) - _ROWS)
    yield "</section>\n"


def _kind(row: ReportedFinding) -> str:
    kind = row.finding.kind
    exposed = kind.stance is Stance.EXPOSED
    new = "<b>new</b> " if row.new else ""
    return f'<span class="word{" bad" if exposed else ""}">{new}{kind.value}</span>'


def _config(comparison: Comparison) -> Iterator[str]:
    """Names alone of variables and labels: their values may be secrets."""
    if not comparison.config:
        return
    yield "<section>\n<h2>Config</h2>\n"
    rows = (
        (each.kind.value, each.field.upper(), code(each.key) if each.key is not None else "")
        for each in comparison.config[:_ROWS]
    )
    more = len(comparison.config) - _ROWS
    yield from table(("", "Field", "Name"), rows, more=more)
    yield "</section>\n"
