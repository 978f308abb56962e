"""A plain client for tests of the test registry, and the little they all serve.

It is no helper for tests of layerlens: those ask with layerlens itself.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass

from image_builder import BuiltImage, Json, digest_of, file, image, layer
from registry_content import RegistryContent
from registry_server import RegistryServer

NAME = "team/app"
DATA = bytes(range(200)) * 5
BLOB = f"/v2/{NAME}/blobs/{digest_of(DATA)}"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as http.client read it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Json:
        """The body as JSON."""
        document: Json = json.loads(self.body)
        return document


def ask(
    registry: RegistryServer,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Got:
    """One request over a connection of its own."""
    with Client(registry) as client:
        return client.ask(target, method=method, headers=headers, body=body)


class Client:
    """One connection."""

    def __init__(self, registry: RegistryServer, *, timeout: float = 10) -> None:
        self._connection = http.client.HTTPConnection(registry.host, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Got:
        """One request."""
        self._connection.request(method, target, body=body, headers=dict(headers or {}))
        with self._connection.getresponse() as answer:
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, fields, answer.read())


def basic(user: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def app() -> BuiltImage:
    """An image of two layers."""
    return image(
        layer(file("/a", b"x" * 5000), created_by="COPY a /"),
        layer(file("/b", b"y"), created_by="COPY b /"),
    )


def content_of(*names: str) -> RegistryContent:
    """Empty repositories by name, or one with DATA as a blob."""
    content = RegistryContent()
    for name in names:
        content.repository(name)
    if not names:
        content.add_blob(NAME, DATA)
    return content
