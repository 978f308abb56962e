import pytest
from oci.messages import refusal

from layerlens.errors import UsageError
from layerlens.streams.limits import DEFAULT_LIMITS


def test_limits_are_set_by_name() -> None:
    limits = DEFAULT_LIMITS.with_settings(("inflated-bytes=5", "path_depth=7", "entries=1"))
    assert (limits.inflated_bytes, limits.path_depth, limits.entries) == (5, 7, 1)
    assert limits.hole_bytes == DEFAULT_LIMITS.hole_bytes
    assert DEFAULT_LIMITS.with_settings(()) == DEFAULT_LIMITS


@pytest.mark.parametrize(
    "value", ["", "0", "-1", "1.5", "1e9", "nan", "\u0663", "1_000", " 1", "9" * 19]
)
def test_a_value_must_be_a_positive_integer(value: str) -> None:
    with refusal(UsageError, "--limit", "the value must be a positive integer"):
        DEFAULT_LIMITS.with_settings((f"entries={value}",))


@pytest.mark.parametrize("setting", ["", "bytes=1", "entries=", "ENTRIES=1\n", "with_settings=1"])
def test_an_unknown_name_lists_those_there_are(setting: str) -> None:
    if setting == "entries=":
        with refusal(UsageError, "the value must be"):
            DEFAULT_LIMITS.with_settings((setting,))
    else:
        with refusal(UsageError, "no such limit", "inflated-bytes, inflation-ratio"):
            DEFAULT_LIMITS.with_settings((setting,))
