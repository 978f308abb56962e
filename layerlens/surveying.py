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
from layerlens.image import Image, Layer
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
    looker = _Looker(image.layers, look, limits)
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
    """Looks into the files of layers that can be read again."""

    def __init__(self, layers: Sequence[Layer], look: LookInside, limits: Limits) -> None:
        self._layers = layers
        self._look = look
        self._limits = limits

    def look(self, candidates: Sequence[Candidate]) -> Mapping[bytes, bool]:
        """Which of the candidates are secrets, by their content."""
        shown: dict[bytes, bool] = {}
        wanted: dict[int, list[Entry]] = {}
        for candidate in candidates:
            wanted.setdefault(candidate.layer, []).append(candidate.entry)
        for number, entries in wanted.items():
            layer = self._layers[number]
            unknown = [entry for entry in entries if entry.content not in shown]
            if not unknown or not self._may_read(layer):
                continue
            for entry, content in small_files(unknown, layer, self._limits):
                if entry.content is not None:
                    shown[entry.content] = shows_a_secret(entry.path, content[:LOOK_INTO_BYTES])
        return shown

    def _may_read(self, layer: Layer) -> bool:
        location = layer.stored.location
        match self._look:
            case LookInside.NEVER:
                return False
            case LookInside.LOCAL:
                return isinstance(location, FileRange)
            case LookInside.ALWAYS:
                return location is not None and not isinstance(location, StreamMember)
