"""Platforms: the operating system and processor an image is for.

Image spec, image-index.md "platform"; names are normalised as containerd does, so that two
spellings of one platform are equal.
"""

import os
import re
from dataclasses import dataclass

from layerlens.errors import UsageError
from layerlens.oci.json_fields import JsonObject
from layerlens.oci.quoting import quoted

UNKNOWN = "unknown"
"""Stands for an operating system or architecture that an image does not name."""

_ARCHITECTURES = {
    "aarch64": "arm64",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "loongarch64": "loong64",
}
_ARM_NAMES = {"armhf": "v7", "armv7l": "v7", "armv8l": "v7", "armel": "v6", "armv6l": "v6"}
_DEFAULT_VARIANTS = {("arm64", "v8"), ("amd64", "v1")}
_SPECIFIER = re.compile(
    r"(?P<os>[A-Za-z0-9_.-]+)(?:\((?P<os_version>[A-Za-z0-9_.-]+)\))?"
    r"/(?P<architecture>[A-Za-z0-9_.-]+)(?:/(?P<variant>[A-Za-z0-9_.-]+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """An operating system and architecture, normalised when made by ``parse`` or ``from_json``."""

    os: str
    architecture: str
    variant: str | None = None
    os_version: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Read ``os/architecture[/variant]`` as a person types it; raise UsageError if it is not.

        The os may carry a version: ``windows(10.0.17763)/amd64``.
        """
        match = _SPECIFIER.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{quoted(text)} is not a platform: expected os/architecture[/variant], "
                "such as linux/arm64 or linux/arm/v7"
            )
        return _normalised(
            match["os"], match["architecture"], match["variant"], match["os_version"]
        )

    @classmethod
    def from_json(cls, fields: JsonObject) -> "Platform":
        """Read the fields of a descriptor's platform or of a config; a missing one is unknown."""
        return _normalised(
            fields.optional_string("os") or UNKNOWN,
            fields.optional_string("architecture") or UNKNOWN,
            fields.optional_string("variant") or None,
            fields.optional_string("os.version") or None,
        )

    def __str__(self) -> str:
        version = f"({self.os_version})" if self.os_version else ""
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.os}{version}/{self.architecture}{variant}"

    def matches(self, wanted: "Platform") -> bool:
        """Whether this is the wanted platform, variant included.

        A wanted os version is matched by its parts: 10.0.17763 matches 10.0.17763.6054.
        """
        same = (self.os, self.architecture, self.variant) == (
            wanted.os,
            wanted.architecture,
            wanted.variant,
        )
        if not same or wanted.os_version is None:
            return same
        return f"{self.os_version}.".startswith(f"{wanted.os_version}.")


def host_platform() -> Platform:
    """The platform whose images this machine runs: Linux, on macOS too."""
    return _normalised("linux", os.uname().machine, None, None)


def _normalised(
    system: str, architecture: str, variant: str | None, os_version: str | None
) -> Platform:
    system = system.lower()
    architecture = architecture.lower()
    variant = variant.lower() if variant else None
    if architecture in _ARM_NAMES:
        architecture, variant = "arm", _ARM_NAMES[architecture]
    architecture = _ARCHITECTURES.get(architecture, architecture)
    if variant is not None and variant.isdecimal() and architecture in {"arm", "arm64"}:
        variant = f"v{variant}"
    if architecture == "arm" and variant is None:
        variant = "v7"
    if (architecture, variant) in _DEFAULT_VARIANTS:
        variant = None
    return Platform(
        os="darwin" if system == "macos" else system,
        architecture=architecture,
        variant=variant,
        os_version=os_version,
    )
