"""Which entry and layer of an image each instruction is, in every builder's dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerlens.dockerfile.history_binding import Binding, bind_history, stage_chain
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.image import open_image
from layerlens.oci.image_config import HistoryEntry

FIXTURES = Path(__file__).parents[2] / "fixtures"
BUILDKIT = "buildkit.dockerfile.v0"


def empty(created_by: str, comment: str = BUILDKIT) -> HistoryEntry:
    return HistoryEntry(created_by=created_by, comment=comment, empty_layer=True)


def made(created_by: str, comment: str = BUILDKIT) -> HistoryEntry:
    return HistoryEntry(created_by=created_by, comment=comment)


BASE = (
    made("/bin/sh -c #(nop) ADD file:1ee in / ", ""),
    empty('/bin/sh -c #(nop)  CMD ["bash"]', ""),
    empty("ENV PATH=/usr/local/bin:/usr/bin"),
    made("RUN /bin/sh -c apt-get update # buildkit"),
    empty('CMD ["python3"]'),
)


def bind(dockerfile: str, *entries: HistoryEntry, base: tuple[HistoryEntry, ...] = BASE) -> Binding:
    history = [*base, *entries]
    found = parse_dockerfile(dockerfile.encode())
    layers = sum(not entry.empty_layer for entry in history)
    return bind_history(found, found.target(None), history, layers)


def layers_of(binding: Binding) -> list[int | None]:
    assert binding.problem is None
    assert [each.problem for each in binding.instructions if each.problem] == []
    return [each.layer for each in binding.instructions]


def test_buildkit() -> None:
    binding = bind(
        "FROM python:3\nARG V=1\nARG D\nENV A=$V B='c d'\nWORKDIR app\n"
        "COPY --chown=1 requirements.txt $D/constraints.txt ./\n"
        "RUN pip install \\\n    -r requirements.txt\nCOPY . .\nLABEL x=y\nEXPOSE 80\n"
        'ENTRYPOINT python -m x\nCMD ["--help"]\n',
        empty("ARG V=1"),
        empty("ARG D=sub"),
        empty("ENV A=1 B=c d"),
        made("WORKDIR /app"),
        made("COPY --chown=1 requirements.txt sub/constraints.txt ./ # buildkit"),
        made("RUN |2 V=1 D=sub /bin/sh -c pip install     -r requirements.txt # buildkit"),
        made("COPY . . # buildkit"),
        empty("LABEL x=y"),
        empty("EXPOSE map[80/tcp:{}]"),
        empty('ENTRYPOINT ["/bin/sh" "-c" "python -m x"]'),
        empty('CMD ["--help"]'),
    )
    assert layers_of(binding) == [None, None, None, 2, 3, 4, 5, None, None, None, None]
    assert binding.base_layers == 2
    assert [each.entry for each in binding.instructions] == list(range(5, 16))


def test_the_classic_builder_keeps_no_sources() -> None:
    binding = bind(
        "FROM x\nWORKDIR /app\nCOPY a b sub/\nADD https://e.com/x.tgz /opt/\nCOPY . /app\n"
        'RUN ["touch", "/x y"]\nCOPY --from=0 /x $HOME/y\n',
        empty("/bin/sh -c #(nop) WORKDIR /app", ""),
        made("/bin/sh -c #(nop) COPY multi:abc in /app/sub/ ", ""),
        made("/bin/sh -c #(nop) ADD 34f5 in /opt/ ", ""),
        made("/bin/sh -c #(nop) COPY dir:123 in /app ", ""),
        made("touch /x y", ""),
        made("/bin/sh -c #(nop) COPY file:9 in /root/y ", ""),
    )
    assert [each.layer for each in binding.instructions] == [None, 2, None, 4, 5, 6]
    assert (binding.instructions[2].problem or "").startswith(
        "the image was built with another one: ADD 34f5 in /opt/"
    )


def test_heredocs_mounts_and_kaniko() -> None:
    binding = bind(
        "FROM x\nRUN <<EOF\na\nb\nEOF\nRUN python3 <<EOF\nprint()\nEOF\n"
        "COPY <<one a /x/\n1\none\nRUN --mount=type=cache,target=/c make\nRUN make   install\n",
        made("RUN /bin/sh -c a\nb\n # buildkit"),
        made("RUN /bin/sh -c python3 <<EOF\nprint()\nEOF\n # buildkit"),
        made("COPY a <<one /x/ # buildkit"),
        made("/bin/sh -c --mount=type=cache,target=/c make", ""),
        made("RUN make install", ""),
    )
    assert layers_of(binding) == [2, 3, 4, 5, 6]


def test_stages_that_start_another() -> None:
    dockerfile = (
        "FROM go AS build\nRUN a\nFROM x AS base\nWORKDIR /a\nRUN b\n"
        "FROM base\nCOPY --from=build /o /o\nUSER app\n"
    )
    found = parse_dockerfile(dockerfile.encode())
    assert [stage.number for stage in stage_chain(found, found.stages[2])] == [1, 2]
    binding = bind(
        dockerfile,
        made("WORKDIR /a"),
        made("RUN /bin/sh -c b # buildkit"),
        made("COPY /o /o # buildkit"),
        empty("USER app"),
    )
    assert [(each.stage, each.place, each.layer) for each in binding.instructions] == [
        (1, 0, 2),
        (1, 1, 3),
        (2, 0, 4),
        (2, 1, None),
    ]
    assert [each.place for each in binding.of_stage(2)] == [0, 1]


def test_a_base_that_looks_alike_is_left_to_the_base() -> None:
    binding = bind(
        "FROM x\nRUN apt-get update\nCMD python3\n",
        made("RUN /bin/sh -c apt-get update # buildkit"),
        empty('CMD ["/bin/sh" "-c" "python3"]'),
    )
    assert layers_of(binding) == [2, None]
    assert binding.base_layers == 2


def test_what_has_changed_since_is_named_and_the_rest_is_bound() -> None:
    binding = bind(
        "FROM x\nRUN make\nRUN pip install b\nCOPY . /a\nENV X=2\n",
        made("RUN /bin/sh -c make # buildkit"),
        made("RUN /bin/sh -c pip install a # buildkit"),
        made("COPY . /a # buildkit"),
        empty("ENV X=1"),
    )
    assert [each.layer for each in binding.instructions] == [2, None, 4, None]
    assert [each.problem for each in binding.instructions] == [
        None,
        "the image was built with another one: RUN pip install a",
        None,
        None,
    ]


def test_an_instruction_that_the_dockerfile_does_not_have() -> None:
    binding = bind(
        "FROM x\nRUN make\nCOPY . /a\nRUN new\n",
        made("RUN /bin/sh -c make # buildkit"),
        made("RUN /bin/sh -c old # buildkit"),
        made("COPY . /a # buildkit"),
    )
    assert [each.layer for each in binding.instructions] == [2, None, None]
    assert [each.problem for each in binding.instructions][1:] == [
        "the image's history has an instruction before it: RUN old",
        "the image's history has no such instruction",
    ]


def test_what_a_history_says_is_printable_in_a_message() -> None:
    binding = bind(
        "FROM x\nRUN make\nCOPY . /a\n",
        made("RUN /bin/sh -c \x1b[2J\n" + "x" * 500 + " # buildkit"),
        made("COPY . /a # buildkit"),
    )
    problem = binding.instructions[0].problem or ""
    assert problem.isprintable()
    assert len(problem) < 200


@pytest.mark.parametrize(
    ("entries", "count", "problem"),
    [
        ((), 1, "the image has no history"),
        ((made("RUN a"),), 2, "the history tells of 1 layers and the image has 2"),
        ((made("jib-gradle-plugin:3.4", ""),), 1, "none of its instructions"),
        ((made("RUN other"), made("COPY /a /b")), 2, "none of its instructions"),
    ],
)
def test_what_binds_nothing(entries: tuple[HistoryEntry, ...], count: int, problem: str) -> None:
    found = parse_dockerfile(b"FROM x\nRUN a b\nCOPY a /c\n")
    binding = bind_history(found, found.stages[0], entries, count)
    assert problem in (binding.problem or "")
    assert {each.layer for each in binding.instructions} == {None}
    assert {each.problem for each in binding.instructions} == {binding.problem}


@pytest.mark.parametrize("number", [1, 2])
def test_a_real_image_and_the_dockerfile_it_was_built_from(number: int) -> None:
    path = FIXTURES / "recipes" / "demo" / f"Dockerfile.{number}"
    found = parse_dockerfile(path.read_bytes())
    archive = FIXTURES / ("demo.tar" if number == 1 else "demo-2.tar")
    with open_image(str(archive)) as image:
        binding = bind_history(
            found, found.target(None), image.config.history, len(image.stored.layers)
        )
        bound = layers_of(binding)
        assert [layer for layer in bound if layer is not None] == list(
            range(len(image.stored.layers))
        )
        assert binding.base_layers == 0


def test_the_dockerfile_of_another_version_binds_what_has_not_changed() -> None:
    found = parse_dockerfile((FIXTURES / "recipes" / "demo" / "Dockerfile.1").read_bytes())
    with open_image(str(FIXTURES / "demo-2.tar")) as image:
        binding = bind_history(
            found, found.target(None), image.config.history, len(image.stored.layers)
        )
    problems = [(e.instruction.line, e.problem) for e in binding.instructions if e.problem]
    assert problems == [
        (
            "WORKDIR /srv/weather",
            "the image's history has an instruction before it: RUN mkdir -p /etc/ssl/certs && "
            'echo "demo root certificate" > /etc/ssl/certs/ca-certificates.crt',
        )
    ]
    layers = [each.layer for each in binding.instructions]
    assert layers[:5] == [0, None, None, 1, None]
    assert layers[5:11] == [3, 4, 5, 6, 7, 8]


def test_a_long_history_that_agrees_is_walked_and_not_searched() -> None:
    count = 3000  # pairs of which would take minutes
    names = [f"A{number}" for number in range(count)]
    text = "FROM x\nCOPY a b\n" + "".join(f"ENV {name}=1\n" for name in names)
    entries = [made("COPY a b # buildkit"), *(empty(f"ENV {name}=1") for name in names)]
    binding = bind(text, *entries)
    assert [each.entry for each in binding.instructions] == list(range(5, count + 6))
