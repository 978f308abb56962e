"""Names in a layer to clean paths, and whiteouts told from files, within limits.

Source: image-spec layer.md, 'Whiteouts'; where it is silent, containerd's archive/tar.go.
"""

from __future__ import annotations

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.layer.entry import OpaqueWhiteout, Whiteout
from layerlens.oci.quoting import quoted
from layerlens.streams.clean_path import clean_path
from layerlens.streams.limits import Limits

WHITEOUT_PREFIX = ".wh."
OPAQUE_NAME = ".wh..wh..opq"

_AUFS_PREFIX = ".wh..wh."
AUFS_ROOT = "/" + _AUFS_PREFIX
"""What AUFS kept for itself lies at or below paths that begin so."""


class EntryNames:
    """Reads the names of one layer. ``where`` names it in errors."""

    def __init__(self, where: str, limits: Limits) -> None:
        self._where = where
        self._limits = limits
        self._clamped = 0
        self._first_clamped = ""
        # A path of so many characters is within the limits, whatever characters they are.
        self._surely_short = min(255, limits.path_bytes // 4, limits.path_depth)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd without being wrong, a sentence each."""
        if not self._clamped:
            return ()
        return (
            f"{self._clamped} names are absolute or climb with '..'; read as below "
            f"the root, the first is {quoted(self._first_clamped)}",
        )

    def path(self, name: str) -> str:
        """The absolute clean path. Raises LimitExceeded."""
        if name[:2] == "./":
            name = name[2:]
        if name[-1:] == "/":
            name = name[:-1]
        path = "/" + name
        if "/." in path or "//" in path or not name or len(path) > self._surely_short:
            path, clamped = clean_path(name)
            if clamped:
                self._clamped += 1
                self._first_clamped = self._first_clamped or name
            self._check_path(path)
        return path

    def symlink_target(self, target: str) -> str:
        """The text itself. Raises LimitExceeded."""
        size = len(target.encode("utf-8", "surrogateescape"))
        if size > self._limits.path_bytes:
            raise LimitExceeded(
                f"{self._where}: the symlink target {quoted(target)} has {size} bytes; at "
                f"most {self._limits.path_bytes} are read (raise with --limit path-bytes=N)"
            )
        return target

    def whiteout(self, path: str, name: str) -> Whiteout | OpaqueWhiteout | None:
        """What a ``path`` removes whose last part ``name`` begins as whiteouts do; None for
        AUFS's own bookkeeping, which containerd skips too. Raises MalformedInput."""
        parent = path[: -len(name) - 1] or "/"
        if name == OPAQUE_NAME:
            return OpaqueWhiteout(parent)
        if name.startswith(_AUFS_PREFIX):
            return None
        removed = name[len(WHITEOUT_PREFIX) :]
        if removed in ("", ".", ".."):
            raise MalformedInput(f"{self._where}: {quoted(path)} is a whiteout of nothing")
        return Whiteout(f"/{removed}" if parent == "/" else f"{parent}/{removed}")

    def _check_path(self, path: str) -> None:
        size = len(path.encode("utf-8", "surrogateescape"))
        limits = self._limits
        if size > limits.path_bytes or path.count("/") > limits.path_depth:
            raise LimitExceeded(
                f"{self._where}: the path {quoted(path)} has {size} bytes and "
                f"{path.count('/')} parts; at most {limits.path_bytes} and {limits.path_depth} "
                "are read (raise with --limit path-bytes=N, --limit path-depth=N)"
            )
