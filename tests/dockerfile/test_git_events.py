"""Commits replayed: which of them would have dirtied which instruction."""

from __future__ import annotations

from pathlib import Path

from layerlens.dockerfile.build_events import BuildEvents, EventKind, Origin
from layerlens.dockerfile.copy_sources import copy_sources
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.dockerignore import NO_RULES, parse_dockerignore
from layerlens.dockerfile.git_events import ReplayedFiles, git_events
from layerlens.dockerfile.git_history import read_history
from layerlens.dockerfile.instructions import Copy
from layerlens.dockerfile.parser import parse_dockerfile

from .git_repository import Repository, needs_git

pytestmark = needs_git


def _events(
    repository: Repository, context: str = "", dockerfile: str = "Dockerfile"
) -> BuildEvents:
    repository.check_out()
    directory = repository.path / context
    path = repository.path / dockerfile
    ignore = directory / ".dockerignore"
    files = ReplayedFiles(context=str(directory), dockerfile=str(path), ignore_file=str(ignore))
    return git_events(
        read_history(str(directory), [str(path), str(ignore)]),
        parse_dockerfile(path.read_bytes()),
        parse_dockerignore(ignore.read_text(), "i") if ignore.exists() else NO_RULES,
        files,
    )


def _touching(events: BuildEvents, *sources: str) -> list[int]:
    """The numbers of the events that change what a COPY of the sources takes."""
    dockerfile = parse_dockerfile(f"FROM scratch\nCOPY {' '.join(sources)} /\n".encode())
    (instruction,) = dockerfile.stages[0].instructions
    assert isinstance(instruction, Copy)
    return _numbers(events, events.touching(copy_sources(instruction)))


def _numbers(events: BuildEvents, mask: int) -> list[int]:
    return [number for number in range(len(events.events)) if mask >> number & 1]


