import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.report.as_csv import Field, write_csv
from layerlens.report.safe_text import escape


def written(header: list[str], rows: list[list[Field]]) -> str:
    pieces: list[str] = []
    write_csv(pieces.append, header, rows)
    return "".join(pieces)


def test_it_is_what_rfc_4180_says() -> None:
    text = written(["name", "size"], [["a", 1], ['say "b", c', 20], [None, 0]])
    assert text == 'name,size\r\na,1\r\n"say ""b"", c",20\r\n,0\r\n'


def test_text_of_an_image_breaks_no_line_and_no_terminal() -> None:
    text = written(["path"], [["/a\r\nb"], ["/\x1b[31mred"], ["/\udcff"], ["/æ"]])
    assert text.splitlines() == ["path", "/a\\r\\nb", "/\\x1b[31mred", "/\\xff", "/æ"]


def test_a_row_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 fields under a header of 2"):
        written(["a", "b"], [["x"]])


@given(rows=st.lists(st.lists(st.text() | st.integers(), min_size=2, max_size=2)))
def test_what_is_written_can_be_read_back(rows: list[list[Field]]) -> None:
    text = written(["a", "b"], rows)
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["a", "b"]
    assert read[1:] == [[escape(str(field)) for field in row] for row in rows]
    assert text.count("\r\n") == len(rows) + 1
