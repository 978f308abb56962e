"""What git tells of a context: read from real repositories, some of them odd or hostile."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from layerlens.dockerfile.git_command import Git
from layerlens.dockerfile.git_history import History, read_history
from layerlens.errors import LimitExceeded, MalformedInput, NotFound

from .git_repository import Repository, needs_git

pytestmark = needs_git


def _told(history: History) -> list[dict[str, str]]:
    """Each commit's changes, by path, as letters."""
    letters = {(False, True): "A", (True, False): "D", (True, True): "M"}
    return [
        {
            change.path: letters[change.before is not None, change.after is not None]
            for change in commit.changes
        }
        for commit in history.commits
    ]


def test_each_commit_says_what_it_changed(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"a": b"1", "b": b"1"})
    repository.commit({"a": b"2", "c/d": b"1"})
    repository.commit({"b": None, "a+x": b"2"})
    repository.check_out()
    history = read_history(str(repository.path), [])
    assert _told(history) == [{"a": "A", "b": "A"}, {"a": "M", "c/d": "A"}, {"b": "D", "a": "M"}]
    assert [commit.first for commit in history.commits] == [True, False, False]
    assert history.tracked == {"a", "c/d"}
    (mode_changed,) = [c for c in history.commits[2].changes if c.path == "a"]
    assert mode_changed.before is not None
    assert mode_changed.after is not None
    assert (mode_changed.before.mode, mode_changed.after.mode) == (0o100644, 0o100755)
    assert mode_changed.before.id == mode_changed.after.id
    assert not history.shallow


def test_a_rename_is_a_file_gone_and_a_new_one_whatever_the_config(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.git("config", "diff.renames", "copies")
    repository.commit({"a": b"content" * 20})
    repository.commit({"a": None, "b": b"content" * 20})
    repository.check_out()
    assert _told(read_history(str(repository.path), []))[1] == {"a": "D", "b": "A"}


@pytest.mark.parametrize(
    "committer", ["a <a>", "a <a> x y", "a <a> -5 +0000", f"a <a> {10**40} +0"]
)
def test_a_commit_whose_time_makes_no_sense_is_one_all_the_same(
    tmp_path: Path, committer: str
) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"a": b"1"})
    repository.commit({"a": b"2"})
    repository.check_out()
    tree, parent = repository.git("rev-parse", "HEAD^{tree}", "HEAD^").decode().split()
    head = f"tree {tree}\nparent {parent}\nauthor a <a> 1 +0000\ncommitter {committer}\n\nm\n"
    made = repository.git(
        "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=head.encode()
    )
    (repository.path / ".git" / "refs" / "heads" / "main").write_bytes(made)
    history = read_history(str(repository.path), [])
    assert _told(history) == [{"a": "A"}, {"a": "M"}]
    assert [commit.first for commit in history.commits] == [True, False]


def test_a_merge_counts_once_with_all_it_brought(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"a": b"1"})
    repository.branch("side", "main")
    repository.commit({"x": b"1"}, branch="side")
    repository.commit({"y": b"1"}, branch="side")
    repository.commit({"a": b"2"})
    repository.commit({"x": b"1", "y": b"1"}, merging="side")
    repository.check_out()
    history = read_history(str(repository.path), [])
    assert _told(history) == [{"a": "A"}, {"a": "M"}, {"x": "A", "y": "A"}]
    assert [commit.first for commit in history.commits] == [True, False, False]


def test_a_context_in_a_directory_sees_its_files_and_the_dockerfile_outside(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"app/a": b"1", "other/b": b"1", "docker/Dockerfile": b"FROM x\n"})
    repository.commit({"other/b": b"2"})
    repository.commit({"app/a": b"2", "other/b": b"3"})
    repository.commit({"docker/Dockerfile": b"FROM y\n"})
    repository.commit({"application": b"1"})
    repository.check_out()
    dockerfile = str(repository.path / "docker" / "Dockerfile")
    history = read_history(str(repository.path / "app"), [dockerfile])
    assert _told(history) == [
        {"app/a": "A", "docker/Dockerfile": "A"},
        {"app/a": "M"},
        {"docker/Dockerfile": "M"},
    ]
    assert history.tracked == {"app/a"}
    assert history.prefix == "app/"
    assert history.inside("app/a") == "a"
    assert history.inside("docker/Dockerfile") is None
    assert history.path_of(dockerfile) == "docker/Dockerfile"
    assert sorted(history.texts.values()) == [b"FROM x\n", b"FROM y\n"]


def test_names_are_read_as_they_are(tmp_path: Path) -> None:
    names = ["caf\udce9", 'say "hi"', "new\nline", "tab\t", "日本語", "*", "\\", "-n", ":x"]
    repository = Repository(tmp_path / "r")
    repository.commit({})
    repository.commit({f"d/{name}": b"1" for name in names})
    repository.check_out()
    expected = {f"d/{name}": "A" for name in names}
    assert _told(read_history(str(repository.path), []))[1] == expected
    assert _told(read_history(str(repository.path / "d"), []))[0] == expected


