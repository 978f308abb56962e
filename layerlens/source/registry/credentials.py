"""Who to be at a registry, as docker and podman keep it: auth files, and helpers they name.

containers-auth.json(5), and docker's ``config.json``. Nothing is written, and no file's or
helper's content gets into an error.
"""

from __future__ import annotations

import binascii
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from layerlens.errors import AccessDenied
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.oci.reference import DOCKER_HUB
from layerlens.source.registry.credential_helper import ask_helper

HUB_KEY = "https://index.docker.io/v1/"

_HUB_HOSTS = frozenset({DOCKER_HUB, f"index.{DOCKER_HUB}", f"registry-1.{DOCKER_HUB}"})
_FILE_LIMIT = 4 << 20
_TOKEN_USER = "<token>"  # noqa: S105 - stands for the name of a user who has an identity token


@dataclass(frozen=True, slots=True)
class UserPassword:
    """A name and a password, or what stands for one."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A refresh token that an authorization server gave at login."""

    token: str = field(repr=False)


Credentials = UserPassword | IdentityToken


def auth_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where credentials may be kept, in the order in which they are looked at."""
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}"
    in_runtime = "containers/auth.json" if environment.get("XDG_RUNTIME_DIR") else "auth.json"
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    named = environment.get("REGISTRY_AUTH_FILE")
    return (
        *((Path(named),) if named else ()),
        Path(runtime) / in_runtime,
        config / "containers/auth.json",
        docker / "config.json",
    )


class CredentialStore:
    """The credentials of one process; files are read, and helpers asked, once."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """``environment``: by default that of the process."""
        self._environment = os.environ if environment is None else environment
        self._lock = threading.Lock()
        self._files: tuple[JsonObject, ...] | None = None
        self._helped: dict[tuple[str, str], Credentials | None] = {}

    def find(self, registry: str, repository: str) -> Credentials | None:
        """Those of the first file that has any: of the longest path, then of the host.

        ``repository``: empty for the registry as a whole. Raises AccessDenied where a file can't
        be read or a helper fails.
        """
        with self._lock:
            for file in self._opened():
                found = self._in_file(file, registry, repository)
                if found is not None:
                    return found
        return None

    def _opened(self) -> Sequence[JsonObject]:
        if self._files is None:
            files = (_parsed(path) for path in auth_files(self._environment))
            self._files = tuple(file for file in files if file is not None)
        return self._files

    def _in_file(self, file: JsonObject, registry: str, repository: str) -> Credentials | None:
        helpers = file.string_map("credHelpers")
        for host in _hosts(registry):
            if helper := helpers.get(host):
                return self._helped_by(helper, registry)
        auths = file.optional_object("auths")
        if auths is not None:
            by_place = {_place(name): name for name in reversed(auths.names())}
            for place in _places(registry, repository):
                name = by_place.get(place)
                entry = auths.optional_object(name) if name is not None else None
                found = _in_entry(entry) if entry is not None else None
                if found is not None:
                    return found
        helper = file.optional_string("credsStore")
        return self._helped_by(helper, registry) if helper else None

    def _helped_by(self, helper: str, registry: str) -> Credentials | None:
        server = HUB_KEY if registry in _HUB_HOSTS else registry
        key = (helper, server)
        if key not in self._helped:
            answer = ask_helper(helper, server, self._environment)
            self._helped[key] = None if answer is None else _of_user(*answer)
        return self._helped[key]


def _parsed(path: Path) -> JsonObject | None:
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AccessDenied(f"{path}: can't be read for credentials: {error.strerror}") from None
    return parse_object(data, str(path)) if data.strip() else None


def _in_entry(entry: JsonObject) -> Credentials | None:
    if token := entry.optional_string("identitytoken"):
        return IdentityToken(token)
    encoded = entry.optional_string("auth")
    if encoded:
        try:
            text = binascii.a2b_base64(encoded.encode()).decode()
        except ValueError:
            raise AccessDenied(f"{entry.where}.auth: is not base64 of user:password") from None
        user, colon, password = text.partition(":")
        if not colon:
            raise AccessDenied(f"{entry.where}.auth: is not base64 of user:password")
        return _of_user(user, password.rstrip("\0"))
    user_name, plain = entry.optional_string("username"), entry.optional_string("password")
    return _of_user(user_name, plain) if user_name and plain else None


def _of_user(user: str, password: str) -> Credentials:
    return IdentityToken(password) if user == _TOKEN_USER else UserPassword(user, password)


def _hosts(registry: str) -> tuple[str, ...]:
    if registry in _HUB_HOSTS:
        return (HUB_KEY, DOCKER_HUB, f"index.{DOCKER_HUB}", f"registry-1.{DOCKER_HUB}")
    return (registry,)


def _places(registry: str, repository: str) -> list[str]:
    """What an entry may be called, the longest first."""
    parts = repository.split("/") if repository else []
    paths = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    hosts = list(dict.fromkeys(_place(host) for host in _hosts(registry)))
    return [f"{host}/{path}" for path in paths for host in hosts] + hosts


def _place(name: str) -> str:
    """An entry's name without what docker once wrote around the host: ``https://``, ``/v1/``."""
    _, scheme, rest = name.rpartition("://")
    if not scheme:
        return name.rstrip("/")
    host, _, path = rest.partition("/")
    return host if path.strip("/") in {"", "v1", "v2"} else f"{host}/{path.rstrip('/')}"
