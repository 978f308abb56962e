from fractions import Fraction

import pytest

from layerlens.analysis.rules import (
    ALLOWED_SETUID,
    FORBIDDEN_FILES,
    MAX_DEAD_BYTES,
    MAX_GROWTH_PERCENT,
    MAX_IMAGE_SIZE,
    MAX_LAYER_SIZE,
    MIN_LIVE_SHARE,
    RULE_KINDS,
    Rule,
)
from layerlens.analysis.rules_settings import RuleSettings
from layerlens.analysis.rules_toml import parse_toml_rules
from layerlens.errors import UsageError
from layerlens.report.rules_starter import starter_text

WHERE = "layerlens.toml"


def settings_of(text: str) -> RuleSettings:
    return parse_toml_rules(text, WHERE)


def rules_of(lines: str) -> tuple[Rule, ...]:
    return settings_of(f"[check]\n{lines}").rules


def test_a_file_of_every_form() -> None:
    settings = settings_of(
        """
        [check]
        baseline = "registry.example/app:latest"
        base = "debian:12"
        max-image-size = "500MB"
        max-layer-size = 1024
        min-live-share = 0.95
        max-growth-percent = 5
        forbidden-files = ["*.pem", ".git"]
        allowed-setuid = []

        [check.max-dead-bytes]
        limit = "20MB"
        exclude = ["/var/log", "*.pyc"]
        """
    )
    assert (settings.baseline, settings.base) == ("registry.example/app:latest", "debian:12")
    expected: list[tuple[object, object, tuple[str, ...]]] = [
        (MAX_IMAGE_SIZE, 500_000_000, ()),
        (MAX_LAYER_SIZE, 1024, ()),
        (MAX_DEAD_BYTES, 20_000_000, ("/var/log", "*.pyc")),
        (MIN_LIVE_SHARE, Fraction(95, 100), ()),
        (MAX_GROWTH_PERCENT, 5, ()),
        (FORBIDDEN_FILES, ("*.pem", ".git"), ()),
        (ALLOWED_SETUID, (), ()),
    ]
    assert [(rule.kind, rule.limit, rule.exclude) for rule in settings.rules] == expected
    assert {rule.source for rule in settings.rules} == {WHERE}


def test_a_decimal_is_what_is_written_and_not_its_float() -> None:
    (rule,) = rules_of("min-live-share = 0.1")
    assert rule.limit == Fraction(1, 10)


@pytest.mark.parametrize("off", ["false", '"off"', '"disabled"', '""', "{ limit = false }"])
def test_a_rule_is_switched_off(off: str) -> None:
    (rule,) = rules_of(f"max-image-size = {off}")
    assert rule.limit is None


def test_a_list_is_switched_off() -> None:
    (rule,) = rules_of("forbidden-files = false")
    assert rule.limit is None


