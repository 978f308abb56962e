import json
from pathlib import Path

import pytest
from archive_forms import archive, oci_layout
from image_builder import file, image, layer

from layerlens.dockerfile.history_binding import bind_history
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.image import open_image

from .golden import ROOT, assert_golden
from .running import Run, runner


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("dockerfile-demo.txt", ["fixtures/demo.tar"]),
        ("dockerfile-demo-2.json", ["fixtures/demo-2.tar", "--json"]),
        ("dockerfile-tour.txt", ["fixtures/tour-docker.tar.gz"]),
        ("dockerfile-arm64.txt", ["fixtures/platforms.tar", "--platform", "linux/arm64"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    assert_golden(golden, run("dockerfile", *words).text().encode())


def test_what_is_read_back_is_what_the_image_was_built_by(run: Run) -> None:
    text = run("dockerfile", "fixtures/demo.tar").text()
    parsed = parse_dockerfile(text.encode(), "Dockerfile")
    with open_image(str(ROOT / "fixtures" / "demo.tar")) as image:
        binding = bind_history(parsed, parsed.stages[-1], image.config.history, len(image.layers))
    assert binding.problem is None
    assert [bound.layer for bound in binding.instructions if bound.layer is not None] == list(
        range(9)
    )
    assert not [bound.problem for bound in binding.instructions if bound.problem]


def test_the_document_has_the_text_and_what_is_lost(run: Run) -> None:
    document = json.loads(run("dockerfile", "fixtures/odd.tar", "--json").text())
    assert document["schema_version"] == 1
    assert document["dockerfile"].startswith("# Read back by layerlens")
    assert len(document["lost"]) == 7


def test_what_looks_like_a_secret_is_told_of_and_not_shown(run: Run, tmp_path: Path) -> None:
    made = image(
        layer(file("/a"), created_by="/bin/sh -c API_TOKEN=abcdefghijkl make"),
        layer(file("/b"), created_by="COPY b / # buildkit"),
        config={"Env": ["DB_PASSWORD=hunter22"], "Labels": {"url": "https://me:hunter22@host/"}},
    )
    path = tmp_path / "leaky.tar"
    path.write_bytes(archive(oci_layout(made)))
    for words in ((), ("--json",)):
        result = run("dockerfile", str(path), *words)
        assert "API_TOKEN=*** make" in result.text()
        assert "DB_PASSWORD=***" in result.text()
        assert "hunter22" not in result.text()
        assert "abcdefghijkl" not in result.text()
        assert "what looks like a secret is shown as ***" in result.err
    assert "secret" not in run("dockerfile", "fixtures/demo.tar").err
