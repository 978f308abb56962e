"""Dockerfiles in the styles people write them: every byte back, and what is in them understood."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from layerlens.dockerfile.candidates import Candidates, Evidence
from layerlens.dockerfile.instruction_parts import ShellForm
from layerlens.dockerfile.instructions import Add, Copy, Dockerfile, Env, OnBuild, Run, Trivia
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Tier

DIRECTORY = Path(__file__).parents[2] / "fixtures" / "dockerfiles"
PATHS = sorted(DIRECTORY.glob("*.Dockerfile"))


def read(name: str) -> Dockerfile:
    return parse_dockerfile((DIRECTORY / f"{name}.Dockerfile").read_bytes(), name)


def test_there_are_enough() -> None:
    assert len(PATHS) >= 40


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_comes_back_to_the_byte(path: Path) -> None:
    found = parse_dockerfile(path.read_bytes(), path.name)
    assert found.to_bytes() == path.read_bytes()
    assert found.pieces[0].span.start == 0
    assert found.pieces[-1].span.end == len(found.text)
    for one, following in pairwise(found.pieces):
        assert one.span.end == following.span.start
        assert one.span.last_line + 1 == following.span.first_line
    for piece in found.pieces:
        text = found.source(piece.span)
        if isinstance(piece, Trivia):
            assert text.lstrip("\ufeff").strip()[:1] in {"", "#"}
        else:
            assert text.split()[0].upper() == piece.keyword
    assert [found.text.count("\n", 0, each.span.start) + 1 for each in found.instructions] == [
        each.span.first_line for each in found.instructions
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_reads_the_same_without_its_trivia(path: Path) -> None:
    found = parse_dockerfile(path.read_bytes())
    directives = "# escape=`\n" if found.escape == "`" else ""
    bare = directives + "".join(
        found.source(piece.span).removesuffix("\n") + "\n" for piece in found.instructions
    )
    again = parse_dockerfile(bare.encode("utf-8", "surrogateescape"))
    assert [(each.line, each.heredocs) for each in again.instructions] == [
        (each.line, each.heredocs) for each in found.instructions
    ]


def test_stages_and_where_they_copy_from() -> None:
    found = read("target-stages")
    assert [stage.name for stage in found.stages] == [
        *("base", "test", "lint", "build", "debug", "release"),
    ]
    copies = [
        each for stage in found.stages for each in stage.instructions if isinstance(each, Copy)
    ]
    sources = [found.find_stage(each.from_) for each in copies if each.from_ is not None]
    assert [source and source.name for source in sources] == [None, "build"]


def test_heredocs_hide_what_looks_like_instructions() -> None:
    found = read("heredocs")
    assert [each.keyword for each in found.stages[0].instructions] == [
        *("RUN", "COPY", "COPY", "RUN", "CMD"),
    ]
    nginx, greetings = (each for each in found.stages[0].instructions if isinstance(each, Copy))
    assert nginx.heredocs[0].text.startswith("server {\n    listen 80;")
    assert [each.name for each in greetings.heredocs] == ["hello.txt", "bye.txt"]
    assert (greetings.sources, greetings.destination) == ((), "/greetings/")


def test_odd_spacing() -> None:
    found = read("odd-spacing")
    run, copy, user, command = found.stages[0].instructions
    assert found.stages[0].name == "tiny"
    assert isinstance(run, Run)
    assert run.command == ShellForm(text="echo   one  two    three")
    assert isinstance(copy, Copy)
    assert copy.sources == ("a", "b")
    assert user.arguments == "nobody"
    assert command.line == "CMD true"


def test_windows() -> None:
    found = read("windows-backtick")
    assert found.escape == "`"
    runs = [each.arguments for each in found.instructions if isinstance(each, Run)]
    assert runs[1] == "C:\\install.ps1   -Quiet"


def test_odd_quoting() -> None:
    found = read("odd-quoting")
    values = [
        (pair.name, pair.value)
        for each in found.instructions
        if isinstance(each, Env)
        for pair in each.assignments
    ]
    assert values[3:7] == [
        ("one", '"two words"'),
        ("three", "'four $five'"),
        ("six", "seven\\ eight"),
        ("nine", '"ten \\"eleven\\" \\\\twelve"'),
    ]
    assert values[7] == ("old", 'style value = "kept" as it is')


def test_onbuild_holds_what_it_will_do() -> None:
    inner = [each.instruction for each in read("onbuild").instructions if isinstance(each, OnBuild)]
    assert [each.keyword for each in inner] == ["ARG", "ENV", "COPY", "RUN", "COPY"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_has_a_graph_that_keeps_its_order(path: Path) -> None:
    """Without an image and a context, what is not known holds, and nothing goes wrong."""
    found = parse_dockerfile(path.read_bytes(), path.name)
    candidates = Candidates(found, found.target(None), Evidence())
    assert candidates.graphs[-1].stage == found.stages[-1]
    for graph in candidates.graphs:
        assert tuple(step.instruction for step in graph.steps) == graph.stage.instructions
        assert all(edge.earlier < edge.later for edge in graph.edges)
        for edge in graph.edges:
            if isinstance(graph.steps[edge.earlier].instruction, Copy | Add):
                assert edge.release is None or edge.release.tier is Tier.CONTRACT
        assert candidates.rewrites(graph) == []
        runs = [n for n, step in enumerate(graph.steps) if isinstance(step.instruction, Run)]
        pairs = {(edge.earlier, edge.later) for edge in graph.edges if edge.release is None}
        assert set(pairwise(runs)) <= pairs
