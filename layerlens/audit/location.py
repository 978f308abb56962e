"""Where a registry's catalogue is kept unless a file is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from layerlens.errors import AmbiguousImage, NotFound, UsageError
from layerlens.oci.quoting import printable, quoted
from layerlens.oci.reference import parse_reference

_SUFFIX = ".sqlite"


def default_directory() -> Path:
    """``$XDG_DATA_HOME/layerlens/audit``, by default in ``~/.local/share`` (macOS: in
    ``~/Library/Application Support``); UsageError where there is no home."""
    base = os.environ.get("XDG_DATA_HOME")
    if base and os.path.isabs(base):
        return Path(base) / "layerlens" / "audit"
    on_macos = sys.platform == "darwin"
    data = Path("Library", "Application Support") if on_macos else Path(".local", "share")
    try:
        return Path.home() / data / "layerlens" / "audit"
    except RuntimeError:  # as in some containers
        raise UsageError("there is no home directory: name the catalogue with --db FILE") from None


def check_host(registry: str) -> str:
    """The registry's host, and port if any; UsageError for text that is none."""
    try:
        reference = parse_reference(f"{registry}/repository")
    except UsageError:
        reference = None
    if reference is None or reference.registry != registry:
        raise UsageError(
            f"{quoted(registry)} is not a registry: expected a host such as registry.example.com "
            "or localhost:5000"
        )
    return registry


def default_path(registry: str) -> Path:
    """The catalogue of the registry at this host; UsageError for text that is no host."""
    return default_directory() / f"{check_host(registry)}{_SUFFIX}"


def only_path() -> Path:
    """The one catalogue there is; NotFound if there is none, AmbiguousImage if several."""
    directory = default_directory()
    found = sorted(directory.glob(f"*{_SUFFIX}"))
    if not found:
        raise NotFound(
            f"{printable(str(directory))}: there is no catalogue yet; 'layerlens audit REGISTRY' "
            "makes one"
        )
    if len(found) > 1:
        names = ", ".join(printable(path.name.removesuffix(_SUFFIX)) for path in found)
        raise AmbiguousImage(f"there are catalogues of several registries, name one: {names}")
    return found[0]
