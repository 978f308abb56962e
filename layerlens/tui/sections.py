"""The table of sections: the screens a person moves between, each with a key and a name.

A section is a screen that derives from `SectionScreen`; to add one, write its module in
``screens`` and its line here. It is imported when it is first shown.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerlens.tui.screens.section_screen import SectionScreen


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section: the key that leads to it, its name, and the class of its screen."""

    key: str
    name: str
    module: str
    screen: str

    @property
    def identity(self) -> str:
        """What it is called in key bindings and settings."""
        return self.name.lower()

    def make(self) -> SectionScreen:
        """A new screen."""
        module = importlib.import_module(f"layerlens.tui.screens.{self.module}")
        made: SectionScreen = getattr(module, self.screen)()
        return made


SECTIONS: tuple[Section, ...] = (
    Section(key="1", name="Browse", module="browse", screen="BrowseScreen"),
    Section(key="2", name="Find", module="find", screen="FindScreen"),
    Section(key="3", name="Waste", module="waste", screen="WasteScreen"),
    Section(key="4", name="Compare", module="compare", screen="CompareScreen"),
    Section(key="5", name="Shared", module="shared", screen="SharedScreen"),
    Section(key="6", name="Suggest", module="suggest", screen="SuggestScreen"),
)


def find_section(identity: str) -> Section:
    """The section called so."""
    return next(section for section in SECTIONS if section.identity == identity)
