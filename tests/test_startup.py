"""What a command imports: start-up is paid on every run, whatever the command then does."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

_RUN = """
import json, sys
sys.argv[0] = "layerlens"
from layerlens.cli.main import main
status = main(sys.argv[2:])
with open(sys.argv[1], "w") as report:
    json.dump([status, sorted(sys.modules)], report)
"""

_NEVER = {"textual", "rich", "requests", "urllib3"}


def _modules_after(words: list[str], directory: Path) -> set[str]:
    """The modules in a fresh interpreter after *words* ran well."""
    report = directory / "report.json"
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, str(report), *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "XDG_CACHE_HOME": str(directory / "cache"), "HOME": str(directory)},
    )
    status, modules = json.loads(report.read_text())
    assert status == 0, ran.stderr
    return set(modules)


def _modules_without(directory: Path) -> set[str]:
    """The modules that the wrapper and the interpreter bring themselves."""
    report = directory / "without.json"
    without = _RUN.replace("from layerlens.cli.main import main", "main = lambda words: 0")
    subprocess.run([sys.executable, "-c", without, str(report)], check=True, env={"PATH": ""})
    return set(json.loads(report.read_text())[1])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A root file system with one file, which is an image of one layer."""
    path = tmp_path / "rootfs.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("etc", "usr", "bin"):
            directory = tarfile.TarInfo(name)
            directory.type = tarfile.DIRTYPE
            directory.mode = 0o755
            tar.addfile(directory)
        member = tarfile.TarInfo("etc/hostname")
        member.size = 5
        tar.addfile(member, io.BytesIO(b"host\n"))
    return path


def test_the_version_needs_next_to_nothing(tmp_path: Path) -> None:
    brought = _modules_after(["--version"], tmp_path) - _modules_without(tmp_path)
    # gc is built in: no file is looked for.
    assert brought == {"gc", "layerlens", "layerlens.cli", "layerlens.cli.main"}


def test_help_of_the_program_imports_no_command(tmp_path: Path) -> None:
    modules = _modules_after(["--help"], tmp_path)
    for command in ("browse", "inspect", "diff", "ls", "cat", "log", "completion"):
        assert f"layerlens.cli.{command}" not in modules
    assert modules & _NEVER == set()


@pytest.mark.parametrize("command", ["browse", "inspect", "diff", "ls", "cat", "log", "completion"])
def test_help_of_a_command_imports_that_command_alone(command: str, tmp_path: Path) -> None:
    modules = _modules_after([command, "--help"], tmp_path)
    others = {"browse", "inspect", "diff", "ls", "cat", "log", "completion"} - {command}
    assert f"layerlens.cli.{command}" in modules
    assert {other for other in others if f"layerlens.cli.{other}" in modules} == set()
    assert modules & {*_NEVER, "humanize", "tarfile"} == set()


@pytest.mark.parametrize("command", ["inspect", "diff", "ls"])
def test_a_command_on_an_archive_needs_no_registry_and_no_terminal_interface(
    command: str, archive: Path, tmp_path: Path
) -> None:
    modules = _modules_after([command, str(archive)], tmp_path)
    assert "tarfile" in modules
    assert modules & _NEVER == set()


def test_the_ui_is_there_before_what_only_some_screens_need() -> None:
    program = (
        "import sys, layerlens.tui.app, layerlens.tui.screens.browse; "
        "print(*[name for name in sys.modules if name.startswith('layerlens.')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    rooms = {name.split(".")[1] for name in ran.stdout.split()}
    assert "tui" in rooms
    assert rooms & {"advising", "dockerfile", "audit", "surveying"} == set()
