"""What runs in threads is started in a way that costs nothing and ends nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import layerlens.tui

ROOT = Path(layerlens.tui.__path__[0])


def _works(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        decorator
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "work"
    ]


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(ROOT.rglob("*.py")) if _works(path)],
    ids=lambda path: path.stem,
)
def test_a_worker_has_a_description_and_does_not_end_the_program(path: Path) -> None:
    """Without a description Textual writes out every argument: seconds for a tree of files."""
    for work in _works(path):
        given = {keyword.arg: keyword.value for keyword in work.keywords}
        assert "description" in given, f"line {work.lineno}"
        assert ast.unparse(given["exit_on_error"]) == "False", f"line {work.lineno}"
        assert ast.unparse(given["thread"]) == "True", f"line {work.lineno}"
