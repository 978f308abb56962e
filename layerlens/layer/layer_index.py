"""What a layer holds, without its bytes: the value that everything else is computed from."""

from __future__ import annotations

from dataclasses import dataclass

from layerlens.layer.entry import LayerEntry
from layerlens.oci.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerIndex:
    """One layer's uncompressed tar, listed.

    ``diff_id``: digest of all its bytes, trailing ones included. ``size``: their number.
    ``entries``: in the tar's order. ``warnings``: what was odd without being wrong.
    """

    diff_id: Digest
    size: int
    entries: tuple[LayerEntry, ...]
    warnings: tuple[str, ...]
