"""The report on an image as one page that loads nothing: style, script and data are in it.

Its Content-Security-Policy lets it run its own script and style, known by their digests, and
nothing else. All but the treemap can be read without the script.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files

from layerlens.analysis.image_report import ImageReport
from layerlens.analysis.size_tree import SizeNode, tree_of_files, tree_of_layers
from layerlens.oci.json_document import JsonValue
from layerlens.report.html_sections import page_sections
from layerlens.report.html_text import beginning, short_name, text

TREE_NODES = 6000
"""Files, directories and layers in each of the two trees; smaller ones are added up."""

TREE_CHARACTERS = 400_000
"""Of their names, together."""

_NAME = 120
_INSTRUCTION = 80


def report_html(report: ImageReport) -> Iterator[str]:
    """The page, in pieces."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    yield '<meta name="generator" content="layerlens">\n'
    yield f"<title>{text(report.image.checked.title.image)}: layerlens report</title>\n"
    yield f"<style>{style}</style>\n</head>\n<body>\n"
    yield from page_sections(report)
    yield f'<script type="application/json" id="data">{_data(report)}</script>\n'
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _asset(name: str) -> str:
    return files("layerlens.report").joinpath(name).read_text("utf-8")


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(content.encode()).digest()).decode()}'"


def _data(report: ImageReport) -> str:
    """The two trees as JSON, in which nothing ends or begins an element."""
    checked = report.image.checked
    bounds = {"nodes": TREE_NODES, "characters": TREE_CHARACTERS}
    directories = tree_of_files(checked.tree, **bounds)
    layers = tree_of_layers(checked.layers, report.image.waste, **bounds)
    labels = {
        str(layer.number): f"{layer.number} {beginning(layer.instruction or '', _INSTRUCTION)}"
        for layer in report.layers
    }
    value: dict[str, JsonValue] = {
        "directories": _node(directories, short_name(directories.name, _NAME)),
        "layers": [
            "layers",
            layers.bytes,
            layers.dead,
            layers.files,
            [_node(layer, labels[layer.name]) for layer in layers.children or ()],
        ],
    }
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return encoded.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _node(root: SizeNode, name: str) -> list[JsonValue]:
    """``[name, bytes, dead, files, children]``; without recursion, since trees may be deep."""
    made: list[JsonValue] = [name, root.bytes, root.dead, root.files, 0]
    pending: list[tuple[SizeNode, list[JsonValue]]] = [(root, made)]
    while pending:
        node, values = pending.pop()
        if node.children is None:
            continue
        below: list[JsonValue] = []
        for child in node.children:
            entry: list[JsonValue] = [
                short_name(child.name, _NAME),
                child.bytes,
                child.dead,
                child.files,
                0,
            ]
            below.append(entry)
            pending.append((child, entry))
        values[4] = below
    return made
