"""What tests of sources ask: all that an image holds, or the one line that refuses it."""

from __future__ import annotations

import pytest

from layerlens.errors import LayerlensError
from layerlens.image import open_image
from layerlens.opening import Access


def held(name: str, platform: str | None = None, access: Access = Access.LISTING) -> list[str]:
    """Every change of every layer as ``number letter path``, read to the last byte."""
    with open_image(name, platform, access=access) as image:
        return [
            f"{layer.number} {change.kind.value} {change.path}"
            for layer in image.layers
            for change in layer.changes
        ]


def refusal(name: str, error: type[LayerlensError], platform: str | None = None) -> str:
    """The line with which just this error refuses the image, wherever in it that happens."""
    with pytest.raises(LayerlensError) as raised:
        held(name, platform)
    line = str(raised.value)
    assert type(raised.value) is error, line
    assert "\n" not in line
    return line
