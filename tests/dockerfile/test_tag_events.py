"""What consecutive tags of an image differ in, by instruction."""

from __future__ import annotations

from collections.abc import Sequence

from layerlens.dockerfile.build_events import BuildEvents, EventKind, Origin
from layerlens.dockerfile.dockerfile_changes import Place
from layerlens.dockerfile.history_binding import Binding, BoundInstruction
from layerlens.dockerfile.instructions import Dockerfile
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.tag_events import Copied, Tag, tag_events
from layerlens.layer.entry import Entry, EntryKind, LayerEntry

DOCKERFILE = parse_dockerfile(b"FROM x\nCOPY a.txt src /app/\nRUN make\n")


def _file(path: str, content: bytes = b"1", *, mode: int = 0o644, time: int = 0) -> LayerEntry:
    return Entry(path, EntryKind.FILE, mode, 0, 0, len(content), time, content * 32, None, (), None)


def _directory(path: str, mode: int = 0o755) -> LayerEntry:
    return Entry(path, EntryKind.DIRECTORY, mode, 0, 0, 0, 0, None, None, (), None)


def _tag(
    *files: LayerEntry,
    problem: str | None = None,
    base: tuple[str, ...] = ("b",),
    dockerfile: Dockerfile = DOCKERFILE,
) -> Tag:
    layers: Sequence[Sequence[LayerEntry]] = [files, [_file("/bin/made", bytes(1))]]
    return Tag(
        name="tag",
        binding=Binding(
            instructions=tuple(
                BoundInstruction(
                    stage=0,
                    place=place,
                    instruction=instruction,
                    entry=place,
                    layer=place,
                    problem=problem if place == 1 else None,
                )
                for place, instruction in enumerate(dockerfile.stages[0].instructions)
            ),
            base_layers=0,
        ),
        layer=lambda number: layers[number],
        base=base,
    )


def _events(*tags: Tag) -> BuildEvents:
    return tag_events(tags, {Place(0, 0): Copied(sources=["a.txt", "src"], destination="/app")})


def test_files_that_differ_are_told_by_their_sources() -> None:
    events = _events(
        _tag(_file("/app/a.txt"), _file("/app/x/y.c")),
        _tag(_file("/app/a.txt"), _file("/app/x/y.c", b"2")),
        _tag(_file("/app/a.txt", b"3"), _file("/app/x/y.c", b"2")),
    )
    assert events.origin is Origin.TAGS
    assert [event.kind for event in events.events] == [EventKind.TAG] * 2
    assert events.paths["src/x/y.c"] == 0b01
    assert events.paths["a.txt"] == 0b10
    assert events.texts == {}


def test_modes_and_files_that_come_and_go_count_and_times_do_not() -> None:
    events = _events(
        _tag(_file("/app/z", time=1)),
        _tag(_file("/app/z", time=2), _directory("/app")),
        _tag(_file("/app/z", mode=0o755)),
        _tag(),
        _tag(_file("/app/z")),
    )
    assert events.paths["src/z"] == 0b1110


def test_an_instruction_that_was_another_one_has_changed() -> None:
    events = _events(_tag(problem="another one"), _tag(), _tag())
    assert events.texts == {Place(0, 1): 0b01}


def test_another_base_dirties_the_stage() -> None:
    events = _events(_tag(), _tag(base=("c",)), _tag(base=("c",)))
    assert events.bases == {0: 0b01}


def test_a_file_copied_to_a_name_is_its_source_and_patterns_stay_in_their_directory() -> None:
    one, two = _tag(_file("/etc/app.conf")), _tag(_file("/etc/app.conf", b"2"))
    place = Place(0, 0)
    named = tag_events([one, two], {place: Copied(sources=["c"], destination="/etc/app.conf")})
    assert named.paths == {"c": 1}
    pattern = tag_events([one, two], {place: Copied(sources=["conf/*.conf"], destination="/etc")})
    assert pattern.paths == {"conf/app.conf": 1}
