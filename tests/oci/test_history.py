import pytest

from layerlens.oci.history import pair_history
from layerlens.oci.image_config import HistoryEntry

A = HistoryEntry(created_by="a")
B = HistoryEntry(created_by="b")
NOTHING = HistoryEntry(created_by="CMD x", empty_layer=True)


def test_entries_take_the_layers_in_turn() -> None:
    paired = pair_history([NOTHING, A, NOTHING, B, NOTHING], 2)
    assert paired.layers == (A, B)
    assert paired.warning is None


def test_no_history_is_no_fault() -> None:
    assert pair_history([], 2).layers == (None, None)
    assert pair_history([], 2).warning is None
    assert pair_history([NOTHING], 0).warning is None


@pytest.mark.parametrize(
    ("history", "layer_count", "layers", "told", "there"),
    [
        ([A], 3, (A, None, None), "of 1 layer ", "has 3 layers"),
        ([A, NOTHING, B], 1, (A,), "of 2 layers ", "has 1 layer:"),
        ([NOTHING], 1, (None,), "of 0 layers ", "has 1 layer:"),
        ([A], 0, (), "of 1 layer ", "has 0 layers"),
    ],
)
def test_counts_that_do_not_match_are_warned_of(
    history: list[HistoryEntry],
    layer_count: int,
    layers: tuple[HistoryEntry | None, ...],
    told: str,
    there: str,
) -> None:
    paired = pair_history(history, layer_count)
    assert paired.layers == layers
    assert paired.warning is not None
    assert told in paired.warning
    assert there in paired.warning
