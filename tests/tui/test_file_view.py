"""Long lines of a file are numbered as lines, and can be seen to their ends."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from layerlens.report.safe_text import cells
from layerlens.tui.state.match_marks import further_on

from .driving import Driver, drive, fixture
from .test_searching_a_file import in_pieces, made_file, opened

DEMO = [fixture("demo.tar")]
LONG = b"a" * 900 + "日本".encode() * 100 + b"END\nshort\n"


@pytest.mark.parametrize("width", [160, 60])
def test_a_long_line_is_seen_to_its_end_and_numbered_once(width: int) -> None:
    async def steps(driver: Driver) -> None:
        await opened(driver, made_file(in_pieces(LONG), len(LONG)))
        assert driver.lines()[1].startswith("│     1  aaa")
        assert driver.lines()[2].startswith("│        ")  # the same line goes on
        assert driver.lines()[3].startswith("│     2  short")
        assert "END" not in driver.text()
        for _ in range(40):
            await driver.press("right")
        assert "│     1  …" in driver.lines()[1]
        assert "short" not in driver.text()
        await driver.press("end", "slash", *"short", "enter")
        assert "line 2, match 1 of 1" in driver.text()
        assert "│     2  short" in driver.text()
        shown = ""
        for _ in range(40):
            await driver.press("l")
            shown += driver.text()
        assert "END" in shown
        for _ in range(40):
            await driver.press("h")
        assert driver.lines()[1].startswith("│     1  aaa")

    drive(DEMO, steps, (width, 20))


def test_what_a_narrow_terminal_cuts_off_of_bytes_is_seen_too() -> None:
    async def steps(driver: Driver) -> None:
        await opened(driver, made_file(in_pieces(b"0123456789abcdef"), 16))
        await driver.press("x")
        assert "0123456789abcdef" not in driver.text()
        await driver.press("right")
        assert "│00000000  …" in driver.text()
        assert "0123456789abcdef" in driver.text()
        await driver.press("x")
        assert "│     1  0123456789abcdef" in driver.text()
        await driver.press("right", "left")  # there is no more of it
        assert "│     1  0123456789abcdef" in driver.text()

    drive(DEMO, steps, (60, 20))


@given(
    st.lists(st.tuples(st.text("ab日é\u0301", max_size=9), st.sampled_from("xy")), max_size=4),
    st.integers(1, 30),
    st.integers(2, 30),
)
@example([("日b", "x"), ("a", "x"), ("a", "x")], 1, 2)
@example([("ab", "x"), ("b", "y"), ("b", "x")], 1, 2)
def test_what_is_further_on_fits_and_is_the_rest(
    parts: list[tuple[str, str]], skipped: int, width: int
) -> None:
    whole = "".join(text for text, _ in parts)
    shown = "".join(text for text, _ in further_on(parts, skipped, width))
    assert cells(shown) <= width + 1
    assert not shown or shown.startswith("…")
    assert whole.endswith(shown[1:]) or shown.endswith("…")
    if cells(whole) > skipped + 2:
        assert shown
