"""Hostile text made fit for an error message: one printable line, and not too long.

This is for messages only; text shown as data is escaped by the report.
"""

_LONGEST_QUOTE = 80


def printable(text: str) -> str:
    """The text with every character that is not printable written as a backslash escape.

    Printable text comes back unchanged, so escaping twice does no harm.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def quoted_bytes(data: bytes) -> str:
    """The bytes in quotes and printable, cut to 40."""
    return repr(data[: _LONGEST_QUOTE // 2])[1:]


def quoted(text: str) -> str:
    """The text in quotes and printable, cut to 80 characters."""
    literal = repr(text[:_LONGEST_QUOTE])
    if len(text) <= _LONGEST_QUOTE and len(literal) <= _LONGEST_QUOTE:
        return literal
    return literal[: _LONGEST_QUOTE - 3].rstrip("\\") + "..."
