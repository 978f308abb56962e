"""Each room of the house imports only from those to its left, wherever the import stands.

Imports inside functions and under TYPE_CHECKING count too: an arrow in the wrong direction is one
whenever it is followed.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "layerlens"
ROOT = Path(__file__).parent.parent / PACKAGE

_JOBS = {"errors", "oci", "streams", "source", "layer", "index_cache"}
_READING = _JOBS | {"layer_jobs", "toc_reading", "loaded_layer", "loading", "opening"}
_QUESTIONS = {"errors", "oci", "streams", "layer", "filesystem"}
_IMAGES = _READING | _QUESTIONS | {"analysis", "image_layer", "image"}
_EVERYTHING_SHOWN = _IMAGES | {"dockerfile", "audit"}

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "oci": {"errors"},
    "streams": {"errors", "oci"},
    "source": {"errors", "oci", "streams"},
    "layer": {"errors", "oci", "streams"},
    "index_cache": {"errors", "oci", "streams", "layer"},
    "layer_job": _JOBS - {"index_cache"},
    "layer_process": {"errors", "layer", "layer_job"},
    "layer_jobs": _JOBS | {"layer_job", "layer_process"},
    "toc_reading": _JOBS | {"layer_jobs"},
    "loaded_layer": _JOBS | {"toc_reading"},
    "loading": _JOBS | {"layer_job", "layer_jobs", "toc_reading", "loaded_layer"},
    "opening": _READING - {"opening"},
    "file_content": {"errors", "oci", "streams", "source", "layer"},
    "filesystem": {"errors", "oci", "streams", "layer"},
    "analysis": _QUESTIONS,
    "dockerfile": _QUESTIONS,
    "audit": _QUESTIONS | {"source", "index_cache", "loading", "analysis"},
    "image_layer": _READING | _QUESTIONS | {"analysis"},
    "image": _READING | _QUESTIONS | {"analysis", "image_layer"},
    "dockerfile_findings": _IMAGES | {"dockerfile", "surveying"},
    "advising": _IMAGES | {"dockerfile", "surveying", "dockerfile_findings"},
    "surveying": _IMAGES | {"file_content"},
    "report": _QUESTIONS | {"analysis", "dockerfile", "audit"},
    "cli": _EVERYTHING_SHOWN | {"file_content", "surveying", "advising", "report", "tui"},
    "tui": _EVERYTHING_SHOWN | {"file_content", "surveying", "advising", "report"},
    "__init__": {"errors", "image"},
    "__main__": {"cli"},
}
"""What each room may import, beside itself; a new room must be entered here."""

THIRD_PARTY: dict[str, tuple[str, ...]] = {
    "requests": ("source/registry/",),
    "textual": ("tui/",),
    "rich": ("tui/",),
    "humanize": ("report/", "cli/", "tui/"),
    "isal": ("streams/",),
    "backports": ("streams/",),
    "compression": ("streams/",),  # the standard library's from Python 3.14 on
}
"""Who may import what is not the standard library's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    line: int
    module: str
    in_function: bool


def _imports(source: str, package: list[str]) -> Iterator[_Import]:
    """The imports of a module in *package*; ``from a import b`` is taken as ``a.b``."""

    def visit(node: ast.AST, in_function: bool) -> Iterator[_Import]:
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package[: len(package) - level + 1] if level else []
                start = ".".join([*base, *([module] if module else [])])
                modules = [f"{start}.{alias.name}" for alias in names]
            case _:
                modules = []
        for module in modules:
            yield _Import(line=getattr(node, "lineno", 0), module=module, in_function=in_function)
        inner = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inner)

    yield from visit(ast.parse(source), False)


def _violations(path: str, source: str) -> list[str]:
    """What is wrong with the imports of the module at *path*, relative to the package."""
    parts = path.removesuffix(".py").split("/")
    room = parts[0]
    if room not in ROOMS:
        return [f"{path}: {room} is no room of the house; give it its place in ROOMS"]
    package = [PACKAGE, *parts[:-1]]
    return [
        f"{path}:{found.line}: {complaint}"
        for found in _imports(source, package)
        if (complaint := _complaint(room, path, found)) is not None
    ]


