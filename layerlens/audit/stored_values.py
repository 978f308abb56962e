"""How digests and hostile text are kept in a catalogue's columns, and read back."""

from __future__ import annotations

from hashlib import sha256

from layerlens.errors import MalformedInput
from layerlens.oci.digest import Digest

Value = int | str | bytes | None
"""What SQLite keeps; no column holds a float."""

_ALGORITHMS = {32: "sha256", 64: "sha512"}


def stored_digest(digest: Digest) -> bytes:
    """The digest's own bytes; their number says the algorithm."""
    return bytes.fromhex(digest.hex)


def read_digest(value: Value) -> Digest:
    """The digest that ``stored_digest`` made; MalformedInput for anything else."""
    algorithm = _ALGORITHMS.get(len(value)) if isinstance(value, bytes) else None
    if algorithm is None or not isinstance(value, bytes):
        raise MalformedInput("the catalogue is damaged: a digest of a wrong length")
    return Digest(algorithm=algorithm, hex=value.hex())


def read_optional_digest(value: Value) -> Digest | None:
    """As ``read_digest``; None stays None."""
    return None if value is None else read_digest(value)


def stored_text(text: str) -> str | bytes:
    """The text as it stands; lone surrogates, which are no UTF-8, make it bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def stored_optional_text(text: str | None) -> str | bytes | None:
    """As ``stored_text``; None stays None."""
    return None if text is None else stored_text(text)


def read_text(value: Value) -> str:
    """The text that ``stored_text`` made; MalformedInput for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            pass
    raise MalformedInput("the catalogue is damaged: a text that is none")


def read_optional_text(value: Value) -> str | None:
    """As ``read_text``; None stays None."""
    return None if value is None else read_text(value)


def text_hash(text: str | bytes) -> bytes:
    """What stands for a text in an index: texts are long, and each is kept once."""
    data = text.encode() if isinstance(text, str) else b"\xff" + text
    return sha256(data, usedforsecurity=False).digest()
