"""A registry on loopback that is only fast: every answer is made before the first question.

    python tests/benchmarks/audit_registry.py [--repositories N] [--tags N] [--requests DIR]

Prints its host and port, and serves until stdin ends. Writes into DIR what a first and a second
crawl cannot do without, a method and a path on each line of ``first`` and ``second``. Images are
descriptors alone: no layer can be downloaded. Each has 11 layers: 5 of one of 400 bases, 4 of its
repository, 2 of its own; so 2,000 repositories of 5 tags make 10,000 images of 30,000 distinct
layers.
"""

import argparse
import asyncio
import hashlib
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BASES = 400
BASE_LAYERS = 5
REPOSITORY_LAYERS = 4
OWN_LAYERS = 2
PAGE = 1000

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


class MadeLayer(NamedTuple):
    """A layer that nobody can download."""

    digest: str
    diff_id: str
    size: int
    instruction: str


def digest_of(data: bytes) -> str:
    """The SHA-256 digest."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def make_layer(name: str) -> MadeLayer:
    """The layer that goes by a name; its size, too, follows from that."""
    blob = digest_of(name.encode())
    return MadeLayer(
        digest=blob,
        diff_id=digest_of(f"diff {name}".encode()),
        size=10_000 + int(blob[7:12], 16) * 50,
        instruction=f"RUN /bin/sh -c make {name} # buildkit",
    )


def layers_of(repository: int, tag: int) -> list[MadeLayer]:
    """The layers of an image, lowest first."""
    base = [make_layer(f"base {repository % BASES} {number}") for number in range(BASE_LAYERS)]
    shared = [make_layer(f"team {repository} {number}") for number in range(REPOSITORY_LAYERS)]
    own = [make_layer(f"image {repository} {tag} {number}") for number in range(OWN_LAYERS)]
    return [*base, *shared, *own]


class Answers:
    """Every answer by its path, whole as it goes over the wire."""

    def __init__(self, repositories: int, tags: int) -> None:
        self._get: dict[str, bytes] = {}
        self._head: dict[str, bytes] = {}
        self._add("/v2/", b"{}", "application/json")
        names = [f"team{number % 37}/app{number:06}" for number in range(repositories)]
        self._add_catalog(sorted(names))
        for number, name in enumerate(names):
            listed = json.dumps({"name": name, "tags": [f"v{tag}" for tag in range(tags)]})
            self._add(f"/v2/{name}/tags/list", listed.encode(), "application/json")
            for tag in range(tags):
                self._add_image(name, number, tag)

    def answer(self, method: bytes, path: str) -> bytes:
        """What is sent."""
        found = (self._head if method == b"HEAD" else self._get).get(path)
        return found or b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def write_requests(self, directory: Path) -> None:
        """Write what a first and a second crawl ask: lists, tags, and at first configs too."""
        lists = [f"GET {path}" for kind in ("/_catalog", "/tags/") for path in self._paths(kind)]
        tags = list(self._paths("/manifests/v"))
        configs = [f"GET {path}" for path in self._paths("/blobs/")]
        first = [*lists, *(f"GET {path}" for path in tags), *configs]
        second = [*lists, *(f"HEAD {path}" for path in tags)]
        for name, lines in (("first", first), ("second", second)):
            (directory / name).write_text("\n".join(lines))

    def _paths(self, kind: str) -> Iterator[str]:
        return (path for path in self._get if kind in path)

    def _add_catalog(self, names: list[str]) -> None:
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            link = f'</v2/_catalog?last={page[-1]}&n={PAGE}>; rel="next"'
            more = start + PAGE < len(names)
            before = f"?last={names[start - 1]}&n={PAGE}" if start else ""
            body = json.dumps({"repositories": page}).encode()
            self._add(
                f"/v2/_catalog{before}", body, "application/json", {"Link": link} if more else {}
            )

    def _add_image(self, name: str, repository: int, tag: int) -> None:
        layers = layers_of(repository, tag)
        config = json.dumps(
            {
                "created": f"2024-0{tag % 9 + 1}-01T00:00:00Z",
                "os": "linux",
                "architecture": "amd64",
                "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["/app"]},
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
                "history": [{"created_by": layer.instruction} for layer in layers],
            }
        ).encode()
        config_digest = digest_of(config)
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": _descriptor(CONFIG_TYPE, config_digest, len(config)),
                "layers": [_descriptor(LAYER_TYPE, each.digest, each.size) for each in layers],
            }
        ).encode()
        digest = digest_of(manifest)
        self._add(f"/v2/{name}/blobs/{config_digest}", config, "application/octet-stream")
        for reference in (f"v{tag}", digest):
            self._add(
                f"/v2/{name}/manifests/{reference}",
                manifest,
                MANIFEST_TYPE,
                {"Docker-Content-Digest": digest},
            )

    def _add(
        self, path: str, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        lines = [
            "HTTP/1.1 200 OK",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._head[path] = head
        self._get[path] = head + body


def _descriptor(kind: str, digest: str, size: int) -> dict[str, str | int]:
    return {"mediaType": kind, "digest": digest, "size": size}


class _Connection(asyncio.Protocol):
    """One connection; requests have no bodies, and come one after the other."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            method, path, _ = head.split(b" ", 2)
            self._transport.write(self._answers.answer(method, path.decode()))


async def serve(answers: Answers) -> None:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"{host}:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a registry that is only fast.")
    parser.add_argument("--repositories", type=int, default=2000)
    parser.add_argument("--tags", type=int, default=5)
    parser.add_argument("--requests", type=Path, metavar="DIR")
    options = parser.parse_args()
    answers = Answers(options.repositories, options.tags)
    if options.requests is not None:
        answers.write_requests(options.requests)
    asyncio.run(serve(answers))


if __name__ == "__main__":
    main()