@pytest.mark.parametrize("text", ["", "# nothing\n", "[check]\n"])
def test_no_rule_is_no_error(text: str) -> None:
    assert settings_of(text) == RuleSettings()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[check]\nmax-image-sise = 1",
            "unknown rule 'max-image-sise': did you mean max-image-size",
        ),
        ("[check]\nmax_layer_size = 1", "did you mean max-layer-size"),
        ("[check]\nlowestEfficiency = 0.9", "did you mean lowest-efficiency"),
        ("[check]\nbaselin = 'x'", "did you mean baseline"),
        ("[chekc]\nx = 1", "unknown table 'chekc': did you mean check"),
        ("max-image-size = 1", "unknown table 'max-image-size'"),
        ("check = 5", "check: expected a table, got a number"),
        ("[check]\nmax-image-size = true", "check.max-image-size: expected a number"),
        ("[check]\nmax-image-size = [1]", "check.max-image-size: expected a number"),
        (
            "[check]\nmax-image-size = '9 parsecs'",
            "check.max-image-size: '9 parsecs': 'parsecs' is",
        ),
        ("[check]\nmax-image-size = -1", "check.max-image-size: '-1' is no size"),
        ("[check]\nmax-image-size = 1979-05-27", "got a date or time"),
        ("[check]\nmin-live-share = 95", "is no part of a whole"),
        ("[check]\nmin-live-share = nan", "expected a number, got nan"),
        ("[check]\nmin-live-share = inf", "expected a number, got inf"),
        ("[check]\nmax-image-size = {}", "check.max-image-size: the limit is missing"),
        ("[check]\nmax-image-size = {limit=1, exlude=[]}", "unknown key 'exlude': did you mean"),
        ("[check]\nmax-image-size = {limit=1, exclude='a'}", "max-image-size.exclude: expected an"),
        ("[check]\nmax-image-size = {limit=1, exclude=[1]}", "an array that holds something else"),
        ("[check]\nmax-image-size = {limit=1, exclude=['']}", "an empty pattern"),
        ("[check]\nmax-image-size = {limit=1, exclude=['[']}", "a '[' that is not closed"),
        ("[check]\nmax-pull-cost = {limit=1, exclude=['a']}", "can't exclude paths"),
        ("[check]\nforbidden-files = 'x'", "check.forbidden-files: expected an array of strings"),
        ("[check]\nforbidden-files = ['[']", "a '[' that is not closed"),
        ("[check]\nforbidden-findings = ['apt-list']", "did you mean apt-lists?"),
        ("[check]\nbase = 5", "check.base: expected the name of an image, got a number"),
        ("[check]\nbase = ''", "check.base: expected the name of an image, got an empty string"),
        ("[check", "no valid TOML"),
        ("[check]\nmax-image-size = 1\nmax-image-size = 2", "no valid TOML"),
        ("a = " + "[" * 5000, "no valid TOML"),
        ("a = " + "9" * 5000, "no valid TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        settings_of(text)
    assert str(raised.value).startswith("layerlens.toml: ")
    assert problem in str(raised.value)
    assert str(raised.value).isprintable()


EVERY_FORM = """\
# max-layer-sise = 1
[check] # rules
"max-image-size" = "1MB"
forbidden-files = [
  "a",
]
max-dead-bytes = { limit = 1, exclude = [] }

max-growth.limit = 1

[check.max-layer-size]
limit = 1
exclude = ["/x"]
"""


@pytest.mark.parametrize(
    ("good", "bad", "line"),
    [
        ('"max-image-size"', '"max-image-sise"', 3),
        ("1MB", "1XB", 3),
        ("forbidden-files = [", "forbidden-file = [", 4),
        ('  "a",', '  "[",', 4),
        ("{ limit = 1,", "{ limit = -1,", 7),
        ("max-growth.limit = 1", "max-growth.limit = -1", 9),
        ("max-growth.limit = 1", "max-growth.limits = 1", 9),
        ("[check.max-layer-size]", "[check.max-layer-sise]", 11),
        ('exclude = ["/x"]', 'exclud = ["/x"]', 13),
        ('exclude = ["/x"]', "exclude = 5", 13),
        ("[check] # rules", "[chekc] # rules", 2),
    ],
)
def test_a_mistake_is_told_with_its_line(good: str, bad: str, line: int) -> None:
    settings_of(EVERY_FORM)
    assert EVERY_FORM.count(good) == 1
    for end in ("\n", "\r\n"):
        with pytest.raises(UsageError) as raised:
            settings_of(EVERY_FORM.replace(good, bad).replace("\n", end))
        assert str(raised.value).startswith(f"layerlens.toml: line {line}: ")


def test_no_line_is_made_up() -> None:
    with pytest.raises(UsageError) as raised:
        settings_of("check = {max-image-sise = 1}")
    assert str(raised.value).startswith("layerlens.toml: line 1: unknown rule")
    with pytest.raises(UsageError) as raised:
        settings_of('"che\\u0063k" = {x = 1}')
    assert str(raised.value).startswith("layerlens.toml: unknown rule")


def test_the_starter_file_can_be_read_and_names_every_rule() -> None:
    text = starter_text()
    assert {rule.kind.name for rule in settings_of(text).rules} >= {"max-dead-bytes"}
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line and not line.endswith("}") else line
        for line in text.splitlines()
    )
    everything = settings_of(uncommented)
    assert [rule.kind.name for rule in everything.rules] == list(RULE_KINDS)
    assert everything.baseline is not None
    assert everything.base is not None
