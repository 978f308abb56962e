"""Saving: whole or not at all, and never over a file by surprise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.errors import DigestMismatch, UsageError
from layerlens.tui.state.saving import AlreadyThere, offered_name, save_file


def test_a_file_is_written_with_its_permission_to_run(tmp_path: Path) -> None:
    target = tmp_path / "tool"
    assert save_file(str(target), [b"#!", b"x"], 0o4755, replace=False) == 3
    assert target.read_bytes() == b"#!x"
    assert target.stat().st_mode & 0o7777 == 0o755 & ~_umask()
    assert os.listdir(tmp_path) == ["tool"]


def test_a_file_that_is_there_is_left_alone_until_told(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"mine")
    with pytest.raises(AlreadyThere):
        save_file(str(target), [b"new"], 0o644, replace=False)
    assert target.read_bytes() == b"mine"
    save_file(str(target), [b"new"], 0o644, replace=True)
    assert target.read_bytes() == b"new"


def test_a_file_that_comes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "a"

    def content() -> Iterator[bytes]:
        target.write_bytes(b"mine")
        yield b"new"

    with pytest.raises(AlreadyThere):
        save_file(str(target), content(), 0o644, replace=False)
    assert target.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a"]


def test_nothing_is_left_behind_where_the_content_fails(tmp_path: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"half"
        raise DigestMismatch("the bytes are others")

    with pytest.raises(DigestMismatch):
        save_file(str(tmp_path / "a"), content(), 0o644, replace=False)
    assert os.listdir(tmp_path) == []


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    for name in (str(tmp_path), str(tmp_path / "link"), "", "  ", f"{tmp_path}/"):
        with pytest.raises(UsageError):
            save_file(name, [b"x"], 0o644, replace=True)
    with pytest.raises(FileNotFoundError) as raised:
        save_file(str(tmp_path / "no" / "a"), [b"x"], 0o644, replace=False)
    assert raised.value.filename == str(tmp_path / "no" / "a")


def test_a_home_directory_can_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    save_file("~/a", [b"x"], 0o644, replace=False)
    assert (tmp_path / "a").read_bytes() == b"x"


def test_the_offered_name_is_the_files_own_made_harmless() -> None:
    assert offered_name("/etc/passwd") == "passwd"
    assert offered_name("/a\x1b[31m\n") == "a\\x1b[31m\\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
