"""What differs between the configs of two images, variable by variable and label by label."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.analysis.layer_changes import ChangeKind
from layerlens.oci.image_config import ImageConfig, RuntimeConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDifference:
    """``field``: as a Dockerfile would name it. ``key``: which variable, label, port or volume;
    None where the field is one value. None before or after: not set."""

    field: str
    key: str | None
    before: str | None
    after: str | None

    @property
    def kind(self) -> ChangeKind:
        """ADDED where it was not set before, REMOVED where it is not now, else CHANGED."""
        if self.before is None:
            return ChangeKind.ADDED
        return ChangeKind.REMOVED if self.after is None else ChangeKind.CHANGED


def config_differences(before: ImageConfig, after: ImageConfig) -> tuple[ConfigDifference, ...]:
    """All differences in how a container would be run, and for which platform."""
    a, b = before.runtime, after.runtime
    return (
        *_value("platform", str(before.platform), str(after.platform)),
        *_value("author", before.author or None, after.author or None),
        *_value("user", a.user or None, b.user or None),
        *_value("workdir", a.working_dir or None, b.working_dir or None),
        *_value("entrypoint", _words(a.entrypoint), _words(b.entrypoint)),
        *_value("cmd", _words(a.cmd), _words(b.cmd)),
        *_value("shell", _words(a.shell), _words(b.shell)),
        *_value("healthcheck", _healthcheck(a), _healthcheck(b)),
        *_value("stopsignal", a.stop_signal or None, b.stop_signal or None),
        *_value("onbuild", _words(a.on_build or None), _words(b.on_build or None)),
        *_mapping("env", environment(a), environment(b)),
        *_mapping("label", a.labels, b.labels),
        *_mapping("expose", _set(a.exposed_ports), _set(b.exposed_ports)),
        *_mapping("volume", _set(a.volumes), _set(b.volumes)),
    )


def creation_difference(before: ImageConfig, after: ImageConfig) -> tuple[ConfigDifference, ...]:
    """When each was created, if not at one time; two builds of one thing always differ in it."""
    return tuple(_value("created", before.created, after.created))


def environment(runtime: RuntimeConfig) -> Mapping[str, str]:
    """The variables by name; the last of two with one name counts, as in a container."""
    pairs = (variable.partition("=") for variable in runtime.env)
    return {name: value for name, _, value in pairs}


def _value(field: str, before: str | None, after: str | None) -> Iterator[ConfigDifference]:
    if before != after:
        yield ConfigDifference(field=field, key=None, before=before, after=after)


def _mapping(
    field: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[ConfigDifference]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield ConfigDifference(
                field=field, key=key, before=before.get(key), after=after.get(key)
            )


def _set(members: Sequence[str]) -> Mapping[str, str]:
    return dict.fromkeys(members, "")


def _healthcheck(runtime: RuntimeConfig) -> str | None:
    """As a Dockerfile has it; one without a command only sets anew how its base's is made."""
    parts = [*runtime.healthcheck_flags, _words(runtime.healthcheck)]
    return " ".join(part for part in parts if part is not None) or None


def _words(words: Sequence[str] | None) -> str | None:
    """The words as a Dockerfile's JSON form, so that one with a space is told from two."""
    return None if words is None else json.dumps(words, ensure_ascii=False)
