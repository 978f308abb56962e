r"""Hostile text made safe for one line of a terminal, and cut to a width in cells.

Escaping is reversible: nothing is lost, and two texts never look the same by escaping alone.

- ``\n``, ``\r``, ``\t``: newline, carriage return, tab
- ``\x1b``: any other control character below 128
- ``\xff``: a byte that was not UTF-8 (two digits from 80 up are always a byte, never U+0080..FF)
- ``\u202e``, ``\U000e0041``: any other character that is escaped: C1 controls, bidi controls, line
  and paragraph separators, invisible characters, lone surrogates
- ``\\``: a backslash, where a single one would be read as the start of one of these; elsewhere a
  backslash stands for itself, so that ``dev-disk\x2dby`` stays as systemd wrote it

The zero width joiner and non-joiner (U+200D, U+200C) are left alone: Persian, the scripts of India
and many emoji are spelled with them, and they neither reorder text nor end a line.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = (
    "\x00-\x1f\x7f"  # C0, DEL
    "\x80-\x9f"  # C1
    "\u00ad\u061c\u180e"  # soft hyphen, Arabic letter mark, Mongolian vowel separator
    "\u200b\u200e\u200f"  # zero width space, left-to-right and right-to-left marks
    "\u2028-\u202e"  # line and paragraph separators, bidi embeddings and overrides
    "\u2060-\u206f"  # word joiner, invisible operators, bidi isolates
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\U000e0000-\U000e007f"  # tags: text that nothing displays
    "\ud800-\udfff"  # lone surrogates, among them bytes that were not UTF-8
)
_ESCAPE_BODY = r"[nrt\\]|x(?:[0189a-f][0-9a-f]|7f)|u[0-9a-f]{4}|U[0-9a-f]{8}"
_HIDES = re.compile(f"[{_HIDDEN}]")
_NEEDS_ESCAPE = re.compile(rf"[{_HIDDEN}]|\\(?=[{_HIDDEN}]|{_ESCAPE_BODY})")

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}

ELLIPSIS = "…"


def escape(text: str) -> str:
    """*text* on one line, with nothing in it that a terminal would act on or hide."""
    if text.isprintable() and "\\" not in text:  # nearly always, and far faster than the search
        return text
    return _NEEDS_ESCAPE.sub(_escaped, text)


def escape_message(text: str) -> str:
    """*text*, a sentence of ours that may quote names, as `escape` makes it but for backslashes.

    A name in it may be escaped already, and stays as it is: escaping twice does no harm.
    """
    return text if text.isprintable() else _HIDES.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    short = _SHORT.get(character)
    if short is not None:
        return short
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # how Python's surrogateescape carries a byte
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def cells(text: str) -> int:
    """The number of terminal cells that *text*, already escaped, takes up."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def shorten(text: str, width: int) -> str:
    """*text* in at most *width* cells (at least 1), its end cut off and marked by an ellipsis."""
    if cells(text) <= width:
        return text
    return _head(text, width - 1) + ELLIPSIS


def shorten_middle(text: str, width: int) -> str:
    """*text* in at most *width* cells (at least 1), its middle left out: for paths."""
    if cells(text) <= width:
        return text
    end = (width - 1) * 2 // 3
    return _head(text, width - 1 - end) + ELLIPSIS + _tail(text, end)


def _head(text: str, width: int) -> str:
    used = 0
    for position, character in enumerate(text):
        used += _cells_of(character)
        if used > width:
            return text[:position]
    return text


def _tail(text: str, width: int) -> str:
    used = 0
    start = len(text)
    for position in range(len(text) - 1, -1, -1):
        size = _cells_of(text[position])
        used += size
        if used > width:
            break
        if size:  # never starts with a mark that belongs to the character before it
            start = position
    return text[start:]
