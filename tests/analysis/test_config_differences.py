import json

import pytest
from image_builder import Json

from layerlens.analysis.config_differences import (
    config_differences,
    creation_difference,
    environment,
)
from layerlens.oci.image_config import ImageConfig, parse_image_config

Difference = tuple[str, str, str | None, str | None, str | None]


def config(runtime: dict[str, Json] | None = None, **fields: Json) -> ImageConfig:
    document = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": []},
        "config": runtime or {},
        **fields,
    }
    return parse_image_config(json.dumps(document).encode(), "test")


def differences(before: ImageConfig, after: ImageConfig) -> list[Difference]:
    return [
        (each.kind.value, each.field, each.key, each.before, each.after)
        for each in config_differences(before, after)
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"Env": ["A=1"]}, {"Env": ["A=2"]}, [("M", "env", "A", "1", "2")]),
        ({"Env": ["A=1", "B=2"]}, {"Env": ["B=2"]}, [("D", "env", "A", "1", None)]),
        ({}, {"Env": ["A="]}, [("A", "env", "A", None, "")]),
        ({"Env": ["A="]}, {"Env": ["A=x=y"]}, [("M", "env", "A", "", "x=y")]),
        ({"Env": ["A=1", "B=2"]}, {"Env": ["B=2", "A=1"]}, []),
        ({"Env": ["A=0", "A=1"]}, {"Env": ["A=1"]}, []),
        ({"User": "app"}, {}, [("D", "user", None, "app", None)]),
        ({"User": ""}, {}, []),
        ({"WorkingDir": "/a"}, {"WorkingDir": "/b"}, [("M", "workdir", None, "/a", "/b")]),
        (
            {"Entrypoint": ["a b"]},
            {"Entrypoint": ["a", "b"]},
            [("M", "entrypoint", None, '["a b"]', '["a", "b"]')],
        ),
        ({"Cmd": ["é"]}, {}, [("D", "cmd", None, '["é"]', None)]),
        ({}, {"Labels": {"x": "1"}}, [("A", "label", "x", None, "1")]),
        (
            {"Labels": {"x": "1", "y": "1"}},
            {"Labels": {"x": "2", "y": "1"}},
            [("M", "label", "x", "1", "2")],
        ),
        (
            {"ExposedPorts": {"80/tcp": {}}},
            {"ExposedPorts": {"81/tcp": {}}},
            [("D", "expose", "80/tcp", "", None), ("A", "expose", "81/tcp", None, "")],
        ),
        ({}, {"Volumes": {"/v": {}}}, [("A", "volume", "/v", None, "")]),
        ({"StopSignal": "SIGINT"}, {}, [("D", "stopsignal", None, "SIGINT", None)]),
        ({}, {"Shell": ["bash"]}, [("A", "shell", None, None, '["bash"]')]),
        ({"OnBuild": ["RUN x"]}, {"OnBuild": []}, [("D", "onbuild", None, '["RUN x"]', None)]),
        (
            {},
            {"Healthcheck": {"Test": ["CMD", "x"]}},
            [("A", "healthcheck", None, None, '["CMD", "x"]')],
        ),
        (
            {"Healthcheck": {"Test": ["CMD", "x"], "Interval": 30_000_000_000}},
            {"Healthcheck": {"Test": ["CMD", "x"], "Interval": 5_000_000_000}},
            [
                (
                    "M",
                    "healthcheck",
                    None,
                    '--interval=30s ["CMD", "x"]',
                    '--interval=5s ["CMD", "x"]',
                )
            ],
        ),
    ],
)
def test_what_differs_is_told_one_by_one(
    before: dict[str, Json], after: dict[str, Json], expected: list[Difference]
) -> None:
    assert differences(config(before), config(after)) == expected
    assert differences(config(before), config(before)) == []


def test_the_platform_and_the_author_are_compared() -> None:
    found = differences(config(), config(architecture="arm", variant="v7", author="me"))
    assert found == [
        ("M", "platform", None, "linux/amd64", "linux/arm/v7"),
        ("A", "author", None, None, "me"),
    ]


def test_two_builds_of_one_thing_differ_only_in_their_time() -> None:
    before, after = config(created="2023-01-01T00:00:00Z"), config(created="2024-01-01T00:00:00Z")
    assert config_differences(before, after) == ()
    (created,) = creation_difference(before, after)
    assert (created.field, created.before, created.after) == (
        "created",
        "2023-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z",
    )
    assert creation_difference(before, before) == ()


def test_of_two_variables_with_one_name_the_last_counts() -> None:
    runtime = config({"Env": ["A=1", "A=2", "B"]}).runtime
    assert environment(runtime) == {"A": "2", "B": ""}
