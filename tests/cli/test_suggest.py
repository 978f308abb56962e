"""``layerlens suggest`` as it is typed: on a repository and the image its Dockerfile built."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo, oci_layout
from dockerfile.git_repository import needs_git
from image_builder import Json, image

from .running import Run, runner
from .suggested import BETTER, DOCKERFILE, Suggested, layers, suggested

pytestmark = needs_git


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path) -> Suggested:
    return suggested(tmp_path)


def test_it_says_what_moves_why_and_what_that_saves(run: Run, project: Suggested) -> None:
    text = run("suggest", *project.words).text()
    assert text.startswith("1 suggestion: a rebuild does ")
    assert "23 commits, 23 of which rebuild something: fitted to the oldest 16" in text
    assert " 1 B put in COPY requirements.txt /app/: " in text
    assert "move COPY . /app (line 3) below RUN pip install -r requirements.txt (line 4)" in text
    assert "RUN pip install -r requirements.txt (400" in text
    assert "pip install reads only requirements.txt" in text
    assert "by the tool's contract" in text
    assert "of 7 rebuilds 6 cost less, 1 cost more, by " in text


def test_the_document_has_the_same_in_numbers(run: Run, project: Suggested) -> None:
    document = json.loads(run("suggest", "--json", *project.words).text())
    assert next(iter(document)) == "schema_version"
    assert document["events"] == {
        "origin": "git",
        "events": 23,
        "commits": 23,
        "base_updates": 0,
        "rebuilds": 23,
        "fitted": 16,
        "reported": 7,
        "held_out": True,
    }
    (suggestion,) = document["suggestions"]
    assert suggestion["tier"] == "B"
    assert suggestion["moves"] == [{"line": 3, "direction": "below", "anchor_line": 4}]
    comparison = document["comparison"]
    assert comparison["unit"] == "bytes"
    assert comparison["before"]["rebuilt_bytes_mean"] > 400_000
    assert comparison["after"]["rebuilt_bytes_mean"] < 100_000  # one rebuild of seven installs
    assert document["after"] == BETTER.decode()
    assert document["proven_optimal"] is True
    assert document["reconstructed"] is False


@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
def test_patch_applies_the_patch(
    run: Run, project: Suggested, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.repository)
    patch = run("suggest", project.image, "-f", "Dockerfile", "--patch").out
    subprocess.run(["patch", "-p1", "--quiet"], input=patch, cwd=project.repository, check=True)
    assert project.dockerfile.read_bytes() == BETTER


def test_git_applies_the_patch_from_below_the_top(
    run: Run, project: Suggested, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    patch = run("suggest", project.image, "-f", "repository/Dockerfile", "--patch").out
    assert patch.startswith(b"--- a/repository/Dockerfile\n")
    command = ["git", "apply", "-p2"]
    subprocess.run(command, input=patch, cwd=project.repository, check=True)
    assert project.dockerfile.read_bytes() == BETTER


def test_write_changes_the_file_and_keeps_its_mode(run: Run, project: Suggested) -> None:
    project.dockerfile.chmod(0o640)
    ran = run("suggest", *project.words, "--write")
    assert ran.status == 0, ran.err
    assert ran.out == b""
    assert f"wrote {project.dockerfile}: 1 suggestion" in ran.err
    assert project.dockerfile.read_bytes() == BETTER
    assert stat.S_IMODE(project.dockerfile.stat().st_mode) == 0o640
    assert sorted(os.listdir(project.repository)) == [
        ".dockerignore",
        ".git",
        "Dockerfile",
        "main.py",
        "requirements.txt",
    ]
    again = run("suggest", *project.words, "--write")
    assert again.status == 0
    assert "is left as it is" in again.err
    assert project.dockerfile.read_bytes() == BETTER


@pytest.mark.parametrize("form", [["--json"], ["--markdown"], ["--patch"], []])
def test_check_fails_while_a_suggestion_stands(
    run: Run, project: Suggested, form: list[str]
) -> None:
    ran = run("suggest", *project.words, "--check", *form)
    assert ran.status == 1
    assert ran.out
    project.dockerfile.write_bytes(BETTER)
    assert run("suggest", "-f", str(project.dockerfile), "--check", *form).status == 0


def test_no_weaker_evidence_is_taken_than_was_allowed(run: Run, project: Suggested) -> None:
    ran = run("suggest", *project.words, "--tier", "A", "--check")
    assert ran.status == 0
    assert ran.out.startswith(b"nothing to suggest")
    assert "what cannot move, and what holds it" in ran.text()
    assert run("suggest", *project.words, "--tier", "A", "--patch").out == b""


def test_one_suggestion_explained(run: Run, project: Suggested) -> None:
    text = run("suggest", *project.words, "--explain", "1").text()
    assert "its instructions, in their new order" in text
    assert "this alone, a rebuild" in text
    ran = run("suggest", *project.words, "--explain", "2")
    assert ran.status == 2
    assert "no such suggestion; 1" in ran.err


def test_markdown_has_the_table_and_the_patch(run: Run, project: Suggested) -> None:
    text = run("suggest", *project.words, "--markdown").text()
    assert text.startswith("## layerlens suggest: ")
    assert "### 1. Tier B (by the tool&#39;s contract)" in text or "### 1. Tier B" in text
    assert "| A rebuild | Before | After |" in text
    assert "<pre>" in text


def test_without_an_image_steps_are_counted(run: Run, project: Suggested) -> None:
    text = run("suggest", "-f", str(project.dockerfile)).text()
    assert text.startswith("1 suggestion: a rebuild does ")
    assert "steps instead of 2 steps" in text.splitlines()[0]
    assert "kB" not in text


def test_uncompressed_layers_are_estimated_and_marked(
    run: Run, project: Suggested, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.tar"
    plain.write_bytes(archive(docker_skopeo(image(*layers()))))
    text = run("suggest", str(plain), "-f", str(project.dockerfile)).text()
    assert "(~16" in text
    assert "estimated, at 40 %" in text


def test_without_git_shares_are_assumed_and_it_says_so(
    run: Run, project: Suggested, tmp_path: Path
) -> None:
    shutil.rmtree(project.repository / ".git")
    text = run("suggest", *project.words).text()
    assert "no history was given" in text
    assert "builds made up from assumed shares" in text
    ran = run("suggest", *project.words, "--commits", "10")
    assert ran.status == 2
    assert "is in no git repository" in ran.err


def test_an_image_alone_has_its_dockerfile_read_back(run: Run, project: Suggested) -> None:
    document = json.loads(run("suggest", project.image, "--json").text())
    assert document["reconstructed"] is True
    assert document["suggestions"] == []
    assert any("read back from the image's history" in note for note in document["notes"])


def test_an_image_of_another_dockerfile_tells_nothing(
    run: Run, project: Suggested, tmp_path: Path
) -> None:
    other = tmp_path / "other.tar"
    other.write_bytes(archive(oci_layout(image(layers()[0]))))
    text = run("suggest", str(other), "-f", str(project.dockerfile)).text()
    assert "tells nothing of" in text


def test_a_squashed_image_tells_nothing_and_it_says_so(
    run: Run, project: Suggested, tmp_path: Path
) -> None:
    made = [each.created_by for each in layers()]
    made.append('CMD ["python3", "main.py"] # buildkit')
    history: list[Json] = [
        {"created_by": text, "empty_layer": text is not made[-1]} for text in made
    ]
    squashed = tmp_path / "squashed.tar"
    built = image(layers()[-1], overrides={"history": history})
    squashed.write_bytes(archive(oci_layout(built)))
    text = run("suggest", str(squashed), "-f", str(project.dockerfile)).text()
    assert "has one layer for all instructions" in text
    assert "has one layer for all instructions" not in run("suggest", *project.words).text()


def test_older_tags_take_the_place_of_git(run: Run, project: Suggested, tmp_path: Path) -> None:
    words: list[str] = []
    for number in range(4):
        older = tmp_path / f"older-{number}.tar"
        older.write_bytes(archive(oci_layout(image(*layers(code=f"old {number}".encode())))))
        words += ["--older", str(older)]
    text = run("suggest", *project.words, *words).text()
    assert "4 tags of the image, 4 of which rebuild something" in text
    assert "move COPY . /app (line 3) below RUN pip install" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name an image, a Dockerfile with -f, or best both"),
        (["--commits", "0", "x"], "--commits: the number must be 1 or more"),
        (["-f", "x", "--older", "y"], "--older: name the newest image as well"),
        (["x", "--older", "y", "--since", "z"], "--older takes the place of git"),
        (["x", "--write"], "--write: name the Dockerfile with -f"),
        (["-f", "x", "--write", "--tier", "C"], "may break the build"),
        (["-f", "x", "--write", "-o", "y"], "leave out -o"),
        (["x", "--context", "."], "--context: name the Dockerfile"),
        (["-f", "x", "--build-arg", "A"], "write NAME=VALUE"),
        (["-f", ""], "--file: the name of the file is empty"),
        (["-f", "x", "--json", "--patch"], "not allowed with argument"),
        (["-f", "x", "--tier", "D"], "invalid choice"),
        (["docker-archive:"], "'docker-archive:' names no file or directory"),
    ],
)
def test_what_makes_no_sense_is_said(run: Run, words: list[str], message: str) -> None:
    ran = run("suggest", *words)
    assert ran.status == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_what_is_not_there_is_named(run: Run, project: Suggested, tmp_path: Path) -> None:
    missing = run("suggest", "-f", str(tmp_path / "none"))
    assert (missing.status, "none" in missing.err) == (2, True)
    stage = run("suggest", *project.words, "--target", "none")
    assert (stage.status, "no stage 'none'" in stage.err) == (2, True)
    context = run("suggest", *project.words, "--context", str(tmp_path / "none"))
    assert "no such directory to be a build context" in context.err
    project.dockerfile.write_bytes(b"FROM x\nRUN x\nCOPY [a- /x\n")
    assert "Dockerfile:3: '[a-': a bracket" in run("suggest", *project.words).err
    project.dockerfile.write_bytes(b"RUN x\n")
    assert run("suggest", *project.words).status == 2


def test_a_context_that_has_nothing_of_what_is_copied_is_told(
    run: Run, project: Suggested, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    text = run("suggest", *project.words, "--context", str(elsewhere)).text()
    assert "line 3 copies nothing that is in" in text
    assert "copies nothing that is in" not in run("suggest", *project.words).text()


def test_hostile_lines_reach_the_terminal_escaped(run: Run, tmp_path: Path) -> None:
    evil = DOCKERFILE.replace(b"COPY . /app", b"COPY . /app\x1b[2J|`<b>")
    project = suggested(tmp_path, dockerfile=evil)
    for form in ([], ["--markdown"], ["--json"], ["--explain", "1"]):
        ran = run("suggest", "-f", str(project.dockerfile), *form)
        assert b"\x1b" not in ran.out + ran.err.encode()
        assert b"<b>" not in ran.out or form != ["--markdown"]


def test_what_is_too_long_to_be_ordered_is_refused(run: Run, tmp_path: Path) -> None:
    empty: Json = {"created_by": "ENV A=1", "empty_layer": True}
    history: list[Json] = [{"created_by": "ADD x"}, *[empty] * 4000]
    path = tmp_path / "long.tar"
    long = image(layers()[0], overrides={"history": history})
    path.write_bytes(archive(docker_skopeo(long)))
    ran = run("suggest", str(path))
    assert (ran.status, ran.out) == (2, b"")
    assert "instructions; an order is looked for among up to 300\n" in ran.err


def test_a_file_without_end_is_no_dockerfile(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.touch()
    os.truncate(path, 1 << 34)
    ran = run("suggest", "-f", str(path))
    assert (ran.status, ran.out) == (2, b"")
    assert ran.err == f"layerlens: error: {path}: is larger than 16 MiB, and no Dockerfile\n"
