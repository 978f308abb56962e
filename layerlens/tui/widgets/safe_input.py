"""A line to type in that shows nothing a terminal would act on, whoever put it there."""

from __future__ import annotations

from textual.widgets import Input

from layerlens.tui.shown_text import safe


class SafeInput(Input):
    """Text that was pasted, or taken from an image, is shown escaped; `text` is what it was."""

    _escaped = ""
    _original = ""

    @property
    def text(self) -> str:
        """What is meant: the text as it was put there, as long as nobody has changed it since."""
        return self._original if self.value == self._escaped else self.value

    def validate_value(self, value: str) -> str:
        escaped = safe(value) if not value.isprintable() else value
        if escaped != value:
            self._escaped, self._original = escaped, value
        return escaped
