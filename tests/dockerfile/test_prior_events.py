"""Events made up: what is assumed to change often, and what seldom."""

from __future__ import annotations

import pytest

from layerlens.dockerfile.build_events import BuildEvents, Origin
from layerlens.dockerfile.copy_sources import copy_sources
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.instructions import Copy
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.prior_events import BUILDS, prior_events

DOCKERFILE = """\
FROM x
ADD rootfs.tar /
COPY package*.json ./
RUN npm ci
COPY src /src
COPY . .
ENV a=1
"""


def _changes(events: BuildEvents, *sources: str) -> int:
    copy = parse_dockerfile(f"FROM x\nCOPY {' '.join(sources)} /\n".encode()).stages[0]
    (instruction,) = copy.instructions
    assert isinstance(instruction, Copy)
    return events.touching(copy_sources(instruction)).bit_count()


def test_lists_of_dependencies_change_seldom_and_other_files_otherwise() -> None:
    dockerfile = parse_dockerfile(DOCKERFILE.encode())
    events = prior_events(dockerfile, ["package.json", "package-lock.json", "src/a.js", "x.bin"])
    assert events.origin is Origin.PRIOR
    assert len(events.events) == BUILDS
    assert _changes(events, "package*.json") == 10
    assert _changes(events, "src") == 90
    assert _changes(events, "x.bin") == 90
    assert _changes(events, ".") == 100
    assert "assumed" in events.notes[0]


def test_without_files_the_sources_stand_for_them() -> None:
    events = prior_events(parse_dockerfile(DOCKERFILE.encode()), [])
    assert _changes(events, "package*.json") == 10
    assert _changes(events, "src") == 90
    assert _changes(events, "rootfs.tar") == 0


def test_instructions_change_now_and_then_each_by_itself() -> None:
    events = prior_events(parse_dockerfile(DOCKERFILE.encode()), [])
    assert {place: mask.bit_count() for place, mask in events.texts.items()} == {
        Place(0, 2): 2,
        Place(0, 5): 2,
    }
    assert not events.texts[Place(0, 2)] & events.texts[Place(0, 5)]


@pytest.mark.parametrize(
    ("name", "seldom"),
    [
        ("requirements.txt", True),
        ("requirements-dev.txt", True),
        ("poetry.lock", True),
        ("pnpm-lock.yaml", True),
        ("go.sum", True),
        ("app/Api.csproj", True),
        ("build.gradle.kts", True),
        ("environment.yml", True),
        ("main.py", False),
        ("lock.c", False),
        ("package.json.bak", False),
    ],
)
def test_what_counts_as_a_list_of_dependencies(name: str, seldom: bool) -> None:
    events = prior_events(parse_dockerfile(b"FROM x\n"), [name])
    assert _changes(events, name) == (10 if seldom else 90)
