"""What every program of the terminal UI has: its theme, its keys, their help, the palette."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from layerlens.tui import keys
from layerlens.tui.settings import Settings

_LONGEST_TYPING = 0.2  # seconds


class KeyedApp(App[None], inherit_bindings=False):
    """A program whose keys a person can see, find by name and change."""

    TITLE = "layerlens"
    CSS_PATH = "layerlens.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    KEY_TABLES: ClassVar[Mapping[str, tuple[Binding, ...]]] = keys.TABLES

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self._typed_in: Widget | None = None

    def on_mount(self) -> None:
        if self.settings.theme is not None:
            self.theme = self.settings.theme
        self.set_keymap(self.settings.keys)

    async def on_event(self, event: events.Event) -> None:
        """Act on a key before the next one is looked at. Handed from part to part, a key that
        moves the focus would be overtaken by what is typed right after it."""
        if isinstance(event, events.Key) and not event.is_forwarded and await self._act_on(event):
            return
        await super().on_event(event)

    async def _act_on(self, key: events.Key) -> bool:
        """Do what the key is bound to; False if it is not, or types something."""
        focused = self.focused
        if focused is not None and focused.check_consume_key(key.key, key.character):
            self._typed_in = focused
            return False
        await self._let_type()
        found = self.screen.active_bindings.get(key.key)
        if found is None or not found.enabled:
            return False
        return await self.run_action(found.binding.action, found.node)

    async def _let_type(self) -> None:
        """Wait until what was typed stands where it was typed."""
        typed_in, self._typed_in = self._typed_in, None
        done = asyncio.Event()
        if typed_in is not None and typed_in.call_later(done.set):
            with contextlib.suppress(TimeoutError):  # of a part that has gone meanwhile
                await asyncio.wait_for(done.wait(), _LONGEST_TYPING)

    def action_show_keys(self) -> None:
        from layerlens.tui.screens.keys_help import KeysHelp, help_lines

        headings: dict[str, list[tuple[str, str, str]]] = {}
        for heading, table in self._tables_from_here():
            headings[heading] = [
                (self.key_text(binding), binding.description, binding.id or "") for binding in table
            ]
        self.push_screen(KeysHelp(list(help_lines(headings))))

    def _tables_from_here(self) -> list[tuple[str, tuple[Binding, ...]]]:
        """All tables of keys, those first that work in what is shown: the focused part's, the
        screen's, the program's."""
        focused = self.screen.focused or self.screen
        here = [
            binding.id for node in focused.ancestors_with_self for binding in _own_bindings(node)
        ]

        def place(table: tuple[Binding, ...]) -> int:
            ids = {binding.id for binding in table}
            return next((place for place, each in enumerate(here) if each in ids), len(here))

        return sorted(self.KEY_TABLES.items(), key=lambda each: place(each[1]))

    async def action_back(self) -> None:
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def key_text(self, binding: Binding) -> str:
        """The keys of a binding as people write them, those of the settings where it has such."""
        chosen = self.settings.keys.get(binding.id or "", binding.key)
        shown = [self.get_key_display(binding.with_key(key)) for key in chosen.split(",")]
        return " ".join(dict.fromkeys(shown))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen's parts, the focused one's first, and of the program."""
        seen: set[str] = set()
        nodes: list[DOMNode] = [screen, self]
        if screen.focused is not None:
            nodes.insert(0, screen.focused)
        nodes[-2:-2] = [node for node in screen.query("*") if node.display]
        for node in nodes:
            for binding in _own_bindings(node):
                if binding.description not in seen:  # of two keys for the same the first will do
                    seen.add(binding.description)
                    run = partial(self.run_action, binding.action, node)
                    yield SystemCommand(binding.description, self.key_text(binding), run)


def _own_bindings(node: DOMNode) -> Iterable[Binding]:
    """Those of the bindings of a node that are in the table of keys."""
    declared = (vars(each).get("BINDINGS", ()) for each in type(node).__mro__)
    return [
        binding
        for table in declared
        for binding in table
        if isinstance(binding, Binding) and binding.id is not None
    ]
