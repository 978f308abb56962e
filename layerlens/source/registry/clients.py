"""The clients of this process: one for a registry, so that tokens and connections are shared."""

from __future__ import annotations

import os
import threading

from layerlens.source.registry.client import RegistryClient
from layerlens.source.registry.registry_options import RegistryOptions

_lock = threading.Lock()
_clients: dict[tuple[str, RegistryOptions], RegistryClient] = {}


def client_for(registry: str, options: RegistryOptions) -> RegistryClient:
    """The client of a registry, as references name it."""
    with _lock:
        return _clients.setdefault((registry, options), RegistryClient(registry, options))


def forget_clients() -> None:
    """Start anew: with credentials, tokens and connections not yet known."""
    global _lock  # noqa: PLW0603 - a child process may have inherited it locked
    _lock = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=forget_clients)
