"""What looks like a secret in a Dockerfile: where its text must be repeated, and where shown."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.findings_variables import redacted, secret_names
from layerlens.dockerfile.instructions import Dockerfile, Instruction


def text_without_secrets(dockerfile: Dockerfile) -> str:
    """A Dockerfile's text, as many lines of it, with every value that looks like a secret taken
    out: of comments too."""
    return "".join(_hidden(dockerfile.source(piece.span)) for piece in dockerfile.pieces)


def _hidden(source: str) -> str:
    body = source.rstrip("\r\n")
    shown = redacted(body)
    # A value may go over several lines; what stands below keeps its number.
    return shown + "\n" * (body.count("\n") - shown.count("\n")) + source[len(body) :]


def secrets_in(dockerfile: Dockerfile, lines: frozenset[str]) -> str:
    """Which instructions that stand in *lines*, whole or in part, hold what looks like a secret:
    their lines and the names of variables, never a value; "" where none does."""
    return "; ".join(_told(dockerfile, lines))


def patch_warning(dockerfile: Dockerfile, patch: str) -> str:
    """What to say of a patch of the Dockerfile that repeats what looks like a secret; "" of any
    other. It has the lines as they are: with others it would not apply."""
    held = secrets_in(dockerfile, frozenset(line[1:] for line in patch.splitlines()))
    return f"the patch repeats what looks like a secret ({held}): mind who reads it" if held else ""


def _told(dockerfile: Dockerfile, lines: frozenset[str]) -> Iterator[str]:
    for instruction in dockerfile.instructions:
        texts = _texts(dockerfile, instruction)
        if lines.isdisjoint(texts[1].splitlines()) or all(redacted(text) == text for text in texts):
            continue
        names = dict.fromkeys(name for text in texts for name in secret_names(text))
        what = f": {', '.join(names)}" if names else ""
        yield f"line {instruction.span.first_line}{what}"


def _texts(dockerfile: Dockerfile, instruction: Instruction) -> tuple[str, str]:
    """As a history would have it, and as it is written."""
    return instruction.line, dockerfile.source(instruction.span)
