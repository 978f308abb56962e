"""Once in a real terminal, under tmux: start, walk through, quit, and the terminal is as it was."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .driving import FIXTURES, ROOT

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

PATIENCE = 60.0  # seconds
LAYERLENS = f"{shlex.quote(sys.executable)} -m layerlens"


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, socket: Path, environment: dict[str, str]) -> None:
        self._socket = socket
        self._environment = environment
        self._commands = 0
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "sh")
        self._tmux("set-option", "-sg", "escape-time", "0")

    def _tmux(self, *words: str) -> str:
        ran = subprocess.run(
            ["tmux", "-S", str(self._socket), *words],
            capture_output=True,
            text=True,
            check=True,
            env=self._environment,
            cwd=ROOT,
        )
        return ran.stdout

    def close(self) -> None:
        """End the terminal and what runs in it."""
        self._tmux("kill-server")

    def type(self, text: str) -> None:
        """Type characters."""
        self._tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *keys)

    def run(self, command: str) -> str:
        """Have the shell run a command; what it will say once that has ended with 0."""
        self._commands += 1
        self.type(f"clear; {command}; echo end {self._commands}: $?")
        self.press("Enter")
        return f"end {self._commands}: 0"

    def text(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def flag(self, name: str) -> str:
        """One of tmux's facts about the terminal."""
        return self._tmux("display-message", "-p", f"#{{{name}}}").strip()

    def wait_for(self, text: str) -> str:
        """Wait until something is on the screen; all that is."""
        return self.wait_until(lambda: text in self.text(), text)

    def wait_until(self, is_so: Callable[[], bool], what: str) -> str:
        """Wait for something; what is on the screen then."""
        end = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < end, f"never came: {what}\n{self.text()}"
            time.sleep(0.05)
        return self.text()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "TMUX"},
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    made = Terminal(tmp_path / "tmux", environment)
    made.wait_for(made.run("true"))
    yield made
    made.close()


def modes(terminal: Terminal) -> tuple[str, ...]:
    """The state of the terminal that a full-screen program changes."""
    names = ("alternate_on", "cursor_flag", "mouse_any_flag", "keypad_cursor_flag", "wrap_flag")
    return tuple(terminal.flag(name) for name in names)


def settings_of_line(terminal: Terminal) -> str:
    """What stty says of the terminal's line."""
    return terminal.wait_for(terminal.run("stty -g")).splitlines()[0]


def test_a_walk_through_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    before = modes(terminal), settings_of_line(terminal)
    ended = terminal.run(f"{LAYERLENS} {shlex.quote(str(FIXTURES / 'demo.tar'))}")
    terminal.wait_for("What layer 0 changed")
    assert terminal.flag("alternate_on") == "1"
    terminal.press("j", "Down", "Tab")
    terminal.wait_for("What layer 2 changed")
    terminal.press("G")
    terminal.wait_for("wrote it; modified")
    terminal.press("Enter")
    terminal.wait_for("text · layer 2")
    terminal.press("Escape")
    terminal.wait_for("What layer 2 changed")
    terminal.type("/")
    terminal.type("req")
    terminal.wait_for("text: req")
    terminal.press("Enter")
    terminal.wait_for("space Fold")  # the tree has the keys again
    terminal.type("?")
    terminal.wait_for("what the settings call them")
    terminal.press("Escape")
    terminal.wait_until(lambda: "what the settings" not in terminal.text(), "the help's end")
    terminal.type("2")
    terminal.wait_for("also those that are gone")
    terminal.type("sqlite3.deb")
    terminal.wait_for("+1 -7")
    terminal.press("C-c")
    terminal.wait_for(ended)
    assert (modes(terminal), settings_of_line(terminal)) == before
    assert terminal.flag("pane_current_command") == "sh"


def test_an_image_from_stdin_that_never_ends_does_not_hold_one_back(terminal: Terminal) -> None:
    archive = shlex.quote(str(FIXTURES / "demo.tar"))
    terminal.run(f"(head -c 30000 {archive}; sleep 1000) | {LAYERLENS} -")
    terminal.wait_for("standard input")
    terminal.press("q")
    # The shell waits for sleep; the program is gone.
    terminal.wait_until(lambda: terminal.flag("alternate_on") == "0", "the end of the program")
    terminal.press("C-c")


def test_an_image_from_stdin_is_shown_while_keys_come_from_the_terminal(
    terminal: Terminal,
) -> None:
    archive = shlex.quote(str(FIXTURES / "demo.tar"))
    ended = terminal.run(f"cat {archive} | {LAYERLENS} -")
    terminal.wait_for("What layer 0 changed")
    terminal.press("j")
    terminal.wait_for("What layer 1 changed")
    terminal.press("q")
    terminal.wait_for(ended)