def _complaint(room: str, path: str, found: _Import) -> str | None:
    top, _, rest = found.module.partition(".")
    if top != PACKAGE:
        return _third_party_complaint(path, top)
    target = rest.partition(".")[0]
    if target in {"__version__", ""} or target == room:
        return None
    if target not in ROOMS:  # a name of the library's face, as in `from layerlens import open`
        return None if room in {"cli", "tui"} else f"{room} may not import the library's face"
    if target not in ROOMS[room]:
        return f"{room} may not import {target}"
    if (room, target) == ("cli", "tui") and not found.in_function:
        return "cli may import tui only inside the function that opens it"
    return None


def _third_party_complaint(path: str, top: str) -> str | None:
    if top in THIRD_PARTY:
        allowed = THIRD_PARTY[top]
        return None if path.startswith(allowed) else f"{top} is imported in {allowed} alone"
    if top in sys.stdlib_module_names or top == "_typeshed":
        return None
    return f"{top} is no dependency of layerlens"


_MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", _MODULES)
def test_the_module_imports_only_from_its_left(path: str) -> None:
    assert _violations(path, (ROOT / path).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("oci/digest.py", "from layerlens.layer.entry import Entry", "oci may not import layer"),
        ("layer/entry.py", "from layerlens import source", "layer may not import source"),
        ("layer/entry.py", "import layerlens.source.locate", "layer may not import source"),
        ("layer/entry.py", "from ..source import locate", "layer may not import source"),
        ("layer/deep/entry.py", "from ... import source", "layer may not import source"),
        ("errors.py", "from . import oci", "errors may not import oci"),
        ("source/a.py", "def f():\n  from layerlens.layer import b", "source may not import layer"),
        (
            "report/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from layerlens.cli import b",
            "report may not import cli",
        ),
        ("analysis/a.py", "class A:\n  import layerlens.dockerfile", "may not import dockerfile"),
        ("analysis/a.py", "from layerlens import open", "may not import the library's face"),
        ("loading.py", "import layerlens.filesystem.file_tree", "may not import filesystem"),
        ("image.py", "import os, layerlens.report", "image may not import report"),
        ("__init__.py", "from layerlens.cli import main", "__init__ may not import cli"),
        ("cli/a.py", "from layerlens.tui.app import App", "only inside the function"),
        ("source/archive.py", "import requests", "requests is imported in"),
        ("cli/a.py", "def f():\n  from textual.app import App", "textual is imported in"),
        ("cli/a.py", "import rich.text", "rich is imported in"),
        ("layer/a.py", "import humanize", "humanize is imported in"),
        ("cli/a.py", "import click", "click is no dependency"),
        ("helpers.py", "", "helpers is no room of the house"),
        ("helpers/a.py", "", "helpers is no room of the house"),
    ],
)
def test_a_wrong_arrow_is_found(path: str, source: str, complaint: str) -> None:
    (found,) = _violations(path, source)
    assert complaint in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cli/browse.py", "def run():\n  from layerlens.tui.app import App"),
        ("cli/a.py", "import layerlens\nfrom layerlens import __version__, open"),
        ("source/registry/client.py", "import requests"),
        ("tui/app.py", "import textual, rich.text, humanize"),
        ("layer/a.py", "from .entry import Entry\nimport os.path"),
        ("audit/a.py", "from layerlens.source.registry import client"),
    ],
)
def test_a_right_arrow_is_let_be(path: str, source: str) -> None:
    assert _violations(path, source) == []


def test_the_order_of_rooms_has_no_circle() -> None:
    left: set[str] = set()
    waiting = dict(ROOMS)
    while ready := [room for room, allowed in waiting.items() if allowed <= left]:
        left.update(ready)
        for room in ready:
            del waiting[room]
    assert waiting == {}
