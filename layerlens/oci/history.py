"""An image's history paired with its layers (image spec, config.md "history").

How an entry is read back to an instruction is ``created_by``'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from layerlens.oci.created_by import Dialect, Instruction, instruction
from layerlens.oci.image_config import HistoryEntry

__all__ = ["Dialect", "Instruction", "PairedHistory", "instruction", "pair_history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedHistory:
    """For each layer, lowest first, the entry that made it; None where the history is short.

    ``warning`` says so when history and layers do not fit together.
    """

    layers: tuple[HistoryEntry | None, ...]
    warning: str | None = None


def pair_history(history: Sequence[HistoryEntry], layer_count: int) -> PairedHistory:
    """Give each layer the next entry that is not marked as an empty layer.

    A history is optional: where there is none at all, nothing is warned of.
    """
    entries = [entry for entry in history if not entry.empty_layer]
    missing = max(0, layer_count - len(entries))
    layers = (*entries[:layer_count], *(None for _ in range(missing)))
    warning = None
    if history and len(entries) != layer_count:
        warning = (
            f"the history tells of {_counted(len(entries))} and the image has "
            f"{_counted(layer_count)}: instructions may stand beside the wrong layers"
        )
    return PairedHistory(layers=layers, warning=warning)


def _counted(layers: int) -> str:
    return f"{layers} layer" if layers == 1 else f"{layers} layers"
