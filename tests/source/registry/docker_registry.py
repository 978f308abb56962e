"""Debian's ``docker-registry`` on loopback, filled by skopeo: real tools among each other."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .asking import PASSWORD, USER

FIXTURES = Path(__file__).parents[3] / "fixtures"

_HASHED = "$2b$05$abcdefghijklmnopqrstuuKqhJSfTIYV1SkiVqP0GjQATd/vnrS1a"
"""PASSWORD as htpasswd -B writes it."""

needs_docker_registry = pytest.mark.skipif(
    not (shutil.which("docker-registry") and shutil.which("skopeo")),
    reason="needs docker-registry and skopeo",
)


@dataclass(frozen=True, slots=True)
class DockerRegistry:
    """A running registry. ``host``: what references start with; ``root``: where it stores."""

    host: str
    root: Path
    login: tuple[str, ...]

    def push(self, archive: str, name: str, *options: str) -> None:
        """Copy ``FORMAT:FIXTURE`` to ``repository:tag``, every platform of it."""
        form, _, fixture = archive.partition(":")
        self.skopeo(
            "copy",
            "--quiet",
            "--all",
            "--dest-tls-verify=false",
            *options,
            *(f"--dest-{word}" for word in self.login),
            f"{form}:{FIXTURES / fixture}",
            f"docker://{self.host}/{name}",
        )

    def blob_path(self, digest: str) -> Path:
        """Where it stores a blob."""
        algorithm, _, digits = digest.partition(":")
        return self.root / f"docker/registry/v2/blobs/{algorithm}/{digits[:2]}/{digits}/data"

    def skopeo(self, *words: str) -> bytes:
        """What skopeo writes."""
        ran = subprocess.run(
            ["skopeo", "--insecure-policy", *words], capture_output=True, check=False
        )
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout


@contextlib.contextmanager
def docker_registry(directory: Path, *, passwords: bool = False) -> Iterator[DockerRegistry]:
    """A registry on a free port for as long as the block runs; with ``passwords`` it lets in
    USER with PASSWORD alone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    host = f"127.0.0.1:{port}"
    root = directory / "registry"
    auth = ""
    if passwords:
        users = directory / "htpasswd"
        users.write_text(f"{USER}:{_HASHED}\n")
        auth = f"auth: {{htpasswd: {{realm: test, path: {users}}}}}\n"
    config = directory / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {root}}}}}\n"
        f"http: {{addr: '{host}'}}\n{auth}"
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)], stdout=log, stderr=log
        )
    try:
        _wait(port, process)
        login = (f"creds={USER}:{PASSWORD}",) if passwords else ()
        yield DockerRegistry(host, root, login)
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/v2/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError("docker-registry did not start")
