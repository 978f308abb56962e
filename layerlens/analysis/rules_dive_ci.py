"""``.dive-ci``, dive's file of rules, taken as it is and with what dive makes of it.

A rule that it does not name has dive's default. Keys are compared without their case, as dive's
reader does; a key that dive does not know is passed over by dive, and so it is here, with a
warning.
"""

from __future__ import annotations

from layerlens.analysis.rules import DIVE_NAMES, Rule
from layerlens.analysis.rules_limits import parse_limit, unknown_name
from layerlens.analysis.rules_settings import RuleSettings, dive_defaults, in_order, made_rule
from layerlens.analysis.rules_yaml import Scalar, YamlMapping, parse_yaml_mapping
from layerlens.errors import UsageError
from layerlens.oci.quoting import printable

_RULES = "rules"


def parse_dive_rules(text: str, where: str) -> RuleSettings:
    """The settings in the text of a file called *where*: always dive's three rules.

    Raises UsageError, which names the line, for YAML beyond what such files use and for a limit
    that makes no sense.
    """
    document = parse_yaml_mapping(text, where)
    warnings = [
        f"{where}: line {document.lines[key]}: {unknown_name('key', key, [_RULES])}; not used"
        for key in document.fields
        if key.lower() != _RULES
    ]
    rules = {rule.kind: rule for rule in dive_defaults(f"{where} (dive's default)")}
    table = next((v for key, v in document.fields.items() if key.lower() == _RULES), None)
    if isinstance(table, Scalar):
        if table.text is not None:
            place = f"{printable(where)}: line {table.line}"
            raise UsageError(f"{place}: {_RULES}: expected keys below it, got a value")
    elif table is not None:
        for key in table.fields:
            rule = _rule(table, key, where)
            if rule is None:
                hint = unknown_name("rule", key, DIVE_NAMES)
                warnings.append(f"{where}: line {table.lines[key]}: {hint}; not used")
            else:
                rules[rule.kind] = rule
    return RuleSettings(rules=in_order(tuple(rules.values())), warnings=tuple(warnings))


def _rule(table: YamlMapping, key: str, where: str) -> Rule | None:
    """The rule that *key* sets; None where dive knows no such rule."""
    kind = next((kind for name, kind in DIVE_NAMES.items() if name.lower() == key.lower()), None)
    if kind is None:
        return None
    value = table.fields[key]
    place = f"{printable(where)}: line {table.lines[key]}: {key}"
    if not isinstance(value, Scalar):
        raise UsageError(f"{place}: expected a value, got keys below it")
    if value.text is None:  # null is as if the key were not there
        return next(
            rule for rule in dive_defaults(f"{where} (dive's default)") if rule.kind is kind
        )
    try:
        return made_rule(kind, parse_limit(kind, value.text), source=where)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error
