"""The ``layerlens.toml`` that ``check --init`` writes: every rule, explained, some switched on."""

from __future__ import annotations

from collections.abc import Iterator

from layerlens.analysis.rules import RULE_KINDS, Needs, RuleKind, Unit

_HEAD = """\
# Rules for `layerlens check IMAGE`. A rule passes where the value equals the limit;
# a rule that is not here is not checked. Limits are sizes ("20MB", "1.5GiB", 512),
# shares ("95%", 0.95), or false to switch a rule off.
#
# Paths that should not count: max-dead-bytes = { limit = "20MB", exclude = ["/var/log"] }
# A pattern without a slash matches a name anywhere, one with a slash from the root.

[check]
"""

_IMAGES = """\
# The image before the change, and the image this one is built on:
# baseline = "registry.example/app:latest"
# base = "debian:12-slim"
"""

_ON = {
    "max-dead-bytes": '"20MB"',
    "min-live-share": '"90%"',
    "forbidden-files": '[".git", "id_rsa", ".env"]',
    "forbidden-findings": '["secret", "apt-lists", "pip-cache"]',
}
_OFF = {
    "max-image-size": '"500MB"',
    "max-compressed-size": '"200MB"',
    "max-layer-size": '"300MB"',
    "max-user-size": '"100MB"',
    "max-growth": '"10MB"',
    "max-growth-percent": "5",
    "max-pull-cost": '"50MB"',
    "allowed-setuid": '["/usr/bin/su", "/usr/bin/passwd"]',
    "lowest-efficiency": "0.9",
    "highest-wasted-bytes": '"20MB"',
    "highest-user-wasted-percent": "0.1",
}
_NEEDS = {
    Needs.NOTHING: "",
    Needs.BASELINE: " (needs a baseline)",
    Needs.BASE: " (needs a base)",
}


def starter_text() -> str:
    """The text of the file."""
    return "\n".join([_HEAD + _IMAGES, *map("\n".join, map(_lines, RULE_KINDS.values()))]) + "\n"


def _lines(kind: RuleKind) -> Iterator[str]:
    yield f"# {_side(kind)}{kind.meaning}{_NEEDS[kind.needs]}"
    if kind.name in _ON:
        yield f"{kind.name} = {_ON[kind.name]}"
    else:
        yield f"# {kind.name} = {_OFF[kind.name]}"


def _side(kind: RuleKind) -> str:
    if kind.unit in (Unit.FILES, Unit.FINDINGS):
        return ""
    return "At least: " if kind.lowest else "At most: "
