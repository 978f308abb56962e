"""Takes the README's pictures: runs the real program on fixtures and keeps what it shows as SVG.

    python tests/pictures/make.py

Needs nothing but layerlens itself (rich comes with textual). Run from the repository's root.
"""

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURES = Path("fixtures/pictures")
WIDTH = 110

COMMANDS = {
    "inspect": ["inspect", "fixtures/demo.tar"],
    "diff-layers": ["diff", "fixtures/demo.tar", "--layers", "5.."],
    "waste": ["waste", "fixtures/demo.tar", "--top", "4"],
    "diff-images": ["diff", "fixtures/demo.tar", "fixtures/demo-2.tar"],
}


def run(arguments: list[str]) -> str:
    """What the program writes on a terminal of WIDTH columns, escape sequences included."""
    environment = dict(os.environ, FORCE_COLOR="1", COLUMNS=str(WIDTH))
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "layerlens", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def picture(title: str, text: str) -> str:
    """The text as an SVG drawing of a terminal."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"))  # noqa: SIM115
    for line in text.splitlines():
        console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis", crop=True)
    return console.export_svg(title=title, unique_id=title.split()[1])


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name, arguments in COMMANDS.items():
        text = run(arguments)
        title = " ".join(["layerlens", *arguments])
        (PICTURES / f"{name}.svg").write_text(picture(title, text), "utf-8")


if __name__ == "__main__":
    main()
