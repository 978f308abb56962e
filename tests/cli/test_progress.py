import io
import threading

import pytest

from layerlens.cli.output import open_output
from layerlens.cli.progress import TerminalProgress, counted_in

ERASE = "\r\x1b[K"


class _Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _progress(
    stream: io.StringIO, clock: _Clock, total: int | None = 10_000, width: int = 80
) -> TerminalProgress:
    return TerminalProgress(stream=stream, label="reading", total=total, width=width, clock=clock)


def test_what_ends_within_half_a_second_is_never_drawn() -> None:
    stream, clock = io.StringIO(), _Clock()
    with _progress(stream, clock) as progress:
        clock.now += 0.49
        progress.advance(9_000)
    assert stream.getvalue() == ""


def test_the_line_says_what_is_done_how_fast_and_what_is_left() -> None:
    stream, clock = io.StringIO(), _Clock()
    with _progress(stream, clock) as progress:
        clock.now += 1
        progress.advance(2_000)
        assert stream.getvalue() == f"{ERASE}reading: 2.0 kB of 10.0 kB, 2.0 kB/s, 4 seconds left"
    assert stream.getvalue().endswith(f"left{ERASE}")


def test_without_a_total_there_is_no_time_left_until_one_is_known() -> None:
    stream, clock = io.StringIO(), _Clock()
    progress = _progress(stream, clock, total=None)
    clock.now += 1
    progress.advance(2_000)
    assert stream.getvalue() == f"{ERASE}reading: 2.0 kB, 2.0 kB/s"
    progress.expect(4_000)
    clock.now += 1
    progress.advance(0)
    assert stream.getvalue().endswith("reading: 2.0 kB of 4.0 kB, 1.0 kB/s, 2 seconds left")


def test_it_is_redrawn_at_most_ten_times_a_second() -> None:
    stream, clock = io.StringIO(), _Clock()
    progress = _progress(stream, clock)
    clock.now += 1
    for _ in range(1_000):
        clock.now += 0.001
        progress.advance(1)
    assert 8 <= stream.getvalue().count(ERASE) <= 11


def test_a_narrow_terminal_never_wraps_the_line() -> None:
    stream, clock = io.StringIO(), _Clock()
    progress = _progress(stream, clock, width=20)
    clock.now += 1
    progress.advance(1)
    assert len(stream.getvalue().removeprefix(ERASE)) == 19


def test_more_than_was_expected_is_no_negative_time() -> None:
    stream, clock = io.StringIO(), _Clock()
    progress = _progress(stream, clock)
    clock.now += 1
    progress.advance(20_000)
    assert stream.getvalue() == f"{ERASE}reading: 20.0 kB of 10.0 kB, 20.0 kB/s"


def test_nothing_is_drawn_after_the_end() -> None:
    stream, clock = io.StringIO(), _Clock()
    with _progress(stream, clock) as progress:
        pass
    clock.now += 1
    progress.advance(1)
    assert stream.getvalue() == ""


def test_threads_may_share_it() -> None:
    stream, clock = io.StringIO(), _Clock()
    progress = _progress(stream, clock, total=40_000)

    def work() -> None:
        for _ in range(10_000):
            progress.advance(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += 1
    progress.advance(0)
    assert stream.getvalue() == f"{ERASE}reading: 40.0 kB of 40.0 kB, 40.0 kB/s"


def test_a_note_takes_the_line_off_the_screen_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream, clock = Terminal(), _Clock()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("time.monotonic", clock)
    monkeypatch.setenv("TERM", "xterm")
    with open_output(None) as output, output.progress("read\x1bing") as progress:
        assert isinstance(progress, TerminalProgress)
        monkeypatch.setattr(progress, "_clock", clock)
        clock.now = progress._started + 1
        progress.advance(1_000)
        output.note("odd")
    assert stream.getvalue() == (
        f"{ERASE}read\\x1bing: 1.0 kB, 1.0 kB/s{ERASE}layerlens: note: odd\n"
    )


def test_things_are_counted_with_what_else_is_to_be_said() -> None:
    stream, clock = io.StringIO(), _Clock()
    progress = TerminalProgress(
        stream=stream, label="asking", total=None, width=99, unit=counted_in("tags"), clock=clock
    )
    clock.now += 1
    progress.advance(1)
    assert stream.getvalue() == f"{ERASE}asking: 1 tags, 1.0/s"
    progress.expect(40_000)
    clock.now += 1
    progress.advance(3999)
    assert stream.getvalue().endswith("asking: 4,000 of 40,000 tags, 2,000/s, 18 seconds left")
    clock.now += 1
    progress.remark("9 requests left of the rate limit")
    assert stream.getvalue().endswith("27 seconds left, 9 requests left of the rate limit")
