"""Commands on images in registries: every one of them takes a reference."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_builder import file, image, layer
from registry_access import BasicAccess
from registry_certificate import make_certificate, needs_openssl
from registry_content import RegistryContent
from registry_faults import FOREVER, CutOff, Delayed
from registry_messages import Ending
from registry_rules import Fault, Rule
from registry_server import RegistryServer, serve
from source.registry.asking import PASSWORD, USER, isolated, log_in, small_image
from source.registry.docker_registry import docker_registry, needs_docker_registry

from layerlens.source.registry.clients import forget_clients

from .golden import ROOT
from .running import Run, runner


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = isolated(tmp_path / "home", monkeypatch)
    forget_clients()
    yield directory
    forget_clients()


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    home: Path,
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """team/app: 1, 2 with a layer more, and multi with two platforms."""
    content = RegistryContent()
    content.add_image("team/app", small_image(), "1")
    content.add_image("team/app", image(*small_image().layers, layer(file("/c", b"gamma"))), "2")
    platforms = ("linux/amd64", "linux/arm64")
    images = [image(layer(file(f"/{name}", b"x")), platform=name) for name in platforms]
    content.add_index("team/app", images, "multi")
    with serve(content) as served:
        yield served


@pytest.mark.parametrize("prefix", ["docker://", ""])
def test_every_command_takes_a_reference(prefix: str, run: Run, registry: RegistryServer) -> None:
    name = f"{prefix}{registry.host}/team/app"
    document = json.loads(run("inspect", "--json", f"{name}:1").text())
    digest = registry.content.repositories["team/app"].tags["1"]
    assert document["manifest_digest"] == digest
    assert run("ls", f"{name}:1", "--name-only").text() == "a\nb\n"
    assert run("cat", f"{name}:1", "/b").out == b"beta"
    assert run("cat", f"{name}@{digest}", "/a").out == b"alpha" * 1000
    assert run("diff", f"{name}:1", f"{name}:2", "--name-status").text() == "A\t/c\n"
    assert run("diff", f"{name}:2", "--layer", "-1", "--name-only").text() == "/c\n"


def test_layers_are_downloaded_once_for_all_commands(run: Run, registry: RegistryServer) -> None:
    first, second = (f"docker://{registry.host}/team/app:{tag}" for tag in "12")
    run("diff", first, second, "--quiet")
    assert registry.log.count(path="*/blobs/*") == 2 + 3  # two configs, and three layers
    registry.log.clear()
    run("diff", first, second, "--quiet")
    assert registry.log.count(path="*/blobs/*") == 2
    registry.log.clear()
    assert run("cat", second, "/c").out == b"gamma"
    assert registry.log.count(path="*/blobs/*") == 2


@pytest.mark.parametrize("home_directory", [True, False])
def test_layers_that_two_images_share_are_read_once_even_if_nothing_is_kept(
    home_directory: bool, run: Run, registry: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--no-cache"]
    if not home_directory:
        words = []
        monkeypatch.setattr("layerlens.cli.image_options._cache", lambda: None)
    first, second = (f"docker://{registry.host}/team/app:{tag}" for tag in "12")
    assert run("diff", first, second, "--name-status", *words).text() == "A\t/c\n"
    assert registry.log.count(path="*/blobs/*") == 2 + 3  # two configs, and three layers


def test_platforms(run: Run, registry: RegistryServer) -> None:
    name = f"{registry.host}/team/app:multi"
    shown = run("ls", "-R", name, "--platform", "linux/arm64").text()
    assert "linux/arm64" in shown
    assert "amd64" not in shown
    ran = run("ls", name, "--platform", "linux/s390x")
    assert ran.status == 2
    assert ran.err == (
        f"layerlens: error: {name}: has no image for linux/s390x; "
        "there are: linux/amd64, linux/arm64\n"
    )


def test_a_bare_name_that_leads_nowhere_says_both(run: Run, registry: RegistryServer) -> None:
    name = f"{registry.host}/team/app:none"
    ran = run("inspect", name)
    assert ran.status == 2
    assert ran.err.startswith(f"layerlens: error: {name}: no such file or directory; ")
    assert "is not there: MANIFEST_UNKNOWN" in ran.err
    assert ran.err.count("\n") == 1
    ran = run("inspect", f"docker://{name}")
    assert "no such file" not in ran.err


def test_a_bare_name_of_a_registry_that_is_not_there(run: Run, registry: RegistryServer) -> None:
    with serve(RegistryContent()) as gone:
        name = f"{gone.host}/app:1"
    ran = run("inspect", name)
    assert ran.status == 2
    assert f"{name}: no such file or directory; http://{gone.host}: can't be reached" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("name", ["Web:1", "docker://Web:1", "a b", "registry.example/x:"])
def test_what_is_no_reference(name: str, run: Run) -> None:
    ran = run("inspect", name)
    assert ran.status == 2
    assert "is not an image reference" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("prefix", ["docker://", ""])
def test_a_password_in_a_reference_is_not_repeated(prefix: str, run: Run) -> None:
    ran = run("inspect", f"{prefix}mole:s3cret@registry.example/app:1")
    assert ran.status == 2
    assert "s3cret" not in ran.err
    assert "skopeo login" in ran.err


def test_a_file_of_that_name_comes_first(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python:3.12-slim").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert "python:3.12-slim: is empty" in run("inspect", "python:3.12-slim").err


def test_plain_http_is_for_hosts_by_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    content = RegistryContent()
    content.add_image("app", small_image(), "1")
    with serve(content) as proxy:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        hosts = ("--plain-http", "one.invalid", "--plain-http", "two")
        shown = run("ls", "docker://one.invalid/app:1", "--name-only", *hosts).text()
        assert shown == "a\nb\n"
        assert run("ls", "docker://one.invalid/app:1", "--plain-http", "two").status == 2


@needs_openssl
def test_insecure_is_for_hosts_by_name(run: Run, tmp_path: Path) -> None:
    content = RegistryContent()
    content.add_image("app", small_image(), "1")
    with serve(content, certificate=make_certificate(tmp_path)) as registry:
        words = ("ls", f"docker://{registry.host}/app:1", "--name-only", "--insecure")
        ran = run(*words, "localhost")
        assert ran.status == 2
        assert "certificate verify failed" in ran.err
        ran = run(*words, registry.host)
        assert ran.text() == "a\nb\n"
        assert ran.err == ""


@pytest.mark.parametrize("fault", [Delayed(FOREVER), CutOff(10, Ending.SILENCE)])
def test_an_interrupt_is_not_held_up_by_a_registry_that_hangs(fault: Fault, home: Path) -> None:
    content = RegistryContent()
    content.add_image("app", small_image(), "1")
    layers = [digest for digest, data in content.repositories["app"].blobs.items() if data[0] == 31]
    rules = [Rule(fault=fault, path=f"*/blobs/{digest}") for digest in layers]
    with serve(content, rules=tuple(rules)) as registry:
        words = ["ls", "--no-cache", f"docker://{registry.host}/app:1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "layerlens", *words], stdout=subprocess.PIPE, cwd=ROOT
        )
        until = time.monotonic() + 20
        while registry.log.count(path="*/blobs/*") < 3 and time.monotonic() < until:
            time.sleep(0.02)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=60)
    assert (process.returncode, shown) == (130, b"")
    assert time.monotonic() - started < 10  # a silent registry is waited for longer


def test_nothing_secret_is_shown_or_kept(run: Run, home: Path, tmp_path: Path) -> None:
    content = RegistryContent()
    content.add_image("app", small_image(), "1")
    with serve(content, access=BasicAccess(users={USER: PASSWORD})) as registry:
        log_in(home, registry)
        shown = run("--debug", "inspect", f"{registry.host}/app:1")
        failed = run("--debug", "inspect", f"{registry.host}/app:none")
    assert failed.status == 2
    kept = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    written = [shown.out, shown.err.encode(), failed.err.encode(), *kept]
    for secret in (PASSWORD.encode(), b"bW9sZTpzM2NyZXQ6cGFzcw"):
        assert not any(secret in text for text in written)


@needs_docker_registry
def test_a_registry_of_debian(run: Run, tmp_path: Path) -> None:
    with docker_registry(tmp_path) as served:
        served.push("oci-archive:tour-oci.tar", "team/tour:1")
        name = f"docker://{served.host}/team/tour:1"
        assert run("cat", name, "/etc/hostname").out == b"tour\n"
        assert run("diff", name, "fixtures/tour-zstd.tar", "--exit-code").status == 0
