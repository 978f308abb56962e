from fractions import Fraction

import pytest

from layerlens.analysis.rules import HIGHEST_WASTED_BYTES, MAX_GROWTH, MAX_GROWTH_PERCENT
from layerlens.analysis.rules import MIN_LIVE_SHARE as SHARE
from layerlens.analysis.rules_limits import (
    is_off,
    parse_limit,
    parse_percent,
    parse_share,
    parse_size,
    unknown_name,
)
from layerlens.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("20MB", 20_000_000),
        ("19Mb", 19_000_000),
        ("20 mb", 20_000_000),
        ("20MiB", 20 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("1k", 1000),
        ("1ki", 1024),
        ("1kB", 1000),
        ("2 b", 2),
        ("1,024", 1024),
        ("1,000.5kB", 1_000_500),
        ("3.9", 3),  # dive drops what is no whole byte
        (".5kB", 500),
        ("5.", 5),
        ("1TB", 10**12),
        ("1PiB", 2**50),
        ("1eb", 10**18),
        ("  7 kb  ", 7000),
    ],
)
def test_sizes_are_read_as_dive_reads_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "MB", "-1", "1e6", "20 elephants", "20MBB", "1.2.3", "0x10", "1_000", "20%", "٣MB", "inf"],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no size|is no unit"):
        parse_size(text)


@pytest.mark.parametrize("text", ["16EiB", "99999999999999999999", "9" * 90 + "eb"])
def test_a_size_beyond_64_bits_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="more than 16 EiB"):
        parse_size(text)


def test_a_limit_of_many_digits_is_refused_at_once() -> None:
    for parse in (parse_size, parse_share, parse_percent):
        with pytest.raises(UsageError):
            parse("9" * 1_000_000)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("0.95", "0.95"),
        ("95%", "0.95"),
        ("95 %", "0.95"),
        (".5", "0.5"),
        ("1", "1"),
        ("0", "0"),
        ("1e-1", "0.1"),
        ("100%", "1"),
        ("0.1%", "0.001"),
    ],
)
def test_shares(text: str, share: str) -> None:
    assert parse_share(text) == Fraction(share)


@pytest.mark.parametrize("text", ["95", "1.1", "101%", "-0.1", "nan", "inf", "95%%", "5%5", "%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"no number|no part of a whole"):
        parse_share(text)


def test_percentages_may_have_their_sign() -> None:
    assert parse_percent("5") == parse_percent("5%") == parse_percent(" 5.0 % ") == 5
    assert parse_percent("250%") == 250


@pytest.mark.parametrize("text", ["", "disabled", "Disabled", "off", "OFF", "false", " false "])
def test_words_that_switch_a_rule_off(text: str) -> None:
    assert is_off(text)
    assert parse_limit(HIGHEST_WASTED_BYTES, text) is None
    assert parse_limit(SHARE, text) is None


def test_the_unit_of_a_rule_decides() -> None:
    assert parse_limit(MAX_GROWTH, "5") == 5
    assert parse_limit(SHARE, "0.5") == Fraction(1, 2)
    assert parse_limit(MAX_GROWTH_PERCENT, "0.5") == Fraction(1, 2)
    with pytest.raises(UsageError, match="growth in percent is max-growth-percent"):
        parse_limit(MAX_GROWTH, "5%")


def test_the_nearest_name_is_told() -> None:
    known = ["max-image-size", "max-layer-size", "base"]
    assert unknown_name("rule", "max_layer_sise", known).endswith("did you mean max-layer-size?")
    assert unknown_name("rule", "maxImageSize", known).endswith("did you mean max-image-size?")
    assert unknown_name("rule", "qqqq", known) == (
        "unknown rule 'qqqq': known are max-image-size, max-layer-size, base"
    )
