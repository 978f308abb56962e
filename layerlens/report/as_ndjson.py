"""Records as NDJSON: one JSON object a line, ASCII, as other engines read them.

Text that is not UTF-8 is kept as ``as_json`` keeps it: shown under its key, exact as base64 under
the key followed by ``_base64``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from layerlens.report.as_json import path_fields

_encode = json.JSONEncoder(separators=(", ", ": ")).encode


def ndjson_line(members: Iterable[tuple[str, str | int | None]]) -> str:
    """The object of these members, with its newline; keys in their order."""
    fields: dict[str, str | int | None] = {}
    for name, value in members:
        if isinstance(value, str) and not value.isascii():
            text = path_fields(value)
            fields[name] = text.path
            if text.path_base64 is not None:
                fields[f"{name}_base64"] = text.path_base64
        else:
            fields[name] = value
    return f"{_encode(fields)}\n"
