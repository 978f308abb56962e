"""A certificate of its own for the test registry, made by openssl; it is its own authority."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from registry_server import Certificate

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="making a certificate needs openssl"
)


def make_certificate(directory: Path) -> Certificate:
    """A certificate for 127.0.0.1 and localhost; clients trust it as their CA bundle."""
    made = Certificate(directory / "registry.crt", directory / "registry.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return made
