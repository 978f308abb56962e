import base64
import hashlib
import json

import pytest

from layerlens.errors import DigestMismatch, MalformedInput, SizeMismatch
from layerlens.oci.descriptor import Descriptor
from layerlens.oci.digest import sha256_digest
from layerlens.oci.json_fields import JsonValue, parse_object
from layerlens.oci.platform import Platform

from .messages import refusal

DATA = b"{}"
PLAIN: dict[str, JsonValue] = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": str(sha256_digest(DATA)),
    "size": 2,
}


def descriptor(**changes: JsonValue) -> Descriptor:
    return Descriptor.from_json(parse_object(json.dumps({**PLAIN, **changes}).encode(), "doc"))


def test_a_plain_descriptor() -> None:
    assert descriptor() == Descriptor(
        media_type="application/vnd.oci.empty.v1+json",
        digest=sha256_digest(DATA),
        size=2,
        annotations={},
    )


def test_everything_a_descriptor_can_say() -> None:
    full = descriptor(
        platform={"os": "linux", "architecture": "arm", "variant": "v6"},
        annotations={"org.opencontainers.image.ref.name": "1.0"},
        artifactType="application/x",
        data=base64.b64encode(DATA).decode(),
        urls=["https://example.com/never-fetched"],
        unknown=[1],
    )
    assert full.platform == Platform(os="linux", architecture="arm", variant="v6")
    assert full.annotations == {"org.opencontainers.image.ref.name": "1.0"}
    assert full.artifact_type == "application/x"
    assert full.data == DATA


def test_a_platform_never_set_is_none() -> None:
    assert descriptor(platform={}).platform is None
    assert descriptor(platform=None).platform is None


def test_embedded_data_of_sha512() -> None:
    digest = "sha512:" + hashlib.sha512(DATA).hexdigest()
    assert descriptor(digest=digest, data="e30=").data == DATA
    with refusal(DigestMismatch, "doc: data:"):
        descriptor(digest="sha512:" + "0" * 128, data="e30=")


def test_empty_data_is_data() -> None:
    assert descriptor(digest=str(sha256_digest(b"")), size=0, data="").data == b""


@pytest.mark.parametrize("data", ["e30", "e30=\n", "e3 0=", "e30=e30=", "=", "\u00e9", "[]"])
def test_data_must_be_base64(data: str) -> None:
    with refusal(MalformedInput, "doc: data: not base64"):
        descriptor(data=data)


def test_data_must_be_of_the_size_before_it_is_hashed() -> None:
    with refusal(SizeMismatch, "doc: data: 3 bytes, but the size says 2"):
        descriptor(data=base64.b64encode(b"{ }").decode())


def test_data_must_hash_to_the_digest() -> None:
    with refusal(DigestMismatch, "doc: data:", str(PLAIN["digest"])):
        descriptor(data=base64.b64encode(b"[]").decode())


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("size", -1, "a negative size, -1"),
        ("size", None, "missing"),
        ("size", 2.0, "expected an integer"),
        ("size", True, "expected an integer"),
        ("size", 2**63, "64 bits"),
        ("digest", "sha256:" + "A" * 64, "is not a digest"),
        ("digest", None, "missing"),
        ("mediaType", None, "missing"),
        ("annotations", {"a": 1}, "expected a string"),
        ("platform", "linux/amd64", "expected an object"),
    ],
)
def test_a_field_that_is_wrong(field: str, value: JsonValue, problem: str) -> None:
    with refusal(MalformedInput, f"doc: {field}", problem):
        descriptor(**{field: value})
