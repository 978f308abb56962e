"""The clients of this process: one for a registry, so that tokens and connections are shared."""

from __future__ import annotations

import atexit
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
    with _lock:
        clients = list(_clients.values())
        _clients.clear()
    for client in clients:
        client.close()


def _start_anew_in_child() -> None:
    """The connections are the parent's, and the lock may be one that nobody will let go of."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_start_anew_in_child)
atexit.register(forget_clients)
