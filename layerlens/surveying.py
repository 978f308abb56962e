"""An image asked what it wastes: the survey of its layers, with a look into files where wanted.

Joins an image, the analysis of its waste and the bytes of its files as ``loading`` joins a source
and a layer.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from layerlens.analysis.findings_secrets import LOOK_INTO_BYTES, Candidate, shows_a_secret
from layerlens.analysis.findings_variables import TellingText
from layerlens.analysis.waste_survey import WasteSurvey, survey_waste
from layerlens.file_content import small_files
from layerlens.image import Image
from layerlens.image_layer import Layer
from layerlens.layer.entry import Entry
from layerlens.oci.created_by import instruction
from layerlens.source.blob_location import FileRange, StreamMember
from layerlens.streams.limits import DEFAULT_LIMITS, Limits


class LookInside(enum.Enum):
    """Whose files may be read again, to see whether one that may be a secret is one. A layer is
    inflated anew up to the last of them; a registry's is downloaded for it."""

    NEVER = "never"
    LOCAL = "local"
    ALWAYS = "always"


def survey_image(
    image: Image, look: LookInside = LookInside.LOCAL, limits: Limits = DEFAULT_LIMITS
) -> WasteSurvey:
    """Survey ``image``. Raises as reading and stacking its layers does."""
    looker = _Looker(image, look, limits)
    return survey_waste(
        image.written_layers(),
        _history(image),
        image.config.runtime.env,
        looker.look,
    )


def _history(image: Image) -> tuple[TellingText, ...]:
    lines: list[TellingText] = []
    number = 0
    for entry in image.config.history:
        made = instruction(entry)
        makes_layer = not entry.empty_layer and number < len(image.layers)
        layer = number if makes_layer else None
        number += makes_layer
        lines.append(TellingText(layer=layer, text=made.text, assignments=made.arguments))
    return tuple(lines)


class _Looker:
    """Looks into the files of layers that can be read again, once for every content and name."""

    def __init__(self, image: Image, look: LookInside, limits: Limits) -> None:
        self._layers = image.layers
        self._cache = image.cache
        self._look = look
        self._limits = limits

    def look(self, candidates: Sequence[Candidate]) -> Mapping[bytes, bool]:
        """Which of the candidates are secrets, by their content."""
        shown: dict[bytes, bool] = {}
        if self._look is LookInside.NEVER:
            return shown
        wanted: dict[int, list[Entry]] = {}
        for candidate in candidates:
            entry = candidate.entry
            kept = self._kept(entry)
            if kept is None:
                wanted.setdefault(candidate.layer, []).append(entry)
            elif entry.content is not None:
                shown[entry.content] = kept or shown.get(entry.content, False)
        for number, entries in wanted.items():
            layer = self._layers[number]
            if self._may_read(layer):
                for entry, content in small_files(entries, layer, self._limits):
                    told = shows_a_secret(entry.path, content[:LOOK_INTO_BYTES])
                    self._keep(entry, told)
                    if entry.content is not None:
                        shown[entry.content] = told or shown.get(entry.content, False)
        return shown

    def _kept(self, entry: Entry) -> bool | None:
        """What an earlier look told."""
        kept = self._cache.note(_key(entry)) if self._cache is not None else None
        return None if kept not in (_SECRET, _HARMLESS) else kept == _SECRET

    def _keep(self, entry: Entry, told: bool) -> None:
        if self._cache is not None:
            self._cache.add_note(_key(entry), _SECRET if told else _HARMLESS)

    def _may_read(self, layer: Layer) -> bool:
        location = layer.stored.location
        if isinstance(location, FileRange):
            return True
        return self._look is LookInside.ALWAYS and not (
            location is None or isinstance(location, StreamMember)
        )


_HARMLESS, _SECRET = b"harmless", b"secret"


def _key(entry: Entry) -> str:
    """Names what was looked at; what it shows depends on the name too."""
    content = (entry.content or b"").hex()
    return f"look for secrets 2 {content} {entry.path.rpartition('/')[2]}"
