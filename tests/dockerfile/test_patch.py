"""Diffs, put through patch itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.dockerfile.patch import patch_text


def _applied(directory: Path, name: str, before: bytes, patch: str) -> bytes:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before)
    done = subprocess.run(
        ["patch", "-p1", "--quiet", "--no-backup-if-mismatch"],
        cwd=directory,
        input=patch.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return path.read_bytes()


_LONG = b"FROM a\n" + b"# x\n" * 50
_NAMES = [
    "Dockerfile",
    "a/b/app.Dockerfile",
    "my file",
    'say "x"',
    "caf\udce9",
    "tab\there",
    "日本",
]
_TEXTS = [
    (b"FROM a\nRUN 1\nRUN 2\n", b"FROM a\nRUN 2\nRUN 1\n"),
    (b"FROM a\nRUN 1\nRUN 2", b"FROM a\nRUN 2\nRUN 1"),
    (b"FROM a\r\nRUN 1\r\nRUN 2\r\n", b"FROM a\r\nRUN 2\r\nRUN 1\r\n"),
    (b"FROM a\nRUN \xff\x0c\x1c1\nRUN 2\n", b"FROM a\nRUN 2\nRUN \xff\x0c\x1c1\n"),
    (
        b"FROM a\n" + b"# x\n" * 50 + b"RUN 1\nRUN 2\n",
        b"FROM a\n" + b"# x\n" * 50 + b"RUN 2\nRUN 1\n",
    ),
    (b"--- x\n+++ y\n-a\n", b"-a\n--- x\n+++ y\n"),
]


@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
@pytest.mark.parametrize("name", _NAMES)
def test_patch_takes_it_whatever_the_files_name(tmp_path: Path, name: str) -> None:
    before, after = _TEXTS[0]
    patch = patch_text(name, before.decode(), after.decode())
    (tmp_path / os.path.dirname(name)).mkdir(parents=True, exist_ok=True)
    assert _applied(tmp_path, name, before, patch) == after


@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
@pytest.mark.parametrize(("before", "after"), _TEXTS)
def test_patch_gives_the_text_to_the_byte(tmp_path: Path, before: bytes, after: bytes) -> None:
    texts = [each.decode("utf-8", "surrogateescape") for each in (before, after)]
    assert _applied(tmp_path, "Dockerfile", before, patch_text("Dockerfile", *texts)) == after


def test_nothing_changed_is_nothing_to_apply() -> None:
    assert patch_text("Dockerfile", "FROM a\n", "FROM a\n") == ""


def test_it_reads_as_people_know_it() -> None:
    assert patch_text("d/Dockerfile", "FROM a\nRUN 1\nRUN 2\n", "FROM a\nRUN 2\nRUN 1\n") == (
        "--- a/d/Dockerfile\n+++ b/d/Dockerfile\n@@ -1,3 +1,3 @@\n FROM a\n+RUN 2\n RUN 1\n-RUN 2\n"
    )


_LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n"]), max_size=6).map("".join)


@given(_LINES, _LINES, st.sampled_from(["", "end"]))
def test_every_line_of_both_texts_is_in_the_diff_or_in_neither(
    before: str, after: str, end: str
) -> None:
    """Applied by hand, hunk by hunk, with the numbers in the headers."""
    before, after = before + end, after + end
    result: list[str] = []
    lines = [f"{line}\n" for line in before.split("\n")]
    lines[-1] = lines[-1][:-1]
    position = 0
    for line in patch_text("f", before, after).split("\n")[2:-1]:
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            target = int(start) - (count != "0")
            result.extend(lines[position:target])
            position = target
        elif line.startswith("\\"):
            result[-1] = result[-1].removesuffix("\n")
        else:
            if line[0] in " -":
                position += 1
            if line[0] in " +":
                result.append(f"{line[1:]}\n")
    result.extend(lines[position:])
    assert "".join(result) == after
