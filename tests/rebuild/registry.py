"""A registry on this machine: what a push to it sends is what a push sends."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerlens.oci.json_fields import JsonObject, parse_object

from .tools import Failed, run

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: "{host}"}}
log: {{level: error}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """``host``: address and port, reached by http."""

    host: str

    def reference(self, name: str, tag: str) -> str:
        """What an image of that name is called here."""
        return f"{self.host}/{name}:{tag}"

    def push(self, image: str, name: str, tag: str) -> None:
        """Send an image; layers that are here already are not compressed again."""
        target = f"docker://{self.reference(name, tag)}"
        run("buildah", "push", "--quiet", "--tls-verify=false", "--format", "oci", image, target)

    def manifest(self, name: str, tag: str) -> JsonObject:
        """The manifest of an image."""
        return self._document(f"{name}/manifests/{tag}")

    def blob(self, name: str, digest: str) -> JsonObject:
        """A blob that is a document."""
        return self._document(f"{name}/blobs/{digest}")

    def _document(self, path: str) -> JsonObject:
        request = urllib.request.Request(
            f"http://{self.host}/v2/{path}", headers={"Accept": _MANIFEST}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return parse_object(response.read(), path)


@contextlib.contextmanager
def serving(work: Path) -> Iterator[Registry]:
    """A registry that keeps its blobs below ``work``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    host = f"127.0.0.1:{port}"
    config = work / "registry.yml"
    config.write_text(_CONFIG.format(root=work / "registry", host=host))
    with subprocess.Popen(
        ["docker-registry", "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://{host}/v2/", timeout=5).close()
                    break
                time.sleep(0.1)
            else:
                raise Failed("docker-registry does not answer")
            yield Registry(host=host)
        finally:
            process.terminate()
