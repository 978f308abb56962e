"""Each repository of a registry as one that holds layers, for those who look through them.

What a repository holds are the layers of all images that its tags lead to, each once.
"""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.sharing import ImageLayers, LayerIdentity
from layerlens.analysis.titles import ImageTitle
from layerlens.audit.holdings import Holdings
from layerlens.audit.stored_values import (
    Value,
    read_digest,
    read_optional_digest,
    read_optional_text,
    read_text,
)

_REPOSITORIES = """
SELECT place, name FROM temp.live_repository JOIN repository USING (id) ORDER BY place
"""
_LAYERS = """
SELECT DISTINCT live_tag.repository, stored_blob.digest, diff.digest, chain.digest,
    stored_blob.size, text.value
FROM temp.live_tag JOIN temp.reach ON root = live_tag.manifest_id
JOIN temp.live_image ON live_image.id = reach.manifest_id
JOIN image_layer ON image_layer.manifest_id = live_image.id
JOIN temp.stored_blob ON stored_blob.id = blob_id
LEFT JOIN diff ON diff.id = image_layer.diff_id
LEFT JOIN chain ON chain.id = image_layer.chain_id
LEFT JOIN text ON text.id = instruction_id
ORDER BY live_tag.repository, blob_id
"""


def repository_layers(holdings: Holdings) -> list[ImageLayers]:
    """The repositories in the order of their names, with their layers."""
    layers: dict[int, list[LayerIdentity]] = {}
    known: dict[LayerIdentity, LayerIdentity] = {}
    for place, *row in holdings.connection.execute(_LAYERS):
        layer = _layer(row)
        layers.setdefault(place, []).append(known.setdefault(layer, layer))
    return list(_titled(holdings, layers))


def _titled(holdings: Holdings, layers: dict[int, list[LayerIdentity]]) -> Iterator[ImageLayers]:
    for place, name in holdings.connection.execute(_REPOSITORIES):
        title = ImageTitle(
            image=read_text(name), names=(), platform="", manifest_digest=None, config_digest=""
        )
        yield ImageLayers(title=title, layers=tuple(layers.get(place, ())))


def _layer(row: list[Value]) -> LayerIdentity:
    blob, diff, chain, size, instruction = row
    diff_id, chain_id = read_optional_digest(diff), read_optional_digest(chain)
    assert isinstance(size, int)
    return LayerIdentity(
        blob_digest=str(read_digest(blob)),
        diff_id=None if diff_id is None else str(diff_id),
        chain_id=None if chain_id is None else str(chain_id),
        stored_size=size,
        size=None,
        instruction=read_optional_text(instruction),
    )
