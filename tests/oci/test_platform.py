import os

import pytest

from layerlens.errors import MalformedInput, UsageError
from layerlens.oci.json_fields import parse_object
from layerlens.oci.platform import Platform, host_platform

from .messages import refusal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("Linux/AMD64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/i386", "linux/386"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/s390x", "linux/s390x"),
        ("macos/arm64", "darwin/arm64"),
        ("windows(10.0.17763.6054)/amd64", "windows(10.0.17763.6054)/amd64"),
    ],
)
def test_a_platform_is_normalised(text: str, normal: str) -> None:
    platform = Platform.parse(text)
    assert str(platform) == normal
    assert Platform.parse(normal) == platform


@pytest.mark.parametrize(
    "text", ["", "linux", "arm64", "linux/", "/amd64", "linux/arm/v7/x", "linux /amd64", "l\n/\x1b"]
)
def test_what_a_person_mistypes_is_a_usage_error(text: str) -> None:
    with refusal(UsageError, "is not a platform"):
        Platform.parse(text)


def from_json(text: str) -> Platform:
    return Platform.from_json(parse_object(text.encode(), "doc"))


def test_an_image_s_platform_is_normalised_too() -> None:
    platform = from_json(
        '{"os": "linux", "architecture": "aarch64", "variant": "v8", "os.version": ""}'
    )
    assert platform == Platform(os="linux", architecture="arm64")
    assert from_json('{"os": "windows", "architecture": "amd64", "os.version": "10.0"}') == (
        Platform(os="windows", architecture="amd64", os_version="10.0")
    )


def test_what_an_image_does_not_name_is_unknown() -> None:
    assert str(from_json("{}")) == "unknown/unknown"
    assert str(from_json('{"os": "linux", "architecture": ""}')) == "linux/unknown"
    with refusal(MalformedInput, "doc: architecture: expected a string, got an array"):
        from_json('{"architecture": []}')


@pytest.mark.parametrize(
    ("image", "wanted", "expected"),
    [
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm/v6", "linux/arm", False),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/amd64", "linux/amd64/v3", False),
        ("windows/amd64", "linux/amd64", False),
        ("linux/386", "linux/amd64", False),
        ("windows(10.0.17763.6054)/amd64", "windows/amd64", True),
        ("windows(10.0.17763.6054)/amd64", "windows(10.0.17763)/amd64", True),
        ("windows(10.0.177630)/amd64", "windows(10.0.17763)/amd64", False),
        ("windows/amd64", "windows(10.0.17763)/amd64", False),
    ],
)
def test_matching_wants_the_same_variant(image: str, wanted: str, expected: bool) -> None:
    assert Platform.parse(image).matches(Platform.parse(wanted)) is expected


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("x86_64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("arm64", "linux/arm64"),
        ("armv7l", "linux/arm/v7"),
        ("armv6l", "linux/arm/v6"),
        ("i686", "linux/386"),
        ("riscv64", "linux/riscv64"),
    ],
)
def test_this_machine_runs_linux_images(
    machine: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uname = os.uname_result(("Darwin", "host", "23", "v", machine))
    monkeypatch.setattr("layerlens.oci.platform.os.uname", lambda: uname)
    assert str(host_platform()) == expected
