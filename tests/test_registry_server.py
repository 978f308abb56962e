"""The test registry serves what it holds: to skopeo, where there is one, and to http.client."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from archive_forms import MANIFEST_TYPE, Layout
from image_builder import Json, digest_of, file, image, json_bytes, layer
from registry_access import TokenAccess, TokenPolicy, TokenService
from registry_answers import Pages
from registry_certificate import make_certificate, needs_openssl
from registry_client import BLOB, DATA, NAME, Client, Got, app, ask, content_of
from registry_content import (
    DOCKER_GZIP,
    OCI_PLAIN,
    SIGNED_SCHEMA_1_TYPE,
    ImageForm,
    RegistryContent,
)
from registry_faults import Answer, Corrupted, Delayed, Padded, Redirect
from registry_rules import Rule
from registry_server import serve

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")


# ---- manifests and blobs ----


def test_manifest_by_tag_and_digest() -> None:
    content = RegistryContent()
    digest = content.add_image(NAME, app(), "1")
    with serve(content) as registry:
        by_tag = ask(registry, f"/v2/{NAME}/manifests/1")
        by_digest = ask(registry, f"/v2/{NAME}/manifests/{digest}")
        head = ask(registry, f"/v2/{NAME}/manifests/1", method="HEAD")
        unknown = ask(registry, f"/v2/{NAME}/manifests/2")
    assert by_tag == by_digest
    assert digest_of(by_tag.body) == digest == by_tag.headers["docker-content-digest"]
    assert by_tag.headers["content-type"] == MANIFEST_TYPE
    assert head == Got(200, by_tag.headers, b"")
    assert unknown.status == 404
    assert b"MANIFEST_UNKNOWN" in unknown.body


def test_manifest_whose_type_is_not_accepted_is_not_found() -> None:
    content = RegistryContent()
    content.add_image(NAME, app(), "1")
    with serve(content) as registry:
        path = f"/v2/{NAME}/manifests/1"
        refused = ask(registry, path, headers={"Accept": "application/json"})
        given = ask(registry, path, headers={"Accept": f"text/html, {MANIFEST_TYPE}"})
    assert (refused.status, given.status) == (404, 200)


@pytest.mark.parametrize(
    ("asked", "status", "expected", "content_range"),
    [
        ("bytes=0-4", 206, DATA[:5], "bytes 0-4/1000"),
        ("bytes=990-", 206, DATA[990:], "bytes 990-999/1000"),
        ("bytes=990-5000", 206, DATA[990:], "bytes 990-999/1000"),
        ("bytes=-10", 206, DATA[-10:], "bytes 990-999/1000"),
        ("bytes=1000-", 416, b"", "bytes */1000"),
        ("bytes=0-1,5-6", 200, DATA, None),
        ("lines=0-1", 200, DATA, None),
    ],
)
def test_ranges_of_a_blob(
    asked: str, status: int, expected: bytes, content_range: str | None
) -> None:
    with serve(content_of()) as registry:
        got = ask(registry, BLOB, headers={"Range": asked})
    assert (got.status, got.body) == (status, expected)
    assert got.headers.get("content-range") == content_range


def test_blobs_belong_to_their_repository() -> None:
    content = content_of()
    content.repository("other")
    with serve(content) as registry:
        assert ask(registry, BLOB).body == DATA
        assert ask(registry, BLOB.replace(NAME, "other")).status == 404
        assert ask(registry, BLOB.replace(NAME, "nobody")).status == 404


def test_schema_1_and_layouts_can_be_served() -> None:
    content = RegistryContent()
    content.add_schema_1(NAME, app(), "old")
    layout = Layout()
    first = layout.add_image(app())
    index = layout.add_index(first)
    blobs = {
        "sha256:" + path.rpartition("/")[2]: data
        for path, data in layout.blobs.items()
        if isinstance(data, bytes)
    }
    digest = content.add_layout(NAME, blobs, index, "new")
    with serve(content) as registry:
        old = ask(registry, f"/v2/{NAME}/manifests/old")
        new = ask(registry, f"/v2/{NAME}/manifests/new")
        inner = ask(registry, f"/v2/{NAME}/manifests/{first['digest']}")
    assert old.headers["content-type"] == SIGNED_SCHEMA_1_TYPE
    assert new.headers["docker-content-digest"] == digest == index["digest"]
    assert digest_of(inner.body) == first["digest"]


def test_referrers_by_api_and_by_tag() -> None:
    content = RegistryContent()
    subject = content.add_image(NAME, app(), "1")
    other = content.add_image(NAME, image(layer(file("/c"))))
    fields: dict[str, Json] = {
        "subject": content.descriptor(NAME, subject),
        "artifactType": "application/vnd.example",
    }
    referrer = content.add_image(NAME, app(), overrides=fields)
    content.add_referrers_tag(NAME, subject)
    rule = Rule(fault=Answer(status=404), path="/v2/*/referrers/*", skip=2)
    with serve(content, rules=(rule,)) as registry:
        by_api = ask(registry, f"/v2/{NAME}/referrers/{subject}")
        nothing = ask(registry, f"/v2/{NAME}/referrers/{other}")
        gone = ask(registry, f"/v2/{NAME}/referrers/{subject}")
        by_tag = ask(registry, f"/v2/{NAME}/manifests/{subject.replace(':', '-')}")
    expected = {**content.descriptor(NAME, referrer), "artifactType": "application/vnd.example"}
    assert isinstance(by_api.document, dict)
    assert by_api.document["manifests"] == [expected]
    assert isinstance(nothing.document, dict)
    assert nothing.document["manifests"] == []
    assert gone.status == 404
    assert by_tag.document == by_api.document


# ---- connections and the log ----


def test_connections_are_kept_and_requests_recorded() -> None:
    with serve(content_of()) as registry:
        with Client(registry) as client:
            for _ in range(2):
                client.ask(BLOB, headers={"X-Mark": "here"})
        ask(registry, "/v2/?a=1")
        first, second, third = registry.log.requests
        assert first.connection == second.connection != third.connection
        assert (first.method, first.path, first.headers["x-mark"]) == ("GET", BLOB, "here")
        assert (third.path, third.query) == ("/v2/", {"a": ("1",)})
        assert registry.log.count(path="/v2/*/blobs/*") == 2
        assert registry.log.holding("here") == (first, second)
        registry.log.clear()
        assert registry.log.requests == ()


def test_nothing_follows_the_answer_to_head() -> None:
    # http.client would swallow a body here.
    rule = Rule(fault=Padded(10), method="HEAD")
    with serve(content_of(), rules=(rule,)) as registry:
        with socket.create_connection(("127.0.0.1", registry.port), timeout=10) as connection:
            lines = f"HEAD {BLOB} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            connection.sendall(lines.encode())
            with connection.makefile("rb") as answer:
                received = answer.read()
        got = ask(registry, BLOB, method="HEAD")
    assert received.endswith(b"\r\n\r\n")
    assert received.count(b"\r\n\r\n") == 1
    assert got.headers["content-length"] == "1010"


def test_requests_at_once_are_counted() -> None:
    with serve(content_of(), rules=(Rule(fault=Delayed(0.3)),)) as registry:
        threads = [threading.Thread(target=ask, args=(registry, BLOB)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert registry.log.most_at_once == 3


def test_a_mistake_of_the_server_is_raised() -> None:
    with (
        pytest.raises(IndexError),
        serve(content_of(), rules=(Rule(fault=Corrupted(5000)),)) as registry,
    ):
        ask(registry, BLOB)


@needs_openssl
def test_tls(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with serve(content_of(), certificate=certificate) as registry, serve(content_of()) as plain:
        registry.declare(Rule(fault=Redirect(location=plain.url + "{target}"), times=1))
        trusting = ssl.create_default_context(cafile=str(certificate.certificate))
        connection = http.client.HTTPSConnection(registry.host, context=trusting, timeout=10)
        for expected in (307, 200):
            connection.request("GET", BLOB)
            with connection.getresponse() as answer:
                answer.read()
                assert answer.status == expected
        connection.close()
        stranger = http.client.HTTPSConnection(registry.host, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.request("GET", BLOB)
        stranger.close()
        assert registry.log.count() == 2
        assert registry.url == f"https://{registry.host}"


# ---- skopeo agrees ----


def skopeo(*arguments: str) -> bytes:
    """What skopeo prints."""
    done = subprocess.run(["skopeo", *arguments], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@needs_skopeo
@pytest.mark.parametrize("form", [DOCKER_GZIP, OCI_PLAIN])
def test_skopeo_inspects_and_copies(tmp_path: Path, form: ImageForm) -> None:
    content = RegistryContent()
    digest = content.add_image(NAME, app(), "1", "2", form=form)
    auths = tmp_path / "auth.json"
    policy = TokenPolicy(users={"ann": "secret"}, grants={"ann": ("repository:*",)})
    service = TokenService(policy)
    with serve(content) as storage:
        rules = (Rule(fault=Redirect(location=storage.url + "{target}"), path="*/blobs/*"),)
        access = TokenAccess(service=service)
        with serve(content, access=access, rules=rules, pages=Pages(size=1)) as registry:
            auth = base64.b64encode(b"ann:secret").decode()
            auths.write_bytes(json_bytes({"auths": {registry.host: {"auth": auth}}}))
            name = f"docker://{registry.host}/{NAME}:1"
            options = ("--authfile", str(auths))
            found: Json = json.loads(skopeo("inspect", *options, "--tls-verify=false", name))
            target = f"dir:{tmp_path / 'copy'}"
            skopeo("copy", *options, "--src-tls-verify=false", name, target)
            assert registry.log.count("GET", "/token") >= 1
            assert registry.log.holding("registry-token-")
        assert storage.log.count() >= 3
        assert storage.log.authorized() == ()
    assert isinstance(found, dict)
    assert found["Digest"] == digest
    assert found["RepoTags"] == ["1", "2"]
    copied = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    assert digest_of(copied["manifest.json"]) == digest
    assert copied[app().config_hex] == app().config_bytes()


@needs_skopeo
def test_skopeo_chooses_from_an_index() -> None:
    content = RegistryContent()
    images = [app(), image(layer(file("/arm")), platform="linux/arm64")]
    content.add_index(NAME, images, "1", form=DOCKER_GZIP)
    with serve(content) as registry:
        name = f"docker://{registry.host}/{NAME}:1"
        options = ("--tls-verify=false", "--override-arch", "arm64")
        config: Json = json.loads(skopeo("inspect", "--config", *options, name))
    assert isinstance(config, dict)
    assert config["architecture"] == "arm64"
    assert config["rootfs"] == {"type": "layers", "diff_ids": [images[1].layers[0].diff_id]}