def test_a_directory_named_like_a_pattern_is_no_pattern(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"*/a": b"1", "b/a": b"1"})
    repository.commit({"b/a": b"2"})
    repository.check_out()
    assert _told(read_history(str(repository.path / "*"), [])) == [{"*/a": "A"}]


def test_fewer_commits_can_be_asked_for(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    for number in range(6):
        repository.commit({"a": str(number).encode()}, days=10)
    repository.check_out()
    history = read_history(str(repository.path), [], limit=2)
    assert [commit.first for commit in history.commits] == [False, False]
    assert history.commits[0].time < history.commits[1].time
    assert len(read_history(str(repository.path), [], since="2023-12-20").commits) == 3
    assert read_history(str(repository.path), [], since="2030-01-01").commits == ()


def test_a_shallow_clone_says_so_and_its_oldest_commit_is_no_change(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    for number in range(3):
        repository.commit({"a": str(number).encode()})
    repository.check_out()
    repository.git("clone", "-q", "--depth", "2", f"file://{repository.path}", str(tmp_path / "s"))
    history = read_history(str(tmp_path / "s"), [])
    assert history.shallow
    assert [commit.first for commit in history.commits] == [True, False]


def test_outside_of_a_repository_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"is in no git repository$"):
        read_history(str(tmp_path), [])


def test_a_repository_without_commits_is_named(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    with pytest.raises(NotFound, match=r"the git repository has no commits$"):
        read_history(str(repository.path), [])


def test_without_git_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFound, match="git is not in PATH"):
        read_history(str(tmp_path), [])


def test_gits_own_words_are_in_the_error(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"a": b"1"})
    repository.check_out()
    shutil.rmtree(repository.path / ".git" / "objects")
    (repository.path / ".git" / "objects").mkdir()
    with pytest.raises(MalformedInput, match=r"git log failed: .*bad object"):
        read_history(str(repository.path), [])


def test_a_repository_whose_work_tree_is_elsewhere_is_refused(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"a": b"1"})
    repository.check_out()
    (tmp_path / "elsewhere").mkdir()
    repository.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    with pytest.raises((MalformedInput, NotFound), match="work tree"):
        read_history(str(repository.path), [])


def test_nothing_that_the_repository_names_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"a": b"1", ".gitattributes": b"* diff=evil\n"})
    repository.commit({"a": b"2"})
    repository.check_out()
    proof = tmp_path / "was-run"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {proof}\ncat\n")
    script.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(script, hooks / hook)
    for name, value in {
        "core.pager": str(script),
        "pager.log": "true",
        "core.fsmonitor": str(script),
        "core.hooksPath": str(hooks),
        "core.sshCommand": str(script),
        "diff.external": str(script),
        "diff.evil.textconv": str(script),
        "diff.evil.command": str(script),
        "gpg.program": str(script),
        "log.showSignature": "true",
        "alias.log": f"!{script}",
        "log.diffMerges": "combined",
        "log.follow": "true",
        "diff.relative": "true",
        "diff.noprefix": "true",
        "color.ui": "always",
        "format.pretty": "oneline",
        "log.decorate": "full",
        "core.quotePath": "true",
    }.items():
        repository.git("config", name, value)
    for name in ("GIT_PAGER", "PAGER", "GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND"):
        monkeypatch.setenv(name, str(script))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    history = read_history(str(repository.path), [str(repository.path / "a")])
    assert _told(history)[1] == {"a": "M"}
    assert sorted(history.texts.values()) == [b"1", b"2"]
    assert not proof.exists()


def test_what_a_partial_clone_left_out_is_not_fetched(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r")
    repository.commit({"Dockerfile": b"FROM x\n", "d/a": b"1"})
    repository.commit({"Dockerfile": b"FROM y\n", "d/a": b"2"})
    repository.check_out()
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    source = f"file://{repository.path}"
    repository.git("clone", "-q", "--no-checkout", "--filter=blob:none", source, str(clone))
    proof = tmp_path / "was-run"
    script = tmp_path / "upload-pack"
    script.write_text(f'#!/bin/sh\ntouch {proof}\nexec git-upload-pack "$@"\n')
    script.chmod(0o755)
    repository.git("-C", str(clone), "config", "remote.origin.uploadpack", str(script))
    before = sorted(path.name for path in (clone / ".git").rglob("*"))
    history = read_history(str(clone), [str(clone / "Dockerfile")])
    assert _told(history)[1] == {"Dockerfile": "M", "d/a": "M"}
    assert history.partial
    assert not history.texts
    assert not proof.exists()
    assert sorted(path.name for path in (clone / ".git").rglob("*")) == before


def test_git_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(LimitExceeded, match="ask for fewer commits"):
        Git(str(tmp_path), seconds=0.2).output("log")
