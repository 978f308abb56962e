"""An image's config: how to run it, its layers' DiffIDs, and its history.

Image spec, config.md; Docker's own fields (Healthcheck, OnBuild, Shell) are read too. What an
entry of the history means is for ``history`` to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from layerlens.errors import UnsupportedInput
from layerlens.oci.digest import Digest
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.oci.platform import Platform
from layerlens.oci.quoting import quoted

_HEALTHCHECK_DURATIONS = (
    ("Interval", "--interval"),
    ("Timeout", "--timeout"),
    ("StartPeriod", "--start-period"),
    ("StartInterval", "--start-interval"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig:
    """How a container of the image is run.

    Empty text means not set. ``entrypoint``, ``cmd``, ``shell`` and ``healthcheck`` are None
    when not set, which differs from being set to nothing. ``healthcheck_flags``: how often it is
    made and the like, as a Dockerfile has it: ``--interval=30s``.
    """

    user: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    working_dir: str = ""
    labels: Mapping[str, str]
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    shell: tuple[str, ...] | None = None
    on_build: tuple[str, ...] = ()
    healthcheck: tuple[str, ...] | None = None
    healthcheck_flags: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, fields: JsonObject | None) -> "RuntimeConfig":
        """Read the ``config`` of an image's config, or of a layer's in docker before 1.10."""
        if fields is None:
            return cls(labels={})
        healthcheck = fields.optional_object("Healthcheck")
        return cls(
            user=fields.optional_string("User") or "",
            env=fields.strings("Env"),
            entrypoint=fields.string_or_strings("Entrypoint"),
            cmd=fields.string_or_strings("Cmd"),
            working_dir=fields.optional_string("WorkingDir") or "",
            labels=fields.string_map("Labels"),
            exposed_ports=fields.key_set("ExposedPorts"),
            volumes=fields.key_set("Volumes"),
            stop_signal=fields.optional_string("StopSignal") or "",
            shell=fields.string_or_strings("Shell"),
            on_build=fields.strings("OnBuild"),
            healthcheck=None if healthcheck is None else healthcheck.optional_strings("Test"),
            healthcheck_flags=() if healthcheck is None else _healthcheck_flags(healthcheck),
        )


def _healthcheck_flags(fields: JsonObject) -> tuple[str, ...]:
    """Those that are set: docker takes 0 for its own default."""
    durations = ((flag, fields.optional_integer(key)) for key, flag in _HEALTHCHECK_DURATIONS)
    flags = [f"{flag}={_duration(nanoseconds)}" for flag, nanoseconds in durations if nanoseconds]
    retries = fields.optional_integer("Retries")
    return (*flags, f"--retries={retries}") if retries else tuple(flags)


def _duration(nanoseconds: int) -> str:
    """In the largest unit that is exact, as Go reads it."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if nanoseconds % size == 0:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One step of the build, as its builder wrote it; ``created`` is RFC 3339 text.

    An entry that is not ``empty_layer`` made a layer.
    """

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What an image's config says; DiffIDs are lowest layer first, history is oldest first."""

    platform: Platform
    created: str | None = None
    author: str | None = None
    runtime: RuntimeConfig
    diff_ids: tuple[Digest, ...]
    history: tuple[HistoryEntry, ...] = ()


def parse_image_config(data: bytes, where: str) -> ImageConfig:
    """Read an image's config.

    Raises MalformedInput for a field missing or of the wrong type, and UnsupportedInput for a
    root file system that is not made of layers.
    """
    fields = parse_object(data, where)
    rootfs = fields.object("rootfs")
    rootfs_type = rootfs.string("type")
    if rootfs_type != "layers":
        raise UnsupportedInput(
            f"{rootfs.where}.type: {quoted(rootfs_type)} is not supported, only 'layers'"
        )
    return ImageConfig(
        platform=Platform.from_json(fields),
        created=fields.optional_string("created"),
        author=fields.optional_string("author"),
        runtime=RuntimeConfig.from_json(fields.optional_object("config")),
        diff_ids=rootfs.digests("diff_ids"),
        history=tuple(_history_entry(entry) for entry in fields.objects("history")),
    )


def _history_entry(fields: JsonObject) -> HistoryEntry:
    return HistoryEntry(
        created=fields.optional_string("created"),
        created_by=fields.optional_string("created_by"),
        author=fields.optional_string("author"),
        comment=fields.optional_string("comment"),
        empty_layer=fields.boolean("empty_layer", default=False),
    )
