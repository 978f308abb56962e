"""Redirects, waits and retries, TLS, proxies: what happens between a request and its answer."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from registry_certificate import make_certificate, needs_openssl
from registry_faults import (
    FOREVER,
    AtDate,
    Busy,
    Delayed,
    Failure,
    InSeconds,
    RateLimit,
    Redirect,
    RedirectChain,
    RetryAfter,
    SaysNothingOfHttp,
    SetHeader,
    Slow,
)
from registry_rules import Fault, Rule
from registry_server import serve

from layerlens.errors import LayerlensError, RegistryError, RegistryUnavailable
from layerlens.layer_jobs import LoadSettings
from layerlens.source.registry.client import RateLimit as SeenRateLimit
from layerlens.source.registry.clients import client_for, forget_clients
from layerlens.source.registry.registry_options import Patience, RegistryOptions
from layerlens.source.registry.transport import Request, Transport

from .asking import OPTIONS, REPOSITORY, client, held, served_image

SMALL = ["0 A /a", "1 A /b"]
MANIFEST = "*/manifests/*"
BLOBS = "*/blobs/*"


def _refusal(*faults: Fault, path: str = MANIFEST) -> str:
    rules = tuple(Rule(fault=fault, path=path) for fault in faults)
    with serve(served_image(), rules=rules) as registry:
        with pytest.raises(LayerlensError) as raised:
            held(registry)
        line = str(raised.value)
        assert isinstance(raised.value, RegistryError), line
        assert registry.host in line
        assert "\n" not in line
        return line


# ---- redirects ----


@pytest.mark.parametrize("hops", [1, 5])
def test_redirects_are_followed(hops: int) -> None:
    with serve(served_image(), rules=(Rule(fault=RedirectChain(hops), path=BLOBS),)) as registry:
        assert held(registry) == SMALL


def test_no_more_than_five_times() -> None:
    assert "more than 5 times" in _refusal(RedirectChain(6))
    assert "more than 5 times" in _refusal(Redirect(location="{origin}{target}"))


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://192.0.2.1/blob?signature=hush", "needs --plain-http 192.0.2.1"),
        ("ftp://192.0.2.1/blob", "scheme 'ftp'"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("http://[::1/", "malformed URL"),
        ("http://127.0.0.1:99999/", "malformed URL"),
    ],
)
def test_redirects_that_are_not_followed(location: str, said: str) -> None:
    rule = Rule(fault=Redirect(location=location), path=BLOBS)
    with serve(served_image(), rules=(rule,)) as registry:
        with pytest.raises(RegistryError) as raised:
            held(registry)
        assert said in str(raised.value)
        assert "hush" not in str(raised.value)


@needs_openssl
def test_no_redirect_leads_from_https_to_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))
    content = served_image()
    with serve(content) as storage:
        rule = Rule(fault=Redirect(location=f"{storage.url}{{target}}"), path=BLOBS)
        with serve(content, certificate=certificate, rules=(rule,)) as registry:
            with pytest.raises(RegistryError, match="redirects from https to http://"):
                held(registry)
            assert storage.log.count() == 0


# ---- waiting ----


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("retry_after", [None, InSeconds(1), AtDate(1), "soon", InSeconds(0)])
def test_busy_registries_are_asked_again(status: int, retry_after: RetryAfter) -> None:
    busy = Rule(fault=Busy(status=status, retry_after=retry_after), times=3, path="/v2/team/*")
    with serve(served_image(), rules=(busy,)) as registry:
        assert held(registry) == SMALL


def test_what_is_asked_for_is_waited_for() -> None:
    patient = RegistryOptions(patience=Patience(first_wait=0.01))
    busy = Rule(fault=Busy(retry_after=InSeconds(1)), times=1, path=MANIFEST)
    with serve(served_image(), rules=(busy,)) as registry:
        started = time.monotonic()
        client(registry, patient).manifest(REPOSITORY, "1")
        assert 1 <= time.monotonic() - started < 8


def test_giving_up_says_how_long_was_waited() -> None:
    line = _refusal(Busy(retry_after=InSeconds(3600)))
    assert "429 Too Many Requests" in line
    waited = re.search(r"gave up after (\d+) attempts and ([\d.]+) s of waiting", line)
    assert waited is not None, line
    assert int(waited[1]) > 2
    assert 0.1 < float(waited[2]) <= 1
    assert "asks for 3600 s more" in line


def test_a_wait_may_not_be_longer_than_all_together() -> None:
    patience = Patience(longest_wait=60, all_waits=30)
    busy = Rule(fault=Busy(retry_after=InSeconds(45)), path=MANIFEST)
    with serve(served_image(), rules=(busy,)) as registry:
        started = time.monotonic()
        with pytest.raises(RegistryUnavailable, match="asks for 45 s more"):
            client(registry, RegistryOptions(patience=patience)).manifest(REPOSITORY, "1")
        assert time.monotonic() - started < 5


def test_a_broken_gateway_is_given_a_second_chance_and_an_error_is_not() -> None:
    for fault, asked in ((Failure(502), 3), (Failure(500), 1)):
        with serve(served_image(), rules=(Rule(fault=fault, path=MANIFEST),)) as registry:
            with pytest.raises(RegistryError, match=f"{fault.status}"):
                held(registry)
            assert registry.log.count(path=MANIFEST) == asked


def test_a_registry_that_hangs_once() -> None:
    rule = Rule(fault=Delayed(FOREVER), path=MANIFEST, times=1)
    with serve(served_image(), rules=(rule,)) as registry:
        assert held(registry) == SMALL


def test_a_registry_that_hangs() -> None:
    started = time.monotonic()
    assert "timed out" in _refusal(Delayed(FOREVER))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("status", [200, 403])
def test_a_document_that_trickles(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlens.source.registry.answer.DOCUMENT_SECONDS", 0.3)
    trickle = Rule(fault=Slow(1, 0.05), path=MANIFEST)
    failure = [Rule(fault=Failure(status), path=MANIFEST)] if status != 200 else []
    started = time.monotonic()
    with serve(served_image(), rules=(*failure, trickle)) as registry:
        with pytest.raises(RegistryError) as raised:
            held(registry)
        assert time.monotonic() - started < 5
    expected = "broke off: not all of it had come" if status == 200 else "403 Forbidden"
    assert expected in str(raised.value)


def test_what_is_no_http() -> None:
    _refusal(SaysNothingOfHttp(b"SSH-2.0-OpenSSH_9.6\r\n"))
    _refusal(SaysNothingOfHttp(b""))


def test_an_error_s_message_is_one_printable_line() -> None:
    line = _refusal(Failure(400, code="EVIL", message="a\nb\x1b[31m" + "x" * 9999))
    assert "EVIL" in line
    assert line.isprintable()
    assert len(line) < 500


def test_the_rate_limit_is_kept() -> None:
    with serve(served_image(), rules=(Rule(fault=RateLimit(limit=100), path=MANIFEST),)) as served:
        asked = client(served)
        assert asked.rate_limit is None
        asked.manifest(REPOSITORY, "1")
        assert asked.rate_limit == SeenRateLimit(remaining=99, window_seconds=21600)


# ---- TLS and proxies ----


@needs_openssl
def test_certificates_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    certificate = make_certificate(tmp_path)
    with serve(served_image(), certificate=certificate) as registry:
        refused = f"certificate verify failed.*; SSL_CERT_FILE .*--insecure {registry.host} "
        with pytest.raises(RegistryUnavailable, match=refused):
            held(registry)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            with monkeypatch.context() as patched:
                patched.setenv(name, str(certificate.certificate))
                forget_clients()
                assert held(registry) == SMALL
        forget_clients()
        insecure = RegistryOptions(insecure=frozenset({registry.host}), patience=OPTIONS.patience)
        assert held(registry, settings=LoadSettings(registries=insecure)) == SMALL
        forget_clients()
        other = RegistryOptions(insecure=frozenset({"example.com"}), patience=OPTIONS.patience)
        with pytest.raises(RegistryUnavailable, match="certificate verify failed"):
            held(registry, settings=LoadSettings(registries=other))


def test_a_registry_that_speaks_no_tls_is_told_from_one_that_is_not_there() -> None:
    with serve(served_image()) as registry:
        transport = Transport(OPTIONS)
        with pytest.raises(RegistryUnavailable, match=f"; if .* --plain-http {registry.host}$"):
            transport.send_once(Request(url=f"https://{registry.host}/v2/"))
        transport.close()


@needs_openssl
def test_a_directory_of_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    certificate = make_certificate(tmp_path)
    directory = tmp_path / "certs"
    directory.mkdir()
    hashed = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(certificate.certificate)],
        capture_output=True,
        check=True,
    )
    name = f"{hashed.stdout.decode().strip()}.0"
    (directory / name).write_bytes(certificate.certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", f"{directory}:/elsewhere")
    with serve(served_image(), certificate=certificate) as registry:
        assert held(registry) == SMALL
        monkeypatch.setenv("SSL_CERT_DIR", "/elsewhere")
        forget_clients()
        with pytest.raises(RegistryUnavailable, match="certificate verify failed"):
            held(registry)


@needs_openssl
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificate_authorities_that_are_not_there(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "/nowhere.pem")
    with serve(served_image(), certificate=make_certificate(tmp_path)) as registry:
        with pytest.raises(RegistryError, match=f"{name} names /nowhere.pem, which is not there"):
            held(registry)
        rubbish = tmp_path / "rubbish.pem"
        rubbish.write_text("no certificate")
        monkeypatch.setenv(name, str(rubbish))
        with pytest.raises(RegistryUnavailable) as raised:
            held(registry)
        assert "rror" not in str(raised.value), "a reason, no name of an exception"
    with serve(served_image()) as plain:
        assert held(plain) == SMALL


def test_insecure_takes_http_where_there_is_no_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(served_image()) as registry:
        insecure = RegistryOptions(insecure=frozenset({"127.0.0.1"}), patience=OPTIONS.patience)
        assert held(registry, settings=LoadSettings(registries=insecure)) == SMALL


def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serve(served_image()) as registry:
        assert held(registry) == SMALL


def test_a_proxy_is_asked_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(served_image()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        plain = RegistryOptions(
            plain_http=frozenset({"registry.invalid"}), patience=OPTIONS.patience
        )
        manifest = client_for("registry.invalid", plain).manifest(REPOSITORY, "1")
        assert str(manifest.digest) == proxy.content.repositories[REPOSITORY].tags["1"]
        (asked,) = proxy.log.requests
        assert asked.target.startswith("http://registry.invalid/v2/")


def test_a_proxy_s_password_is_for_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = RegistryOptions(plain_http=frozenset({"registry.invalid"}), patience=OPTIONS.patience)
    with serve(served_image()) as proxy, serve(served_image()) as direct:
        monkeypatch.setenv("http_proxy", f"http://bob:hunter2@{proxy.host}")
        monkeypatch.setenv("no_proxy", "other.invalid")
        client_for("registry.invalid", plain).manifest(REPOSITORY, "1")
        (asked,) = proxy.log.requests
        assert asked.headers["proxy-authorization"] == "Basic Ym9iOmh1bnRlcjI="
        client(direct).manifest(REPOSITORY, "1")
        assert all("proxy-authorization" not in each.headers for each in direct.log.requests)


def test_a_proxy_that_is_not_there(registry_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = RegistryOptions(plain_http=frozenset({"plain.invalid"}), patience=OPTIONS.patience)
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, f"http://bob:hunter2@127.0.0.1:{registry_port}")
    for host in ("plain.invalid", "secure.invalid"):
        with pytest.raises(
            RegistryUnavailable, match=r"the proxy .*: Connection refused"
        ) as raised:
            client_for(host, plain).manifest(REPOSITORY, "1")
        assert "hunter2" not in str(raised.value)


def test_a_proxy_that_gives_no_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(served_image()) as proxy:
        monkeypatch.setenv("https_proxy", f"http://bob:hunter2@{proxy.host}")
        with pytest.raises(RegistryUnavailable, match="it answers 501 Not Impl") as raised:
            client_for("secure.invalid", OPTIONS).manifest(REPOSITORY, "1")
        assert "hunter2" not in str(raised.value)


def test_unreachable(registry_port: int) -> None:
    with pytest.raises(RegistryUnavailable, match="Connection refused"):
        client_for(f"127.0.0.1:{registry_port}", OPTIONS).manifest(REPOSITORY, "1")


@pytest.fixture
def registry_port() -> int:
    """A port that nobody listens on any more."""
    with serve(served_image()) as registry:
        return registry.port


def test_connections_are_kept() -> None:
    with serve(served_image()) as registry:
        asked = client(registry)
        for _ in range(5):
            asked.manifest(REPOSITORY, "1")
        assert len({request.connection for request in registry.log.requests}) == 1


@pytest.mark.parametrize("value", ["-1", "x", "1e9"])
def test_a_length_that_is_nonsense(value: str) -> None:
    # The server keeps the connection open, and nothing tells where its answer ends.
    assert "broke off: timed out" in _refusal(SetHeader("Content-Length", value))
