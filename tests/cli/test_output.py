import io
import os
import stat
import sys
from pathlib import Path

import pytest

from layerlens.cli.output import Output, open_output
from layerlens.report.colour import ANSI, PLAIN, Palette


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def _write_all(output: Output) -> None:
    output.write("text é\n")
    output.write_raw("raw \udcff\n")
    output.write_bytes(b"\x00\xfe\n")


_ALL = b"text \xc3\xa9\nraw \xff\n\x00\xfe\n"


def test_a_file_gets_the_bytes_that_stdout_gets(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with open_output(None) as output:
        _write_all(output)
    with open_output(str(tmp_path / "file")) as output:
        _write_all(output)
    assert capfdbinary.readouterr().out == _ALL
    assert (tmp_path / "file").read_bytes() == _ALL


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_names_of_stdout(name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_output(name) as output:
        output.write("x\n")
    assert capfdbinary.readouterr().out == b"x\n"


def test_text_never_fails_to_be_written(tmp_path: Path) -> None:
    with open_output(str(tmp_path / "file")) as output:
        output.write("\udcff\ud800")
        output.write_raw("\ud800")
    assert (tmp_path / "file").read_bytes() == b"\\udcff\\ud800\xed\xa0\x80"


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with open_output(str(target)) as output:
        output.write("new" * 1_000_000)
        assert target.read_text() == "old"
    assert target.read_text() == "new" * 1_000_000
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def fail() -> None:
        with open_output(str(target)) as output:
            output.write("new")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with pytest.raises(OSError, match="file") as raised, open_output(str(target)):
        target.mkdir()  # as if somebody else had made it meanwhile
    assert raised.value.filename == str(target)
    assert os.listdir(tmp_path) == ["file"]


def test_a_symlink_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/target")
    with open_output(str(link)) as output:
        output.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_dangling_symlink_gets_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("target")
    with open_output(str(link)) as output:
        output.write("new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_permissions_are_those_of_redirection(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.touch()
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        for name in ("old", "new"):
            with open_output(str(tmp_path / name)) as output:
                output.write("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a file without permission")
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.touch(mode=0o444)
    with pytest.raises(PermissionError), open_output(str(target)):
        pass


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with open_output(str(pipe)) as output:
            output.write("x")
        assert os.read(reader, 10) == b"x"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["missing/file", ".", "missing/"])
def test_an_error_names_the_file_that_was_asked_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=r".") as raised, open_output(name):
        pass
    assert raised.value.filename == name
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_device_is_named() -> None:
    with (
        pytest.raises(OSError, match="No space left") as raised,
        open_output("/dev/full") as output,
    ):
        output.write("x" * 1_000_000)
    assert raised.value.filename == "/dev/full"


def test_notes_are_one_escaped_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with open_output(None) as output:
        output.note("a\nb")
        output.warn("\x1b[2J")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "layerlens: note: a\\nb\nlayerlens: warning: \\x1b[2J\n"


def test_there_is_no_progress_where_stderr_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_output(None) as output, output.progress("reading", 10) as progress:
        progress.advance(5)
        progress.expect(20)
        progress.clear()
    assert capsys.readouterr().err == ""


class _Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self) -> None:
        super().__init__(_TerminalBytes(), encoding="utf-8")


class _TerminalBytes(io.BytesIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe", "in_file"),
    [
        ({}, ANSI, PLAIN, PLAIN),
        ({"TERM": "dumb"}, PLAIN, PLAIN, PLAIN),
        ({"NO_COLOR": "1"}, PLAIN, PLAIN, PLAIN),
        ({"NO_COLOR": ""}, ANSI, PLAIN, PLAIN),
        ({"FORCE_COLOR": "1"}, ANSI, ANSI, ANSI),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, ANSI, ANSI, ANSI),
        ({"FORCE_COLOR": "0"}, ANSI, PLAIN, PLAIN),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, PLAIN, PLAIN, PLAIN),
    ],
)
def test_when_there_is_colour(
    environment: dict[str, str],
    on_terminal: Palette,
    in_pipe: Palette,
    in_file: Palette,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with open_output(None) as output:
        assert output.palette == in_pipe
    with open_output(str(tmp_path / "file")) as output:
        assert output.palette == in_file
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", _Terminal())
        with open_output(None) as output:
            assert output.palette == on_terminal


def test_only_a_terminal_has_a_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    with open_output(None) as output:
        assert output.width is None
    monkeypatch.setattr(sys, "stdout", _Terminal())
    with open_output(None) as output:
        assert output.width == 72
    with open_output(str(tmp_path / "file")) as output:
        assert output.width is None
