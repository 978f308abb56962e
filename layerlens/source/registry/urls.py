"""URLs as a registry's client must see them: whose they are, and what of them may be shown."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from layerlens.errors import RegistryError
from layerlens.oci.quoting import quoted

_PORTS = {"http": 80, "https": 443}
_LONGEST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Who a request goes to (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """``host[:port]``, the port left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@functools.lru_cache(maxsize=64)  # one request looks at its URL several times
def origin_of(url: str) -> Origin:
    """The origin of an http or https URL; raises RegistryError for anything else."""
    parts = _split(url)
    port = parts.port
    return Origin(
        scheme=parts.scheme,
        host=(parts.hostname or "").lower(),
        port=_PORTS[parts.scheme] if port is None else port,
    )


def safe_url(url: str) -> str:
    """The URL without user, password, query and fragment, which may hold secrets."""
    try:
        parts = _split(url)
    except RegistryError:
        return "a malformed URL"
    return urlunsplit((parts.scheme, origin_of(url).authority, parts.path, "", ""))[:_LONGEST_SHOWN]


def without_userinfo(url: str) -> str:
    """The URL without user, password and fragment: nobody logs in by an address that was sent."""
    parts = _split(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def host_of(authority: str) -> str:
    """The lower-case name or address of ``NAME[:PORT]``, without brackets."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].lower()


def is_loopback(host: str) -> bool:
    """Whether a host name or address stands for this very machine."""
    if host in {"localhost", "localhost."}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        raise RegistryError("a malformed URL was given by a registry") from None
    if parts.scheme not in _PORTS:
        raise RegistryError(f"a URL of scheme {quoted(parts.scheme)}: only http and https are used")
    if not parts.hostname or not url.isprintable() or " " in url:
        raise RegistryError("a malformed URL was given by a registry")
    return parts
