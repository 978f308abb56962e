"""The bounds put on hostile input: generous for any real image, and settable by name."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from layerlens.errors import UsageError

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_MOST_DIGITS = 18
"""Of a setting: more than any count of bytes has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one layer (or one archive) may cost before it is refused.

    ``inflated_bytes``: decompressed bytes of one stream. ``inflation_ratio``: decompressed bytes
    for each compressed byte, looked at once ``inflation_floor`` bytes have come out.
    ``hole_bytes``: zeros that one layer's sparse files may claim. ``entries``: tar members of one
    layer. ``metadata_bytes``: PAX and GNU extension headers of one layer, in all.
    ``path_bytes`` and ``path_depth``: of one path. ``zstd_window_log``: log2 of the window.
    """

    inflated_bytes: int = 256 * GIB
    inflation_ratio: int = 1000
    inflation_floor: int = GIB
    hole_bytes: int = 16 * GIB
    entries: int = 5_000_000
    metadata_bytes: int = 256 * MIB
    path_bytes: int = 4096
    path_depth: int = 1024
    zstd_window_log: int = 27

    def with_settings(self, settings: tuple[str, ...]) -> Limits:
        """These limits with ``NAME=VALUE`` settings applied (names with ``-`` or ``_``).

        Raises UsageError for an unknown name or a value that is not a positive integer.
        """
        names = [field.name for field in fields(self)]
        changed: dict[str, int] = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            name = name.strip().replace("-", "_")
            if name not in names:
                known = ", ".join(known.replace("_", "-") for known in names)
                raise UsageError(f"--limit {setting!r}: no such limit; there are {known}")
            digits = value if value.isascii() and value.isdigit() else ""
            if not digits.strip("0") or len(digits) > _MOST_DIGITS:
                raise UsageError(f"--limit {setting!r}: the value must be a positive integer")
            changed[name] = int(digits)
        return replace(self, **changed)


DEFAULT_LIMITS = Limits()
