"""What ``dockerfile --json`` writes, as values for ``as_json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerlens.analysis.titles import ImageTitle

READ_BACK_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackDocument:
    """``dockerfile``: the whole text. ``lost``: what it says cannot be known, in its order."""

    image: ImageTitle
    dockerfile: str
    lost: Sequence[str]


def read_back_document(title: ImageTitle, text: str, lost: Sequence[str]) -> ReadBackDocument:
    """The document of one image."""
    return ReadBackDocument(image=title, dockerfile=text, lost=lost)
