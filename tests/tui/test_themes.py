"""Every theme can be read, and without colours signs and letters say the same."""

from __future__ import annotations

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.theme import BUILTIN_THEMES

from layerlens.tui.screens.browse import BrowseScreen

from .driving import Driver, drive, fixture

NAMES = ("", "faint", "added", "changed", "removed", "directory", "accent", "error", "heading")
MATCHES = ("match", "match-here")
_LINES = " ─│╭╮╰╯▁▂▃▄▅▆▇█▉▊▋▌▍▎▏"
LEAST_CONTRAST = 3.0
"""WCAG 2's least for large text and for what a sign beside it says too."""


def luminance(triplet: tuple[int, int, int]) -> float:
    parts = [
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in triplet)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(style: Style) -> float | None:
    """The contrast of the text with what is behind it; None where the terminal chooses colours."""
    if style.color is None or style.bgcolor is None:
        return None
    if ColorType.TRUECOLOR not in (style.color.type, style.bgcolor.type):
        return None
    first = luminance(style.color.get_truecolor())
    second = luminance(style.bgcolor.get_truecolor())
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def test_every_theme_can_be_read() -> None:
    async def steps(driver: Driver) -> None:
        screen = driver.app.screen
        assert isinstance(screen, BrowseScreen)
        tree = screen.tree_view
        tree.focus()
        for theme in sorted(BUILTIN_THEMES):
            driver.app.theme = theme
            await driver.settle()
            for under_cursor, focused in ((False, True), (True, True), (True, False)):
                (tree if focused else screen.layer_list).focus()
                await driver.pilot.pause()
                for name in NAMES:
                    found = contrast(tree._style(name, under_cursor=under_cursor))
                    what = (theme, name, under_cursor, focused)
                    assert found is None or found >= LEAST_CONTRAST, (*what, found)
            assert "What layer 0 changed" in driver.text()
            for strip in driver.app.screen._compositor.render_strips(driver.app.size):
                for text, style, _ in strip:  # the bars, the layers, the details
                    found = contrast(style) if style is not None else None
                    if text.strip(_LINES):
                        assert found is None or found >= LEAST_CONTRAST, (theme, text, found)

    drive([fixture("demo.tar")], steps)


def test_without_colours_the_screen_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    screens: list[str] = []

    async def steps(driver: Driver) -> None:
        await driver.press(*["j"] * 6, "tab")
        screens.append(driver.text())
        if driver.app.no_color:
            strips = driver.app.screen._compositor.render_strips(driver.app.size)
            filters = driver.app.get_line_filters()
            assert filters
            for strip in strips:
                for each in filters:
                    for segment in strip.apply_filter(each, driver.app.screen.background_colors[1]):
                        style = segment.style
                        if style is not None and style.color is not None:
                            red, green, blue = style.color.get_truecolor()
                            assert red == green == blue

    drive([fixture("demo.tar")], steps)
    monkeypatch.setenv("NO_COLOR", "1")
    drive([fixture("demo.tar")], steps)
    assert screens[0] == screens[1]
    for mark in ("+A", "~M", "-D"):
        assert mark in screens[1]
