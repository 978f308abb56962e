r"""Tables as CSV: RFC 4180, a header line, lines ended by CRLF, numbers as plain digits.

Text from an image is escaped as in a table (see `safe_text`), so that a file name cannot break a
line or a terminal; a digest, and whatever has nothing to escape, stands as it is. None is an empty
field. What has to be exact byte for byte is in the JSON documents.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from layerlens.report.safe_text import escape

Field = str | int | None


def write_csv(
    write: Callable[[str], object], header: Sequence[str], rows: Iterable[Sequence[Field]]
) -> None:
    """Write *header* and *rows* through *write*, a line at a time.

    ValueError where a row has not as many fields as the header.
    """
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")

    def put(fields: Sequence[Field]) -> None:
        writer.writerow(["" if field is None else _text(field) for field in fields])
        write(line.getvalue())
        line.seek(0)
        line.truncate()

    put(header)
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"{len(row)} fields under a header of {len(header)}")
        put(row)


def _text(field: str | int) -> str:
    return escape(field) if isinstance(field, str) else str(field)
