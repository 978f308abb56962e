"""Values as Go's fmt prints them, which is how builders write them into an image's history.

``["a" "b"]`` (%q of strings), ``[a b]`` and ``map[80/tcp:{}]`` (%v), and the struct that
docker and BuildKit print for a health check.
"""

import re

_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_LIST = re.compile(r'\[\s*(?:"(?:[^"\\]|\\.)*"[\s,]*)*\]', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_HEALTH_CHECK = re.compile(
    r'&?\{(?P<test>\[\s*(?:"(?:[^"\\]|\\.)*"[\s,]*)*\])'
    r'(?P<durations>(?: "[0-9a-zµ.]*")*) (?:\'(?P<retries>[^\']{1,10})\'|(?P<number>[0-9]{1,9}))\}',
    re.DOTALL,
)


def quoted_list(text: str) -> tuple[str, ...] | None:
    """The strings of ``["a" "b"]`` (commas tolerated), or None if it is no such list."""
    if _QUOTED_LIST.fullmatch(text) is None:
        return None
    return tuple(_unescape(match[1]) for match in _STRING.finditer(text))


def plain_list(text: str) -> tuple[str, ...] | None:
    """The words of ``[a b]``, or the keys of ``map[a:{} b:{}]``; None if it is neither.

    Go does not quote here, so a word that held a space comes back as two.
    """
    if not text.endswith("]"):
        return None
    if text.startswith("map["):
        return tuple(word.removesuffix(":{}") for word in text[4:-1].split())
    if text.startswith("["):
        return tuple(text[1:-1].split())
    return None


def health_check(text: str) -> tuple[tuple[str, ...], tuple[str, ...], int] | None:
    """Test, durations (interval, timeout, start period, ...) and retries, or None."""
    match = _HEALTH_CHECK.fullmatch(text)
    if match is None:
        return None
    test = quoted_list(match["test"])
    if test is None:
        return None
    durations = tuple(part.strip('"') for part in match["durations"].split())
    if match["number"] is not None:
        return test, durations, int(match["number"])
    retries = _unescape(match["retries"])
    return test, durations, ord(retries) if len(retries) == 1 else 0


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescape_one, text) if "\\" in text else text


def _unescape_one(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits is None:
        return _ESCAPES.get(match[4], match[4])
    code = int(digits, 16)
    # A surrogate, or a number past Unicode, is no character: leave it as it is written.
    return match[0] if code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)
