"""How tests ask the test registry: impatiently, and as nobody unless they log in."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from image_builder import BuiltImage, digest_of, file, image, layer
from registry_content import RegistryContent
from registry_server import RegistryServer

from layerlens.image import open_image
from layerlens.layer_jobs import LoadSettings
from layerlens.oci.digest import Digest
from layerlens.opening import Access
from layerlens.source.registry.client import RegistryClient
from layerlens.source.registry.clients import client_for
from layerlens.source.registry.registry_options import Patience, RegistryOptions

REPOSITORY = "team/app"
USER, PASSWORD = "mole", "s3cret:pass"

OPTIONS = RegistryOptions(
    patience=Patience(connect=2, read=0.5, first_wait=0.01, longest_wait=0.05, all_waits=1)
)
"""Every wait is cut short: what is asked for in seconds is waited for in hundredths."""

_PLACES = ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def isolated(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and an environment that leads nowhere else."""
    home.mkdir()
    for name in (*_PLACES, *_PROXIES, *(proxy.upper() for proxy in _PROXIES)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    return home


def auth_entry(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """An entry under ``auths``."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write_docker_config(home: Path, document: Mapping[str, object]) -> None:
    """What ``docker login`` leaves behind."""
    path = home / ".docker" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))


def log_in(home: Path, registry: RegistryServer) -> None:
    """USER and PASSWORD for the registry."""
    write_docker_config(home, {"auths": {registry.host: auth_entry()}})


def client(registry: RegistryServer, options: RegistryOptions = OPTIONS) -> RegistryClient:
    """The client that commands would use; it knows nothing before its first request."""
    return client_for(registry.host, options)


def small_image() -> BuiltImage:
    """Two layers of a file each."""
    return image(layer(file("/a", b"alpha" * 1000)), layer(file("/b", b"beta")))


def served_image(*tags: str) -> RegistryContent:
    """REPOSITORY with the small image, by default as ``1``."""
    content = RegistryContent()
    content.add_image(REPOSITORY, small_image(), *(tags or ("1",)))
    return content


def parsed_digest(data: bytes) -> Digest:
    """The digest of the bytes."""
    return Digest.parse(digest_of(data))


def held(
    registry: RegistryServer,
    name: str = f"{REPOSITORY}:1",
    *,
    platform: str | None = None,
    settings: LoadSettings | None = None,
) -> list[str]:
    """Every change of every layer as ``number letter path``, read to the last byte."""
    settings = settings or LoadSettings(registries=OPTIONS)
    reference = f"docker://{registry.host}/{name}"
    with open_image(reference, platform, access=Access.LISTING, settings=settings) as opened:
        return [
            f"{each.number} {change.kind.value} {change.path}"
            for each in opened.layers
            for change in each.changes
        ]
