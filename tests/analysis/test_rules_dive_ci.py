from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.analysis.rules_dive_ci import parse_dive_rules
from layerlens.analysis.rules_settings import RuleSettings
from layerlens.errors import UsageError

WHERE = ".dive-ci"


def settings_of(text: str) -> RuleSettings:
    return parse_dive_rules(text, WHERE)


def limits_of(text: str) -> list[object]:
    """Of efficiency, wasted bytes and user-wasted percent."""
    settings = settings_of(text)
    names = [rule.kind.name.split("-", 1)[1] for rule in settings.rules]
    assert names == ["efficiency", "wasted-bytes", "user-wasted-percent"]
    return [rule.limit for rule in settings.rules]


DEFAULTS = [Fraction("0.9"), None, Fraction("0.1")]

AS_PEOPLE_WRITE_IT = """\
---
# our rules
rules:
  # If the efficiency is measured below X%, mark as failed.
  lowestEfficiency: 0.95   # a ratio
  highestWastedBytes: 20MB

  # Fails if the threshold is crossed
  highestUserWastedPercent: "0.20"
"""


def test_a_file_as_people_write_it() -> None:
    assert limits_of(AS_PEOPLE_WRITE_IT) == [Fraction("0.95"), 20_000_000, Fraction("0.2")]
    assert settings_of(AS_PEOPLE_WRITE_IT).warnings == ()


@pytest.mark.parametrize(
    "text", ["", "---\n", "# no rules\n", "rules:\n", "rules: ~\n", "rules: null\n...\n"]
)
def test_what_is_not_named_has_dives_default(text: str) -> None:
    assert limits_of(text) == DEFAULTS
    sources = {rule.source for rule in settings_of(text).rules}
    assert sources == {".dive-ci (dive's default)"}


@pytest.mark.parametrize("off", ["disabled", "off", "false", "False", '""', "''", '"disabled"'])
def test_a_rule_is_switched_off(off: str) -> None:
    assert limits_of(f"rules:\n  lowestEfficiency: {off}\n")[0] is None


@pytest.mark.parametrize("null", ["", " ", " ~", " null", "  # later"])
def test_null_is_as_if_the_key_were_not_there(null: str) -> None:
    assert limits_of(f"rules:\n  lowestEfficiency:{null}\n") == DEFAULTS


@pytest.mark.parametrize(
    "text",
    [
        "rules:\r\n    lowestEfficiency: .95\r\n",
        "\ufeffrules:\n lowestEfficiency: .95\n",
        "Rules:\n  LOWESTEFFICIENCY: 0.95\n",
        "'rules':\n  \"lowestEfficiency\": '0.95'\n",
        "  rules:\n      lowestEfficiency : 95e-2\n",
        "rules:\n  lowestEfficiency: 0.95",
    ],
)
def test_other_ways_to_write_it(text: str) -> None:
    assert limits_of(text)[0] == Fraction("0.95")


def test_what_dive_passes_over_is_warned_of() -> None:
    text = "rules:\n  lowestEfficiencies: 0.5\n  x: 1\nplugins:\n  a: b\n"
    settings = settings_of(text)
    assert [rule.limit for rule in settings.rules] == DEFAULTS
    assert settings.warnings == (
        ".dive-ci: line 4: unknown key 'plugins': known are rules; not used",
        ".dive-ci: line 2: unknown rule 'lowestEfficiencies': did you mean lowestEfficiency?; "
        "not used",
        ".dive-ci: line 3: unknown rule 'x': known are lowestEfficiency, highestWastedBytes, "
        "highestUserWastedPercent; not used",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules:\n  - a\n", "line 2: a sequence, where 'key: value' is expected"),
        ("rules: [a]\n", "line 1: a flow sequence"),
        ("rules: {lowestEfficiency: 1}\n", "line 1: a flow mapping"),
        ("rules: |\n  x\n", "line 1: a block of text"),
        ("rules: &a\n  lowestEfficiency: 1\n", "line 1: an anchor"),
        ("rules: *a\n", "line 1: an alias"),
        ("rules: !!map\n", "line 1: a tag"),
        ("%YAML 1.2\n---\nrules:\n", "line 1: a directive"),
        ("? rules\n", "line 1: a complex key"),
        ("---\nrules:\n---\nrules:\n", "line 3: a second document"),
        ("---\n# nothing\n---\n", "line 3: a second document"),
        ("rules:\n...\nrules:\n", "line 3: a second document"),
        ("rules:\n\tlowestEfficiency: 1\n", "line 2: a tab as indentation"),
        ("rules:\n  lowestEfficiency 1\n", "line 2: expected 'key: value', got"),
        ("rules:\n  lowestEfficiency:1\n", "line 2: expected 'key: value', got"),
        ("rules:\n  a: 1\n  a: 2\n", "line 3: the key 'a' stands on line 2 already"),
        ("rules:\n    a: 1\n  b: 2\n", "line 3: indented differently"),
        ("rules:\n  a: 1\n    b: 2\n", "line 3: indented differently"),
        ("  rules:\na: 1\n", "line 2: indented differently"),
        ("rules: a: b\n", "line 1: a mapping on the line of its key"),
        ("rules:\n  a: 'x\n", "line 2: a quoted value that does not end"),
        ("rules:\n  a: 'x' y\n", "line 2: 'y' after a quoted value"),
        ('rules:\n  a: "\\q"\n', "line 2: an escape that is not known"),
        ("rules: 5\n", "line 1: rules: expected keys below it, got a value"),
        ("rules:\n  lowestEfficiency:\n    a: 1\n", "line 2: lowestEfficiency: expected a value"),
        ("rules:\n  lowestEfficiency: no\n", "line 2: lowestEfficiency: 'no' is no number"),
        ("rules:\n  lowestEfficiency: 1.5\n", "line 2: lowestEfficiency: '1.5' is no part of a"),
        ("rules:\n  highestWastedBytes: 20 MEGS\n", "line 2: highestWastedBytes: '20 MEGS'"),
        ("rules:\n  highestWastedBytes: -5\n", "line 2: highestWastedBytes: '-5' is no size"),
        ("a: 1\n" * 300_000, "too long"),
    ],
)
def test_what_is_not_taken_is_told_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        settings_of(text)
    assert str(raised.value).startswith(".dive-ci: ")
    assert problem in str(raised.value)
    assert str(raised.value).isprintable()


def test_quotes_hold_what_would_be_a_comment() -> None:
    with pytest.raises(UsageError, match="'1 # 2' is no number"):
        settings_of("rules:\n  lowestEfficiency: '1 # 2'\n")
    with pytest.raises(UsageError, match='"it\'s" is no number'):
        settings_of("rules:\n  lowestEfficiency: 'it''s'\n")
    assert limits_of('rules:\n  highestWastedBytes: "1\\tkB" # x\n')[1] == 1000


PIECES = st.sampled_from(
    [
        *(
            "rules",
            "lowestEfficiency",
            ":",
            ": ",
            " ",
            "  ",
            "\n",
            "\t",
            "0.9",
            "'",
            '"',
            "#",
            " #",
        ),
        *("- ", "[", "{", "|", "&", "*", "---", "...", "\\", "off", "~", "20MB", "\r", "é", "\x85"),
    ]
)


@given(st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    problem = ".dive-ci: "
    try:
        assert len(settings_of(text).rules) == 3
    except UsageError as error:
        problem = str(error)
    assert problem.startswith(".dive-ci: ")
    assert problem.isprintable()
