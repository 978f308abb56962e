"""Copies a path of an image, by way of the terminal (OSC 52)."""

from __future__ import annotations

from textual.app import App

from layerlens.tui.shown_text import safe, toast


def copy(app: App[object], path: str) -> None:
    """Copy a path as it is, or escaped where its bytes are no text; and say so."""
    try:
        path.encode()
    except UnicodeEncodeError:
        app.copy_to_clipboard(safe(path))
        app.notify(toast(f"copied, escaped: {path}"), markup=False)
    else:
        app.copy_to_clipboard(path)
        app.notify(toast(f"copied {path}"), markup=False)
