"""What a Dockerfile's lines are read as, and that not a byte of them is lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from layerlens.dockerfile.instruction_parts import ExecForm, Mount, ShellForm
from layerlens.dockerfile.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    From,
    HealthCheck,
    Instruction,
    Label,
    OnBuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.errors import MalformedInput, NotFound


def parsed(text: str) -> Dockerfile:
    found = parse_dockerfile(text.encode())
    assert found.to_bytes() == text.encode()
    return found


def one(line: str) -> Instruction:
    """The one instruction after a FROM."""
    (instruction,) = parsed(f"FROM x\n{line}\n").stages[0].instructions
    return instruction


def refusal(text: str) -> str:
    with pytest.raises(MalformedInput) as raised:
        parse_dockerfile(text.encode())
    return str(raised.value)


def run_text(line: str) -> str:
    instruction = one(line)
    assert isinstance(instruction, Run)
    assert isinstance(instruction.command, ShellForm)
    return instruction.command.text


def pairs(line: str) -> list[tuple[str, str | None]]:
    instruction = one(line)
    assert isinstance(instruction, Env | Label | Arg)
    return [(each.name, each.value) for each in instruction.assignments]


def test_comments_and_blank_lines_between_continuations_are_left_out() -> None:
    assert run_text("RUN a && \\\n  # why\n\n\t# more\n  b \\ \t\n  c") == "a &&   b   c"


def test_an_escaped_escape_continues_nothing() -> None:
    found = parsed("FROM x\nRUN echo a\\\\\nRUN b\n")
    assert [each.arguments for each in found.stages[0].instructions] == ["echo a\\\\", "b"]


def test_a_comment_needs_its_sign_first() -> None:
    assert run_text("RUN echo hello # world") == "echo hello # world"
    found = parsed("  # indented\nFROM x\n\t#too\n   RUN y\n")
    assert [each.keyword for each in found.instructions] == ["FROM", "RUN"]


def test_the_escape_directive() -> None:
    found = parsed("# escape=`\n\nFROM x\nCOPY testfile.txt c:\\\nRUN dir `\n  c:\\\n")
    copy, run = found.stages[0].instructions
    assert isinstance(copy, Copy)
    assert (copy.sources, copy.destination) == (("testfile.txt",), "c:\\")
    assert run.arguments == "dir   c:\\"


@pytest.mark.parametrize(
    ("start", "syntax", "escape"),
    [
        ("#syntax=docker/dockerfile:1.7\n", "docker/dockerfile:1.7", "\\"),
        ("# SynTax =  a/b \n# escape = `\n", "a/b", "`"),
        ("# about\n# escape=`\n", None, "\\"),
        ("\n# escape=`\n", None, "\\"),
        ("# unknowndirective=value\n# escape=`\n", None, "\\"),
        ("ARG A\n# escape=`\n", None, "\\"),
        ("\ufeff# escape=`\n", None, "`"),
        ("# check=skip=all\n#escape=`\n", None, "`"),
    ],
)
def test_directives_stand_before_all_else(start: str, syntax: str | None, escape: str) -> None:
    found = parsed(f"{start}FROM x\n")
    assert (found.syntax, found.escape) == (syntax, escape)


def test_bytes_that_are_not_utf8_and_carriage_returns_come_back() -> None:
    source = b"\xef\xbb\xbfFROM x\r\nENV A=\xff\xfe \\\r\n  B=2\r\n\r\nRUN <<E\r\n  a\r\nE\r\nRUN b"
    found = parse_dockerfile(source)
    assert found.to_bytes() == source
    env, script, last = found.stages[0].instructions
    assert isinstance(env, Env)
    assert [each.value for each in env.assignments] == ["\udcff\udcfe", "2"]
    assert isinstance(script, Run)
    assert script.script == "  a\r\n"
    assert last.span.first_line == 8


def test_stages_by_name_and_number() -> None:
    found = parsed(
        "ARG V=1\nARG W\nFROM --platform=$BUILDPLATFORM go:${V} AS Build\nRUN a\n"
        "FROM build\nCOPY --from=0 /a /b\nFROM scratch as last\nCOPY --from=build /a /b\n"
    )
    assert [stage.name for stage in found.stages] == ["build", None, "last"]
    assert [each.assignments[0].name for each in found.arguments] == ["V", "W"]
    assert found.stages[0].start.platform == "$BUILDPLATFORM"
    assert found.stages[0].start.image == "go:${V}"
    assert found.find_stage("BUILD") == found.stages[0] == found.base_stage("build", 1)
    assert found.find_stage("1") == found.stages[1]
    assert found.find_stage("1", before=1) is None
    assert found.base_stage("0", 2) is None
    assert found.find_stage("debian") is None
    assert found.target(None) == found.stages[2]
    assert found.target("1").title == "1"
    with pytest.raises(NotFound, match="no stage 'x'; there are build, 1, last"):
        found.target("x")


def test_of_two_stages_with_a_name_the_later_is_meant() -> None:
    found = parsed("FROM a AS s\nFROM b AS s\nFROM s\n")
    assert found.find_stage("s") == found.stages[1]
    assert found.find_stage("s", before=1) == found.stages[0]


def test_copy_and_its_flags() -> None:
    copy = one("COPY --from=b --chown=1:2 --chmod=755 --link --exclude=*.md --exclude=t a b /c/")
    assert isinstance(copy, Copy)
    assert (copy.from_, copy.chown, copy.chmod, copy.link) == ("b", "1:2", "755", True)
    assert (copy.exclude, copy.parents) == (("*.md", "t"), False)
    assert (copy.sources, copy.destination) == (("a", "b"), "/c/")
    assert copy.line == (
        "COPY --from=b --chown=1:2 --chmod=755 --link --exclude=*.md --exclude=t a b /c/"
    )


def test_a_switch_can_be_turned_off() -> None:
    copy = one("COPY --link=false --parents=true a b")
    assert isinstance(copy, Copy)
    assert (copy.link, copy.parents) == (False, True)


def test_add() -> None:
    add = one('ADD --checksum=sha256:00 --keep-git-dir=true ["https://x/a b.tgz", "/d"]')
    assert isinstance(add, Add)
    assert (add.checksum, add.keep_git_dir, add.json) == ("sha256:00", True, True)
    assert (add.sources, add.destination) == (("https://x/a b.tgz",), "/d")


def test_quoted_flags() -> None:
    run = one("RUN --mount=type=cache,\"target=/a b\",id='x' --network=none -- make --flag")
    assert isinstance(run, Run)
    assert run.network == "none"
    (mount,) = run.mounts
    assert (mount.type, mount.target, mount.option("id")) == ("cache", "/a b", "x")
    assert run.arguments == "make --flag"


def test_mounts() -> None:
    run = one(
        "RUN --mount=dst=/src,from=build,src=out,rw --mount=type=secret,id=s"
        " --mount='type=tmpfs,\"target=/a,b\"' make"
    )
    assert isinstance(run, Run)
    bind, secret, tmpfs = run.mounts
    assert (bind.type, bind.target, bind.source, bind.from_) == ("bind", "/src", "out", "build")
    assert bind.option("rw") == ""
    assert secret == Mount(options=(("type", "secret"), ("id", "s")))
    assert secret.target is None
    assert tmpfs.target == "/a,b"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('RUN ["a", "b c", "\\u0041"]', ("a", "b c", "A")),
        ('CMD ["a"]', ("a",)),
        ("ENTRYPOINT []", ()),
    ],
)
def test_exec_form(line: str, words: tuple[str, ...]) -> None:
    instruction = one(line)
    assert isinstance(instruction, Run | Cmd | Entrypoint)
    assert instruction.command == ExecForm(words=words)


def test_what_only_looks_like_exec_form_is_for_the_shell() -> None:
    assert run_text("RUN ['a', 'b']") == "['a', 'b']"
    assert run_text("RUN [ -f x ] && y") == "[ -f x ] && y"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ENV A=\"b c\" D=e\\ f G='h  i'", [("A", '"b c"'), ("D", "e\\ f"), ("G", "'h  i'")]),
        ("ENV A old  style = value", [("A", "old  style = value")]),
        ('LABEL a=b \\\n  c="d\\\n e"', [("a", "b"), ("c", '"d e"')]),
        ('LABEL "com.example/a b"="c"', [('"com.example/a b"', '"c"')]),
        ("ARG A", [("A", None)]),
        ("ARG A B=2 C=", [("A", None), ("B", "2"), ("C", "")]),
    ],
)
def test_assignments(line: str, expected: list[tuple[str, str | None]]) -> None:
    assert pairs(line) == expected


def test_the_other_instructions() -> None:
    found = parsed(
        'FROM x\nWORKDIR /a b\nUSER app:app\nSHELL ["/bin/bash", "-c"]\nEXPOSE 80 443/udp\n'
        'VOLUME ["/a b"]\nVOLUME /c /d\nSTOPSIGNAL SIGINT\nHEALTHCHECK NONE\n'
        'HEALTHCHECK --interval=5s --retries=2 CMD ["c", "x"]\nHEALTHCHECK cmd curl -f x\n'
        "MAINTAINER A B <a@b>\n"
    )
    (workdir, user, shell, expose, volume, volumes, signal, none, check, other, maintainer) = (
        found.stages[0].instructions
    )
    assert isinstance(workdir, Workdir)
    assert workdir.path == "/a b"
    assert isinstance(user, User)
    assert user.user == "app:app"
    assert isinstance(shell, Shell)
    assert shell.words == ("/bin/bash", "-c")
    assert isinstance(expose, Expose)
    assert expose.ports == ("80", "443/udp")
    assert isinstance(volume, Volume)
    assert volume.paths == ("/a b",)
    assert isinstance(volumes, Volume)
    assert volumes.paths == ("/c", "/d")
    assert isinstance(signal, StopSignal)
    assert signal.signal == "SIGINT"
    assert isinstance(none, HealthCheck)
    assert none.command is None
    assert isinstance(check, HealthCheck)
    assert (check.flag("retries"), check.command) == ("2", ExecForm(words=("c", "x")))
    assert isinstance(other, HealthCheck)
    assert other.command == ShellForm(text="curl -f x")
    assert maintainer.arguments == "A B <a@b>"


def test_onbuild_holds_an_instruction() -> None:
    outer = one("ONBUILD COPY --chown=1 <<E /x\nhi\nE")
    assert isinstance(outer, OnBuild)
    inner = outer.instruction
    assert isinstance(inner, Copy)
    assert (inner.chown, inner.sources, inner.heredocs[0].content) == ("1", (), "hi\n")


def test_heredocs_of_run() -> None:
    run = one("RUN <<EOF\n#!/bin/sh\n  \\\nFROM x\nEOF")
    assert isinstance(run, Run)
    assert run.script == "#!/bin/sh\n  \\\nFROM x\n"
    assert run.span.last_line == 6


def test_a_heredoc_given_to_a_command() -> None:
    run = one("RUN python3 <<A && cat <<-'B' >/x\nprint(1)\nA\n\t$HOME\n\tB")
    assert isinstance(run, Run)
    assert [(each.name, each.expand, each.chomp, each.text) for each in run.heredocs] == [
        ("A", True, False, "print(1)\n"),
        ("B", False, True, "$HOME\n"),
    ]
    assert run.script == "python3 <<A && cat <<-'B' >/x\nprint(1)\nA\n\t$HOME\nB\n"


def test_heredocs_of_copy_beside_files() -> None:
    copy = one('COPY <<one.txt "<<none" <<"two" a /x/\n1\none.txt\n2\ntwo')
    assert isinstance(copy, Copy)
    assert copy.sources == ('"<<none"', "a")
    assert [each.name for each in copy.heredocs] == ["one.txt", "two"]


@pytest.mark.parametrize(
    "line",
    [
        'RUN ["cat", "<<EOF"]',
        "RUN cat x<<EOF",
        'RUN echo "<<EOF"',
        "RUN echo $((1 << 2))",
        "RUN cat <<<word",
        "CMD cat <<EOF",
        "RUN echo it's <<EOF",
    ],
)
def test_what_opens_no_heredoc(line: str) -> None:
    assert one(line).heredocs == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Dockerfile:1: there is no FROM"),
        ("# c\n\n", "Dockerfile:2: there is no FROM"),
        ("RUN a\nFROM x\n", "Dockerfile:1: RUN stands before the first FROM"),
        ("FROM x\n\nRUNN a", "Dockerfile:3: unknown instruction 'RUNN'; did you mean RUN?"),
        ("FROM x\n\x1b[2J a", "Dockerfile:2: unknown instruction '\\x1b[2J'"),
        ("FROM\n", "Dockerfile:1: FROM needs an image"),
        ("FROM a b\n", "Dockerfile:1: FROM needs an image"),
        ("FROM x\nCOPY a\n", "Dockerfile:2: COPY needs a source and a destination"),
        ("FROM x\nCOPY [1, 2]\n", "Dockerfile:2: an array of arguments may hold strings alone"),
        ("FROM x\nRUN\n", "Dockerfile:2: RUN needs an argument"),
        ("FROM x\nRUN a \\\n  <<E\nb\n", "Dockerfile:2: the here-document 'E' does not end"),
        ("FROM x\nENV A=1 B\n", "Dockerfile:2: ENV: 'B' is not of the form name=value"),
        ("FROM x\nENV A\n", "Dockerfile:2: ENV needs a name and a value"),
        ("FROM x\nENV =1\n", "Dockerfile:2: ENV: '=1' names nothing"),
        ("FROM x\nARG =1\n", "Dockerfile:2: ARG: '=1' names nothing"),
        ("FROM x\nSHELL /bin/sh\n", "Dockerfile:2: SHELL needs a JSON array"),
        ("FROM x\nHEALTHCHECK curl\n", "Dockerfile:2: HEALTHCHECK needs NONE, or CMD"),
        ("FROM x\nHEALTHCHECK NONE a\n", "Dockerfile:2: HEALTHCHECK NONE takes no arguments"),
        ("FROM x\nONBUILD FROM y\n", "Dockerfile:2: ONBUILD can't hold FROM"),
        ("FROM x\nONBUILD MAKE y\n", "Dockerfile:2: unknown instruction 'MAKE'"),
        ("# escape=x\nFROM x\n", "Dockerfile:1: the escape character can't be 'x'"),
        ("# escape=`\n# escape=`\n", "Dockerfile:2: the parser directive escape stands twice"),
        ('FROM x\nRUN --mount=a"b"\rc d\n', None),
    ],
)
def test_what_no_build_would_take_is_named_by_its_line(text: str, reason: str | None) -> None:
    if reason is None:
        parse_dockerfile(text.encode())
        return
    assert refusal(text).startswith(reason)


_PIECES = st.sampled_from(
    [
        b"FROM x\n",
        b"FROM ",
        b"RUN ",
        b"COPY ",
        b"ONBUILD ",
        b"ENV A=",
        b"--mount=type=",
        b"<<E",
        b"<<-'E'",
        b"\nE\n",
        b"\\\n",
        b"`\n",
        b"# escape=`\n",
        b"#",
        b'"',
        b"'",
        b"${A:-",
        b"}",
        b'["a", ',
        b"]",
        b"\r\n",
        b"\t",
        b" ",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\0",
        b"a=b",
    ]
)


@given(st.lists(st.one_of(_PIECES, st.binary(max_size=4)), max_size=20).map(b"".join))
@example(b"FROM x\n\\")
@example(b'FROM x\nRUN --mount="\r" a\n')
def test_any_bytes_come_back_or_are_refused_by_line(source: bytes) -> None:
    for data in (source, b"FROM x\n" + source):
        try:
            found = parse_dockerfile(data)
        except MalformedInput as error:
            _assert_names_a_line(str(error), data.count(b"\n") + 1)
            continue
        assert found.to_bytes() == data
        ends = [piece.span.end for piece in found.pieces]
        assert [piece.span.start for piece in found.pieces] == [0, *ends[:-1]]
        assert all(isinstance(stage.start, From) for stage in found.stages)


def _assert_names_a_line(message: str, lines: int) -> None:
    name, line, _ = message.split(":", 2)
    assert (name, line.isdigit()) == ("Dockerfile", True)
    assert 1 <= int(line) <= lines
    assert "\n" not in message


def test_a_long_line_takes_no_long_time() -> None:
    text = "FROM x\nRUN " + "a\\ " * 200_000 + "\\\n" * 50_000 + "b " + "<<" * 50_000 + "\n"
    assert len(parsed(text).stages[0].instructions) == 1
