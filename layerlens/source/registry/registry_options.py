"""How registries may be reached, as a value: which hosts by plain http, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass

from layerlens.source.registry.urls import host_of, is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a registry is waited for, in seconds.

    ``connect`` and ``read``: for a connection, and for each next byte. ``first_wait``: before the
    second attempt where the registry names no time; doubled each time. ``longest_wait``: caps
    every wait, also one that the registry asks for. ``all_waits``: of one request together.
    ``window`` and ``least_bytes``: a blob of which fewer bytes come in so long is taken for one
    whose connection has dropped.
    """

    connect: float = 10.0
    read: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 60.0
    all_waits: float = 180.0
    window: float = 60.0
    least_bytes: int = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """What the user allows. Hosts are ``NAME`` (any port) or ``NAME:PORT``.

    ``plain_http``: reached by http. ``insecure``: reached by https without verifying who
    answers, or by http where they speak no https.
    """

    plain_http: frozenset[str] = frozenset()
    insecure: frozenset[str] = frozenset()
    patience: Patience = Patience()

    def schemes(self, authority: str) -> tuple[str, ...]:
        """How to reach ``NAME[:PORT]``, the first choice first."""
        if _is_among(authority, self.plain_http):
            return ("http",)
        if _is_among(authority, self.insecure):
            return ("https", "http")
        if is_loopback(host_of(authority)):
            # An http server may wait for ever for the end of what was a TLS greeting.
            return ("http", "https")
        return ("https",)

    def verifies(self, authority: str) -> bool:
        """Whether https to ``NAME[:PORT]`` must show a valid certificate."""
        return not _is_among(authority, self.insecure)


DEFAULT_OPTIONS = RegistryOptions()
"""Https, and http to this very machine."""


def _is_among(authority: str, named: frozenset[str]) -> bool:
    host = host_of(authority)
    wanted = {authority.lower(), host, f"[{host}]"}
    return any(name.lower() in wanted for name in named)
