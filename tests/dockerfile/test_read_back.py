"""A history read back: always a Dockerfile that parses, with what is lost said."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.dockerfile.history_binding import bind_history
from layerlens.dockerfile.instruction_parts import ShellForm
from layerlens.dockerfile.instructions import Run
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.read_back import lost_parts, read_back
from layerlens.oci.image_config import HistoryEntry, ImageConfig, RuntimeConfig
from layerlens.oci.platform import Platform

NOTHING = RuntimeConfig(labels={})


def config(*created_by: str, empty: bool = False, runtime: RuntimeConfig = NOTHING) -> ImageConfig:
    return ImageConfig(
        platform=Platform(os="linux", architecture="amd64"),
        runtime=runtime,
        diff_ids=(),
        history=tuple(HistoryEntry(created_by=text, empty_layer=empty) for text in created_by),
    )


def text_of(made: ImageConfig) -> str:
    layers = sum(not entry.empty_layer for entry in made.history)
    return read_back(made, [1000 + n for n in range(layers)], title="image.tar", base=None)


def instructions_of(text: str) -> list[str]:
    parsed = parse_dockerfile(text.encode("utf-8", "surrogateescape"), "Dockerfile")
    (stage,) = parsed.stages
    return [parsed.source(each.span).rstrip("\n") for each in stage.instructions]


@pytest.mark.parametrize(
    ("created_by", "expected"),
    [
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("RUN /bin/sh -c make install # buildkit", "RUN make install"),
        ("COPY . /app # buildkit", "COPY . /app"),
        ("COPY --chown=1000:1000 a b /app/ # buildkit", "COPY --chown=1000:1000 a b /app/"),
        ("/bin/sh -c #(nop) COPY file:0aff in /etc/x ", "COPY file-0 /etc/x"),
        ("/bin/sh -c #(nop) ADD dir:0aff in / ", "ADD dir-0 /"),
        (
            "/bin/sh -c #(nop) ADD file:0aff in /odd names/with space.txt ",
            'ADD ["file-0", "/odd names/with space.txt"]',
        ),
        ("ko build ko://example.com/cmd", "ADD layer-0.tar /"),
        ("bazel build ...", "ADD layer-0.tar /"),
        ("", "ADD layer-0.tar /"),
        ("RUN /bin/sh -c printf 'a\\n' > x # buildkit", "RUN printf 'a\\n' > x"),
    ],
)
def test_what_made_a_layer(created_by: str, expected: str) -> None:
    text = text_of(config(created_by))
    assert instructions_of(text) == [expected]
    assert "# layer 0, 1000 bytes\n" in text


@pytest.mark.parametrize(
    ("created_by", "runtime", "expected"),
    [
        ("ENV A=1 # buildkit", RuntimeConfig(env=("A=1",), labels={}), "ENV A=1"),
        (
            "/bin/sh -c #(nop)  ENV A=two words B=3",
            RuntimeConfig(env=(), labels={}),
            'ENV A="two words" B=3',
        ),
        ("ENV A=$HOME # buildkit", RuntimeConfig(env=("A=$HOME",), labels={}), 'ENV A="\\$HOME"'),
        (
            'LABEL a.b="say \\"hi\\"" # buildkit',
            RuntimeConfig(labels={}),
            'LABEL a.b="say \\"hi\\""',
        ),
        (
            '/bin/sh -c #(nop) LABEL "a key"="v" b=two\\ words c=\'x "y"\'',
            RuntimeConfig(labels={"a key": "v", "b": "two words", "c": 'x "y"'}),
            'LABEL "a key"="v" b=two\\ words c=\'x "y"\'',
        ),
        ("ARG VERSION=1.0 # buildkit", RuntimeConfig(labels={}), "ARG VERSION=1.0"),
        (
            '/bin/sh -c #(nop)  CMD ["sh" "-c" "x y"]',
            RuntimeConfig(cmd=("sh", "-c", "x y"), labels={}),
            'CMD ["sh", "-c", "x y"]',
        ),
        ("WORKDIR /srv", RuntimeConfig(working_dir="/srv", labels={}), "WORKDIR /srv"),
        ("/bin/sh -c #(nop)  EXPOSE map[80/tcp:{}]", RuntimeConfig(labels={}), "EXPOSE 80/tcp"),
        ("USER app", RuntimeConfig(user="app", labels={}), "USER app"),
    ],
)
def test_what_only_set_something(created_by: str, runtime: RuntimeConfig, expected: str) -> None:
    made = config(created_by, empty=True, runtime=runtime)
    assert instructions_of(text_of(made)) == [expected]


def test_copies_without_layers_of_their_own_are_told_apart() -> None:
    digests = "0123456789abcdef", "fedcba9876543210"
    copies = [f"/bin/sh -c #(nop) COPY file:{each} in /{each[0]} " for each in digests]
    assert instructions_of(text_of(config(*copies, empty=True))) == [
        "COPY file-0123456789ab /0",
        "COPY file-fedcba987654 /f",
    ]


def test_a_run_of_several_lines_is_a_here_document() -> None:
    text = text_of(config("RUN /bin/sh -c set -e\necho EOF\nfrom here # buildkit"))
    assert "RUN <<'EOF_'\nset -e\necho EOF\nfrom here\nEOF_\n" in text
    assert len(instructions_of(text)) == 1


def test_a_long_run_is_broken_where_its_shell_would_see_no_difference() -> None:
    command = "apt-get update && apt-get install -y " + "x" * 90 + " && echo 'a && b'"
    text = text_of(config(f"/bin/sh -c {command}"))
    parsed = parse_dockerfile(text.encode(), "Dockerfile")
    (run,) = parsed.stages[0].instructions
    assert isinstance(run, Run)
    assert isinstance(run.command, ShellForm)
    assert run.command.text == command
    assert "\\\n&& apt-get install" in text


def test_build_arguments_are_declared_once_before_the_run_that_had_them() -> None:
    text = text_of(config("|1 V=1 /bin/sh -c make", "|1 V=1 /bin/sh -c make install"))
    assert instructions_of(text) == ["ARG V=1", "RUN make", "RUN make install"]


def test_an_argument_without_a_value_has_that_of_the_next_run() -> None:
    text = text_of(
        config("/bin/sh -c #(nop) ARG V W", "|1 V=1 /bin/sh -c make", "|1 V=2 /bin/sh -c make")
    )
    assert instructions_of(text) == ["ARG V=1", "ARG W", "RUN make", "RUN make"]


@pytest.mark.parametrize(
    ("created_by", "runtime", "added"),
    [
        (["ENV A=1"], RuntimeConfig(env=("A=2",), labels={}), ["ENV A=2"]),
        (["ENV H=/root", "/bin/sh -c #(nop) ENV A=$H"], ("H=/root", "A=/root"), []),
        (["ENV A=1 B=2"], ("A=1", "B=0", "B=2"), []),
        (["/bin/sh -c #(nop) ENV A=$H"], ("A=/root",), ["ENV A=/root"]),
        (["LABEL a=1"], RuntimeConfig(labels={"a": "2"}), ["LABEL a=2"]),
        (["ARG V", "LABEL a=$V"], RuntimeConfig(labels={"a": "2"}), ["LABEL a=2"]),
        (['CMD ["sh"]'], RuntimeConfig(cmd=("x",), labels={}), ['CMD ["x"]']),
        (
            ['CMD ["sh"]', 'ENTRYPOINT ["x"]'],
            RuntimeConfig(entrypoint=("x",), labels={}),
            ["CMD []"],
        ),
        (["CMD run it"], RuntimeConfig(cmd=("/bin/sh", "-c", "run it"), labels={}), []),
        (["USER a"], RuntimeConfig(user="b", labels={}), ["USER b"]),
        (["WORKDIR /srv", "WORKDIR app/"], RuntimeConfig(working_dir="/srv/app", labels={}), []),
        (["WORKDIR C:\\app"], RuntimeConfig(working_dir="C:\\app", labels={}), []),
        (["WORKDIR /srv"], RuntimeConfig(working_dir="/app", labels={}), ["WORKDIR /app"]),
        (["STOPSIGNAL INT"], RuntimeConfig(stop_signal="HUP", labels={}), ["STOPSIGNAL HUP"]),
        (
            ["EXPOSE 80 53/UDP 8000-8001"],
            RuntimeConfig(
                exposed_ports=("53/udp", "80/tcp", "8000/tcp", "8001/tcp", "9/tcp"), labels={}
            ),
            ["EXPOSE 9/tcp"],
        ),
        (
            ["EXPOSE 8000-8001"],
            RuntimeConfig(exposed_ports=("8000-8001/tcp",), labels={}),
            [],
        ),
        (["VOLUME /a"], RuntimeConfig(volumes=("/a", "/b c"), labels={}), ['VOLUME ["/b c"]']),
        (
            [],
            RuntimeConfig(
                healthcheck=("CMD-SHELL", "x || y"), healthcheck_flags=("--retries=2",), labels={}
            ),
            ["HEALTHCHECK --retries=2 CMD x || y"],
        ),
        ([], RuntimeConfig(healthcheck=("CMD", "x"), labels={}), ['HEALTHCHECK CMD ["x"]']),
        ([], RuntimeConfig(healthcheck=("NONE",), labels={}), ["HEALTHCHECK NONE"]),
        (
            ["ONBUILD RUN a"],
            RuntimeConfig(on_build=("RUN a", "RUN b"), labels={}),
            ["ONBUILD RUN b"],
        ),
        (["USER a"], RuntimeConfig(user="b\nRUN x", labels={"b": "\1"}), []),
    ],
)
def test_what_the_config_has_otherwise_is_set_at_the_end(
    created_by: list[str], runtime: RuntimeConfig | tuple[str, ...], added: list[str]
) -> None:
    if isinstance(runtime, tuple):
        runtime = RuntimeConfig(env=runtime, labels={})
    made = config(*created_by, empty=True, runtime=runtime)
    assert instructions_of(text_of(made))[len(created_by) :] == added


def test_what_no_instruction_tells_is_taken_from_the_config() -> None:
    made = config(
        "umoci repack",
        runtime=RuntimeConfig(
            env=("PATH=/usr/bin", "NAME=two words"),
            labels={"a": "b"},
            exposed_ports=("80/tcp",),
            volumes=("/data",),
            working_dir="/srv",
            user="app",
            stop_signal="SIGINT",
            entrypoint=("/bin/x",),
            cmd=("a", "b c"),
        ),
    )
    text = text_of(made)
    assert instructions_of(text) == [
        "ENV PATH=/usr/bin",
        'ENV NAME="two words"',
        "ADD layer-0.tar /",
        "LABEL a=b",
        "EXPOSE 80/tcp",
        'VOLUME ["/data"]',
        "WORKDIR /srv",
        "USER app",
        "STOPSIGNAL SIGINT",
        'ENTRYPOINT ["/bin/x"]',
        'CMD ["a", "b c"]',
    ]
    assert lost_parts(text) == (
        "what sets these; the image's config has them",
        "what made it: umoci repack",
        "what sets these; the image's config has them",
    )


def test_a_history_of_many_variables_is_read_back_in_a_moment() -> None:
    variables = [f"A{number}=1" for number in range(8000)]
    made = config(
        *(f"ENV {variable}" for variable in variables),
        empty=True,
        runtime=RuntimeConfig(env=tuple(variables), labels={}),
    )
    start = time.process_time()
    text = text_of(made)
    assert time.process_time() - start < 3
    assert text.count("ENV A") == len(variables)


def test_layers_beyond_the_history_stand_for_themselves() -> None:
    text = read_back(config("COPY a /"), [1, 2], title="x", base="debian:12")
    assert instructions_of(text)[-1] == "ADD layer-1.tar /"
    assert "debian:12" in lost_parts(text)[0]


TEXTS = st.one_of(
    st.text(max_size=60),
    st.builds(
        lambda start, rest: f"{start} {rest}",
        st.sampled_from(
            ["RUN", "COPY", "ADD", "ENV", "LABEL", "ARG", "CMD", "ENTRYPOINT", "ONBUILD", "SHELL",
             "HEALTHCHECK", "EXPOSE", "VOLUME", "USER", "WORKDIR", "FROM", "MAINTAINER",
             "STOPSIGNAL", "/bin/sh -c", "/bin/sh -c #(nop) ENV", "|1 A=b /bin/sh -c"]
        ),
        st.text(max_size=40),
    ),
)  # fmt: skip


@given(st.lists(st.tuples(TEXTS, st.booleans()), max_size=4), st.text(max_size=20))
def test_any_history_gives_a_dockerfile_that_parses(
    drawn: list[tuple[str, bool]], title: str
) -> None:
    made = replace(
        config(),
        history=tuple(HistoryEntry(created_by=text, empty_layer=empty) for text, empty in drawn),
    )
    layers = sum(not empty for _, empty in drawn)
    text = read_back(made, [None] * layers, title=title, base=None)
    parsed = parse_dockerfile(text.encode("utf-8", "surrogatepass"), "Dockerfile")
    assert len(parsed.stages) == 1
    bind_history(parsed, parsed.stages[0], made.history, layers)  # raises nothing


@pytest.mark.parametrize(
    "ports", ["1-" + "9" * 5000, "9" * 5000 + "-1", "1-99999", "\u0663-\u0665"]
)
def test_ports_that_are_none_are_left_as_they_stand(ports: str) -> None:
    assert f"EXPOSE {ports}" in text_of(config(f"EXPOSE {ports}"))
