"""What ``layerlens suggest`` tells beside the order: what the layers need not hold, by line."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from archive_forms import archive, oci_layout
from dockerfile.git_repository import needs_git
from image_builder import file, image, layer, whiteout

from .running import Run, runner
from .suggested import DOCKERFILE, Suggested, suggested

pytestmark = needs_git

_CACHE = b"x" * 5000
_TOKEN = "API_TOKEN=ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"
_LEAKY = f"""\
FROM base
ENV {_TOKEN}
COPY . /app
RUN make && \\
    make install
RUN rm -rf /var/lib/apt/lists /app/big
""".encode()


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


def _env(assignment: str) -> Mapping[str, str | bool]:
    return {"created_by": f"ENV {assignment}", "empty_layer": True}


@pytest.fixture
def leaky(tmp_path: Path) -> Suggested:
    """A project whose own layers, and whose base, hold what they need not."""
    repository = tmp_path / "leaky"
    repository.mkdir()
    (repository / "Dockerfile").write_bytes(_LEAKY)
    (repository / ".env").write_bytes(b"KEY=1\n")
    layers = (
        layer(
            file("/var/lib/apt/lists/base", b"y" * 90_000),
            file("/root/.aws/credentials", b"base's"),
            created_by="/bin/sh -c #(nop) ADD rootfs.tar / ",
        ),
        layer(
            file("/app/.env", b"KEY=1\n"),
            file("/app/big", b"z" * 3000),
            created_by="COPY . /app # buildkit",
        ),
        layer(
            file("/var/lib/apt/lists/own", _CACHE),
            created_by="RUN /bin/sh -c make &&     make install # buildkit",
        ),
        layer(
            whiteout("/var/lib/apt/lists"),
            whiteout("/app/big"),
            created_by="RUN /bin/sh -c rm -rf /var/lib/apt/lists /app/big # buildkit",
        ),
    )
    base, *own = [{"created_by": each.created_by} for each in layers]
    history = [base, _env("BASE_PASSWORD=hunter22"), _env(_TOKEN), *own]
    made = image(
        *layers,
        config={"Env": ["BASE_PASSWORD=hunter22", _TOKEN]},
        overrides={"history": history},
    )
    path = tmp_path / "leaky.tar"
    path.write_bytes(archive(oci_layout(made)))
    return Suggested(repository=repository, image=str(path))


def test_what_the_own_layers_hold_for_nothing_is_told_by_line(run: Run, leaky: Suggested) -> None:
    document = json.loads(run("suggest", *leaky.words, "--json").text())
    found = [
        (each["kind"], each["line"], each["layer"], each["bytes"], each["other_lines"])
        for each in document["findings"]
    ]
    assert found == [
        ("apt-lists", 4, 2, 5000, [{"layer": 3, "line": 6}]),
        ("deleted-later", 3, 1, 3000, [{"layer": 3, "line": 6}]),
        ("secret-file", 3, 1, 6, []),
        ("secret-variable", 2, None, 0, []),
    ]
    assert document["findings"][3]["names"] == ["API_TOKEN"]


def test_beside_the_order_stands_above_what_it_rests_on(run: Run, leaky: Suggested) -> None:
    text = run("suggest", *leaky.words).text()
    order, beside, notes = (
        text.index(words)
        for words in ("nothing to suggest", "beside the order", "what this rests on")
    )
    assert order < beside < notes
    lines = [line.split() for line in text.splitlines()]
    assert ["6", "B", "3", "secret-file", "/app/.env"] in lines
    assert ["5.0", "kB", "4", "apt-lists", "/var/lib/apt/lists"] in lines
    assert "(layer 3: line 6)\n" in text
    assert "hunter22" not in text
    assert "base" not in text[beside:notes]
    markdown = run("suggest", *leaky.words, "--markdown").text()
    assert "| 4 | 5.0 kB | `apt-lists` | `/var/lib/apt/lists` | taken away by" in markdown
    assert "ghp_" not in text + markdown


def test_what_is_beside_the_order_is_no_suggestion(run: Run, leaky: Suggested) -> None:
    assert run("suggest", *leaky.words, "--check").status == 0
    assert run("suggest", *leaky.words, "--patch").out == b""
    assert run("suggest", *leaky.words, "--write").status == 0
    assert leaky.dockerfile.read_bytes() == _LEAKY


def test_without_an_image_the_context_tells_what_a_copy_takes(run: Run, tmp_path: Path) -> None:
    project = suggested(tmp_path, commits=3)
    words = ("suggest", "-f", str(project.dockerfile), "--json")
    assert json.loads(run(*words).text())["findings"] == []  # .git is ignored
    (project.repository / ".dockerignore").unlink()
    (project.repository / ".env").write_bytes(b"KEY=1\n")
    (project.repository / ".env.example").write_bytes(b"KEY=\n")
    (project.repository / "cert.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    (project.repository / "own.pem").write_bytes(b"-----BEGIN EC PRIVATE KEY-----\n")
    git, secrets = json.loads(run(*words).text())["findings"]
    assert (git["kind"], git["line"], git["layer"]) == ("version-control", 3, None)
    assert [(each["path"], each["files"] > 5) for each in git["places"]] == [(".git", True)]
    assert git["bytes"] == sum(
        path.lstat().st_size for path in (project.repository / ".git").rglob("*") if path.is_file()
    )
    assert (secrets["kind"], secrets["instruction"]) == ("secret-file", "COPY . /app")
    assert [(each["path"], each["evidence"]) for each in secrets["places"]] == [
        ("own.pem", "content"),
        (".env", "path"),
    ]
    # what its layer holds is known: that counts, and not what lies in the directory now
    kinds = [each["kind"] for each in json.loads(run(*words, project.image).text())["findings"]]
    assert kinds == ["build-context"]


def test_what_only_another_stage_takes_comes_into_no_image(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"FROM a AS build\nCOPY . .\nFROM a\nCOPY --from=build /x /x\nCOPY .env /\n")
    (tmp_path / ".env").write_bytes(b"KEY=1\n")
    (found,) = json.loads(run("suggest", "-f", str(path), "--json").text())["findings"]
    assert found["line"] == 5


def test_what_looks_like_a_secret_is_not_repeated(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(
        f"FROM a\nCOPY . /app\nRUN {_TOKEN} curl https://user:hunter22@host/ | sh\n".encode()
    )
    text = run("suggest", "-f", str(path)).text()
    assert "RUN API_TOKEN=*** curl https://***@host/ | sh (line 3) stays below" in text
    markdown = run("suggest", "-f", str(path), "--markdown").text()
    assert "RUN API" in markdown
    assert "hunter2" not in text + markdown
    assert "ghp_" not in text + markdown


def test_a_patch_alone_repeats_secrets_and_says_so(run: Run, tmp_path: Path) -> None:
    held = f"ENV {_TOKEN}\nENV UNRELATED=1\n".encode()
    text = DOCKERFILE.replace(b"WORKDIR /app\n", held + b"WORKDIR /app\n")
    project = suggested(tmp_path, dockerfile=text)
    words = ("suggest", "-f", str(project.dockerfile))
    patch = run(*words, "--patch")
    assert f" ENV {_TOKEN}\n".encode() in patch.out
    assert "(line 2: API_TOKEN)" in patch.err
    assert "ghp_" not in patch.err
    document = run(*words, "--json")
    assert json.loads(document.text())["after"] is None
    assert "'after' is null" in document.err
    markdown = html.unescape(run(*words, "--markdown").text())
    assert "\n ENV API_TOKEN=***\n" in markdown
    assert "not to be applied" in markdown
    assert "ghp_" not in document.text() + markdown


def test_of_secrets_that_a_patch_does_not_touch_nothing_is_said(run: Run, tmp_path: Path) -> None:
    far = f"ENV {_TOKEN}\n".encode() + b"".join(b"ENV A%d=1\n" % number for number in range(5))
    text = DOCKERFILE.replace(b"WORKDIR /app\n", far + b"WORKDIR /app\n")
    project = suggested(tmp_path, dockerfile=text)
    patch = run("suggest", "-f", str(project.dockerfile), "--patch")
    assert b"+COPY requirements.txt" in patch.out
    assert b"ghp_" not in patch.out
    assert patch.err == ""
