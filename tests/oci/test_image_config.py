import json

import pytest

from layerlens.errors import MalformedInput, UnsupportedInput
from layerlens.oci.digest import Digest
from layerlens.oci.image_config import (
    HistoryEntry,
    ImageConfig,
    RuntimeConfig,
    parse_image_config,
)
from layerlens.oci.json_fields import JsonValue
from layerlens.oci.platform import Platform

from .messages import refusal

DIFF_ID = "sha256:" + "a" * 64
ROOTFS: JsonValue = {"type": "layers", "diff_ids": [DIFF_ID, DIFF_ID]}


def parse(**fields: JsonValue) -> ImageConfig:
    return parse_image_config(json.dumps({"rootfs": ROOTFS, **fields}).encode(), "doc")


def test_everything_a_config_says() -> None:
    config = parse(
        os="linux",
        architecture="aarch64",
        variant="v8",
        created="2024-05-01T10:00:00.123456789Z",
        author="A. Uthor",
        config={
            "User": "app:app",
            "Env": ["PATH=/bin", "EMPTY="],
            "Entrypoint": ["/init"],
            "Cmd": ["--help"],
            "WorkingDir": "/app",
            "Labels": {"a": "1", "A": "2"},
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Volumes": {"/data": {}},
            "StopSignal": "SIGQUIT",
            "Shell": ["/bin/bash", "-c"],
            "OnBuild": ["RUN make"],
            "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30_000_000_000},
        },
        history=[
            {"created": "2024-05-01T10:00:00+02:00", "created_by": "COPY . /", "comment": "c"},
            {"created_by": "CMD x", "author": "me", "empty_layer": True},
            {},
        ],
    )
    assert config == ImageConfig(
        platform=Platform(os="linux", architecture="arm64"),
        created="2024-05-01T10:00:00.123456789Z",
        author="A. Uthor",
        runtime=RuntimeConfig(
            user="app:app",
            env=("PATH=/bin", "EMPTY="),
            entrypoint=("/init",),
            cmd=("--help",),
            working_dir="/app",
            labels={"a": "1", "A": "2"},
            exposed_ports=("443/tcp", "80/tcp"),
            volumes=("/data",),
            stop_signal="SIGQUIT",
            shell=("/bin/bash", "-c"),
            on_build=("RUN make",),
            healthcheck=("CMD-SHELL", "true"),
            healthcheck_flags=("--interval=30s",),
        ),
        diff_ids=(Digest.parse(DIFF_ID), Digest.parse(DIFF_ID)),
        history=(
            HistoryEntry(created="2024-05-01T10:00:00+02:00", created_by="COPY . /", comment="c"),
            HistoryEntry(created_by="CMD x", author="me", empty_layer=True),
            HistoryEntry(),
        ),
    )


def test_how_a_healthcheck_is_made_is_told_as_a_dockerfile_has_it() -> None:
    healthcheck: JsonValue = {
        "Test": ["NONE"],
        "Retries": 3,
        "Interval": 90_000_000_000,
        "Timeout": 1_500_000_000,
        "StartPeriod": 0,
        "StartInterval": 1,
    }
    assert parse(config={"Healthcheck": healthcheck}).runtime.healthcheck_flags == (
        "--interval=90s",
        "--timeout=1500ms",
        "--start-interval=1ns",
        "--retries=3",
    )


@pytest.mark.parametrize("runtime", [None, {}, {"Env": None, "Labels": None, "Cmd": None}])
def test_a_config_that_says_little(runtime: JsonValue) -> None:
    config = parse(config=runtime, history=None)
    assert config.runtime == RuntimeConfig(labels={})
    assert config.history == ()
    assert str(config.platform) == "unknown/unknown"
    assert config.created is None


def test_docker_reads_a_lone_string_as_a_command_of_one_word() -> None:
    runtime = parse(config={"Entrypoint": "/init", "Cmd": "x y", "Shell": "/bin/sh"}).runtime
    assert runtime.entrypoint == ("/init",)
    assert runtime.cmd == ("x y",)
    assert runtime.shell == ("/bin/sh",)


def test_an_empty_command_is_not_a_missing_one() -> None:
    assert parse(config={"Cmd": []}).runtime.cmd == ()
    assert parse(config={}).runtime.cmd is None


def test_an_image_of_no_layers() -> None:
    assert parse(rootfs={"type": "layers", "diff_ids": None}).diff_ids == ()


def test_a_root_file_system_not_made_of_layers_is_refused() -> None:
    with refusal(UnsupportedInput, "doc: rootfs.type: 'layers+base\\n' is not supported"):
        parse(rootfs={"type": "layers+base\n", "diff_ids": []})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"rootfs": None}, "doc: rootfs: missing, expected an object"),
        ({"rootfs": {}}, "doc: rootfs.type: missing"),
        (
            {"rootfs": {"type": "layers", "diff_ids": [DIFF_ID, "sha256:0"]}},
            "doc: rootfs.diff_ids[1]: 'sha256:0' is not a digest",
        ),
        ({"config": {"Env": [1]}}, "doc: config.Env[0]: expected a string, got a number"),
        ({"config": {"Labels": ["a"]}}, "doc: config.Labels: expected an object, got an array"),
        ({"config": {"Cmd": {}}}, "doc: config.Cmd: expected an array, got an object"),
        ({"config": {"cmd": ["a"], "Cmd": ["b"]}}, "doc: config.Cmd: the key is also written"),
        ({"history": [{"empty_layer": "true"}]}, "doc: history[0].empty_layer: expected a bool"),
        ({"created": 0}, "doc: created: expected a string, got a number"),
        ({"architecture": 386}, "doc: architecture: expected a string, got a number"),
    ],
)
def test_a_field_that_is_wrong(fields: dict[str, JsonValue], problem: str) -> None:
    with refusal(MalformedInput, problem):
        parse(**fields)