def test_each_commit_dirties_what_takes_its_files(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    ignore = b".git\n*.md\n"
    repository.commit({"Dockerfile": b"FROM scratch\n", ".dockerignore": ignore, "lock": b"1"})
    repository.commit({"src/a": b"1"})
    repository.commit({"lock": b"2", "src/a": b"2"})
    repository.commit({"README.md": b"1"})
    repository.commit({"src/a+x": b"2"})
    repository.commit({"src/a": None})
    events = _events(repository)
    assert events.origin is Origin.GIT
    assert [event.kind for event in events.events] == [EventKind.COMMIT] * 5
    assert _touching(events, ".") == [0, 1, 3, 4]
    assert _touching(events, "src") == [0, 1, 3, 4]
    assert _touching(events, "lock") == [1]
    assert _touching(events, "README.md") == []
    assert events.notes == ()


def test_gits_own_directory_in_the_context_changes_with_every_commit(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM scratch\n", "a": b"1", "sub/b": b"1"})
    repository.commit({"a": b"2"})
    repository.commit({"sub/b": b"2"})
    events = _events(repository)
    assert _touching(events, ".") == [0, 1]
    assert _touching(events, "a") == [0]
    assert _touching(events, "sub") == [1]
    assert "leaves .git out" in events.notes[0]
    assert _touching(_events(repository, "sub"), ".") == [0]  # only its own commit is one


def test_a_change_of_the_ignore_file_dirties_what_it_lets_in_or_leaves_out(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM scratch\n", "data/x": b"1", "src/y": b"1"})
    repository.commit({".dockerignore": b".git\n.dockerignore\ndata\n"})
    repository.commit({"data/z": b"1"})
    repository.commit({".dockerignore": b".git\n.dockerignore\ndata/x\n"})
    repository.commit({".dockerignore": b".git\n.dockerignore\n# more\ndata/x\n"})
    events = _events(repository)
    assert _touching(events, "data") == [0, 1, 2]
    assert _touching(events, "data/x") == [0]
    assert _touching(events, "data/z") == [1, 2]
    assert _touching(events, "src") == []


def test_the_dockerfiles_own_changes_are_told_by_instruction(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM scratch\nRUN a\nCOPY x /\n", "x": b"1"})
    repository.commit({"Dockerfile": b"FROM scratch\nRUN a=2\nCOPY x /\n"})
    repository.commit({"Dockerfile": b'FROM scratch\nRUN ("\nCOPY <<E /\n'})  # cannot be built
    repository.commit({"Dockerfile": b"FROM scratch\nRUN a=2\nCOPY x /y\n"})
    repository.commit({"Dockerfile": b"# said\nFROM scratch\nRUN a=2\nCOPY x /y\n"})
    events = _events(repository)
    assert {place: _numbers(events, mask) for place, mask in events.texts.items() if mask} == {
        Place(0, 0): [0],
        Place(0, 1): [2],
    }


def test_what_is_not_committed_is_no_event(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM scratch\nRUN a\n"})
    repository.commit({"Dockerfile": b"FROM scratch\nRUN b\n"})
    repository.check_out()
    dockerfile = repository.path / "Dockerfile"
    dockerfile.write_bytes(b"FROM scratch\nENV new=1\nRUN c\n")
    events = git_events(
        read_history(str(repository.path), [str(dockerfile)]),
        parse_dockerfile(dockerfile.read_bytes()),
        NO_RULES,
        ReplayedFiles(context=str(repository.path), dockerfile=str(dockerfile), ignore_file=None),
    )
    assert {place: mask for place, mask in events.texts.items() if mask} == {Place(0, 1): 0b1}


def test_a_global_argument_changes_what_uses_it(tmp_path: Path) -> None:
    text = "ARG V={}\nARG W\nFROM scratch AS a\nARG V\nRUN x\nFROM b@sha256:{} AS c\n"
    end = "FROM scratch\nRUN y\nARG W\n"
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": (text.format(1, "$V") + end).encode()})
    repository.commit({"Dockerfile": (text.format(2, "$V") + end).encode()})
    events = _events(repository)
    assert events.texts == {Place(-1, 0): 1, Place(0, 0): 1, Place(1, -1): 1}


def test_an_argument_named_after_the_commit_changes_with_every_build(tmp_path: Path) -> None:
    lines = b"FROM scratch\nARG GIT_SHA\nARG BUILD_DATE=x\nARG SHADOW\nARG BUILD_TYPE=release\n"
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": lines})
    repository.commit({"a": b"1"})
    repository.commit({"a": b"2"})
    events = _events(repository)
    assert events.texts == {Place(0, 0): 0b11, Place(0, 1): 0b11}
    assert [note for note in events.notes if note.startswith("ARG GIT_SHA is assumed")]


def test_base_images_are_assumed_to_be_renewed_unless_a_digest_pins_them(tmp_path: Path) -> None:
    dockerfile = b"FROM a:1 AS x\nFROM x\nFROM b@sha256:1\nFROM scratch\nFROM a:1\n"
    repository = Repository(tmp_path / "r")
    for number in range(8):
        repository.commit({"Dockerfile": dockerfile, "n": str(number).encode()}, days=10)
    events = _events(repository)
    kinds = [event.kind for event in events.events]
    assert [number for number, kind in enumerate(kinds) if kind is EventKind.BASE] == [3, 7]
    assert {stage: _numbers(events, mask) for stage, mask in events.bases.items()} == {
        0: [3, 7],
        4: [3, 7],
    }
    assert any("every 30 days" in note for note in events.notes)
    assert _touching(events, "n") == [0, 1, 2, 4, 5, 6, 8]


def test_a_submodule_is_a_directory_whose_files_are_not_known(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM scratch\n", ".dockerignore": b".git\n"})
    repository.check_out()
    for number in (1, 2):
        entry = f"160000,{number:040d},vendor/lib"
        repository.git("update-index", "--add", "--cacheinfo", entry)
        repository.git("commit", "-q", "-m", "x")
    files = ReplayedFiles(
        context=str(repository.path),
        dockerfile=str(repository.path / "Dockerfile"),
        ignore_file=None,
    )
    events = git_events(
        read_history(str(repository.path), []), parse_dockerfile(b"FROM scratch\n"), NO_RULES, files
    )
    assert _touching(events, "vendor/lib/src") == [0, 1]
    assert _touching(events, "vendor") == [0, 1]
    assert _touching(events, "vendor/other") == []


def test_a_repository_with_one_commit_has_no_events(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM a\n"})
    events = _events(repository)
    assert events.events == ()
    assert _touching(events, ".") == []
