"""The last line: the few keys that matter here, as many as fit, and a click does what they do."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.keys import format_key
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from layerlens.report.safe_text import cells
from layerlens.tui import keys


class KeyBar(Widget):
    """Keys whose bindings say ``show``: those of what has the focus first, the app's last. While
    something is typed, none that types."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key"}

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def shown(self) -> list[tuple[str, Binding]]:
        """What stands there: a key as people write it, and its binding."""
        active: dict[str, list[Binding]] = {}
        for key, found in self.screen.active_bindings.items():
            binding = found.binding
            if binding.show and found.enabled and binding.id and not self._types(key):
                active.setdefault(binding.id, []).append(binding)
        chosen = [min(each, key=_place) for name, each in active.items() if self._is_for_here(name)]
        chosen.sort(key=lambda each: (each.id in _OF_APP, _FIRST_TO_GO.get(each.id or "", -1)))
        return [(self.app.get_key_display(binding), binding) for binding in chosen]

    def _is_for_here(self, identity: str) -> bool:
        """While something is typed, what a letter does otherwise matters less."""
        return identity in _OF_APP or not any(map(self._types, _USUAL_KEYS.get(identity, ())))

    def _types(self, key: str) -> bool:
        """Whether a key writes something where the focus is."""
        focused = self.screen.focused
        shown = format_key(key)  # of ⏎, ↑ and their like a sign, which nobody types
        is_typed = len(key) == 1 or (len(shown) == 1 and shown.isascii())
        return is_typed and focused is not None and focused.check_consume_key(key, shown)

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        key_style = style + self.get_component_rich_style("key-bar--key", partial=True)
        segments: list[Segment] = []
        for key, binding in self._fitting():
            segments.append(Segment(f" {key} ", key_style))
            segments.append(Segment(f"{binding.description} ", style))
        return Strip(segments).adjust_cell_length(self.size.width, style)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for key, binding in self._fitting():
            end += _cells_of(key, binding)
            if event.x < end:
                self.app.simulate_key(binding.key)
                return

    def _fitting(self) -> list[tuple[str, Binding]]:
        """As many as there is room for; those of the app, at the end, are the last to go."""
        found = self.shown()
        while found and sum(_cells_of(*each) for each in found) > self.size.width:
            others = [each for each in found if each[1].id not in _OF_APP]
            found.remove((others or found)[-1])
        return found


_OF_APP = frozenset(binding.id for binding in keys.APP)
_FIRST_TO_GO = {identity: place for place, identity in enumerate(keys.FIRST_TO_GO)}
_USUAL_KEYS = {binding.id: binding.key.split(",") for binding in keys.every_key()}


def _place(binding: Binding) -> int:
    """Which of its keys a binding is for: the first is the one to show."""
    usual = _USUAL_KEYS.get(binding.id, [])
    return usual.index(binding.key) if binding.key in usual else 0


def _cells_of(key: str, binding: Binding) -> int:
    return cells(key) + cells(binding.description) + 3
