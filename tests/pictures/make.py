"""Takes the README's pictures: runs the real program and keeps what it shows as SVG.

    python tests/pictures/make.py

Needs layerlens (rich comes with textual) and git. Run from the repository's root.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import random
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parents[1]))

from archive_forms import archive, oci_layout
from cli.suggested import layers, suggested
from image_builder import file, image, layer
from tui.driving import running

PICTURES = Path("fixtures/pictures")
WIDTH = 110

COMMANDS = {
    "inspect": ["inspect", "fixtures/demo.tar"],
    "diff-layers": ["diff", "fixtures/demo.tar", "--layers", "5.."],
    "waste": ["waste", "fixtures/demo.tar", "--top", "4"],
    "diff-images": ["diff", "fixtures/demo.tar", "fixtures/demo-2.tar"],
}
SCREENS = {
    "browse": [*["j"] * 4, "tab", "j", "j", "j", "j"],
    "browse-find": ["2", *"sqlite", "enter", "G"],
}
"""Keys that lead to what the terminal UI is shown with."""

SUGGEST = ["suggest", "image.tar", "-f", "repository/Dockerfile"]


def run(arguments: list[str], directory: Path = Path()) -> str:
    """What the program writes to a terminal of WIDTH columns, escape sequences included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    environment = dict(os.environ, FORCE_COLOR="1", TERM="xterm")
    for name in ("NO_COLOR", "COLUMNS"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "layerlens", *arguments]
    with subprocess.Popen(
        command, cwd=directory, env=environment, stdout=theirs, stderr=subprocess.PIPE
    ) as process:
        os.close(theirs)
        written = b""
        while data := _read(ours):
            written += data
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return written.decode()


def project(directory: Path) -> Path:
    """The directory with a repository in it, and the image that its Dockerfile makes, of sizes
    such as images have."""
    suggested(directory)
    *below, install = layers()
    noise = random.Random(1)
    installed = layer(
        file("/root/.cache/pip/flask.whl", noise.randbytes(6_200_000)),
        file("/usr/lib/flask.bin", noise.randbytes(31_500_000)),
        created_by=install.created_by,
    )
    (directory / "image.tar").write_bytes(archive(oci_layout(image(*below, installed))))
    return directory


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that nobody writes any more
        return b""


def picture(arguments: list[str], text: str) -> str:
    """The text as an SVG drawing of a terminal."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))  # noqa: SIM115
    for line in text.splitlines():
        console.print(Text.from_ansi(line), no_wrap=True, overflow="crop", crop=True)
    return console.export_svg(title=f"layerlens {' '.join(arguments)}", unique_id=arguments[0])


async def screen(keys: list[str]) -> str:
    """The terminal UI as an SVG drawing, after some keys."""
    async with running(["fixtures/demo.tar"], (WIDTH, 32)) as driver:
        await driver.settle()
        await driver.press(*keys)
        return driver.app.export_screenshot(title="layerlens demo.tar")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name, keys in SCREENS.items():
        (PICTURES / f"{name}.svg").write_text(asyncio.run(screen(keys)), "utf-8")
    texts = {name: (arguments, run(arguments)) for name, arguments in COMMANDS.items()}
    with tempfile.TemporaryDirectory() as directory:
        texts["suggest"] = SUGGEST, run(SUGGEST, project(Path(directory)))
    for name, (arguments, text) in texts.items():
        (PICTURES / f"{name}.svg").write_text(picture(arguments, text), "utf-8")


if __name__ == "__main__":
    main()
