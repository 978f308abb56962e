"""A directory as a build context."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from layerlens.dockerfile.dockerignore import parse_dockerignore
from layerlens.dockerfile.local_context import LocalContext, found_ignore_file, read_rules
from layerlens.errors import LimitExceeded, MalformedInput, NotFound


def _made(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def test_all_files_are_listed_and_of_git_one(tmp_path: Path) -> None:
    _made(tmp_path, "b", "a/c", ".git/HEAD", ".git/objects/00/1", "sub/.git/HEAD")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "empty").mkdir()
    context = LocalContext(str(tmp_path))
    assert context.files == (".git/HEAD", "a/c", "b", "link", "sub/.git/HEAD")
    assert context.links == {"link": "a"}


def test_what_is_ignored_is_not_there_and_what_is_let_in_again_is(tmp_path: Path) -> None:
    _made(tmp_path, "a/b", "a/c/d", "node_modules/x/y", ".git/HEAD")
    rules = parse_dockerignore("node_modules\n.git\na\n!a/c\n", "i")
    context = LocalContext(str(tmp_path), rules)
    assert context.files == ("a/c/d",)
    assert context.read("a/b") is None
    assert context.read("a/c/d") == b"a/c/d"


def test_names_that_are_no_text_are_listed(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9"), "wb"):
        pass
    assert LocalContext(str(tmp_path)).files == ("caf\udce9",)


def test_only_regular_files_inside_are_read(tmp_path: Path) -> None:
    root = _made(tmp_path / "root", "a")
    _made(tmp_path, "secret")
    (root / "in").symlink_to("a")
    (root / "out").symlink_to("../secret")
    (root / "up").symlink_to("..")
    os.mkfifo(root / "fifo")
    context = LocalContext(str(root))
    assert context.read("in") == b"a"
    for path in ("out", "up/secret", "../secret", "fifo", "none", "", "."):
        assert context.read(path) is None


def test_a_directorys_mode(tmp_path: Path) -> None:
    root = _made(tmp_path / "root", "a/b")
    (root / "a").chmod(0o750)
    root.chmod(0o711)
    (root / "up").symlink_to("..")
    context = LocalContext(str(root))
    assert context.directory_mode("a") == 0o750
    assert context.directory_mode("") == 0o711
    assert context.directory_mode("a/b") is None
    assert context.directory_mode("none") is None
    assert context.directory_mode("up") is None


def test_no_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such directory to be a build context"):
        LocalContext(str(tmp_path / "none"))


def test_the_dockerfiles_own_ignore_file_comes_before_the_contexts(tmp_path: Path) -> None:
    dockerfile = str(tmp_path / "docker" / "app.Dockerfile")
    assert found_ignore_file(dockerfile, str(tmp_path)) is None
    assert not read_rules(None).matches("a")
    common = _made(tmp_path, ".dockerignore") / ".dockerignore"
    assert found_ignore_file(dockerfile, str(tmp_path)) == str(common)
    own = f"{dockerfile}.dockerignore"
    _made(tmp_path, "docker/app.Dockerfile.dockerignore")
    assert found_ignore_file(dockerfile, str(tmp_path)) == own
    assert found_ignore_file(None, str(tmp_path)) == str(common)


def test_an_ignore_file_that_builders_refuse_is_named(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n[\n")
    with pytest.raises(MalformedInput, match=r"\.dockerignore:2: "):
        read_rules(str(tmp_path / ".dockerignore"))


def test_an_ignore_file_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".dockerignore"
    path.touch()
    os.truncate(path, 1 << 34)
    with pytest.raises(LimitExceeded, match="larger than 16 MiB, and no ignore file"):
        read_rules(str(path))
