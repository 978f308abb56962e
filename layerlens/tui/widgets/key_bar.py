"""The last line: the few keys that matter here, as many as fit, and a click does what they do."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from layerlens.report.safe_text import cells
from layerlens.tui import keys


class KeyBar(Widget):
    """Keys whose bindings say ``show``: those of what has the focus first, the app's last."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key"}

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def shown(self) -> list[tuple[str, Binding]]:
        """What stands there: a key as people write it, and its binding."""
        active: dict[str, Binding] = {}
        for found in self.screen.active_bindings.values():
            binding = found.binding
            if binding.show and found.enabled and binding.id and binding.id not in active:
                active[binding.id] = binding
        app_ids = {binding.id for binding in keys.APP}
        listed = sorted(active.values(), key=lambda each: each.id in app_ids)
        return [(self.app.get_key_display(binding), binding) for binding in listed]

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
        app_ids = {binding.id for binding in keys.APP}
        while found and sum(_cells_of(*each) for each in found) > self.size.width:
            others = [each for each in found if each[1].id not in app_ids]
            found.remove((others or found)[-1])
        return found


def _cells_of(key: str, binding: Binding) -> int:
    return cells(key) + cells(binding.description) + 3
