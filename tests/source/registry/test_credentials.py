"""Credentials as docker and podman keep them, and the programs that keep them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerlens.errors import AccessDenied, LayerlensError
from layerlens.source.registry.credential_helper import ask_helper
from layerlens.source.registry.credentials import (
    CredentialStore,
    IdentityToken,
    UserPassword,
    auth_files,
)

from .asking import auth_entry, write_docker_config

HOST = "registry.example:5000"


def _found(
    document: Mapping[str, object], home: Path, registry: str, repository: str = ""
) -> object:
    write_docker_config(home, document)
    return CredentialStore().find(registry, repository)


def _helper(directory: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.mkdir(exist_ok=True)
    program = directory / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def test_no_file_is_nobody() -> None:
    assert CredentialStore().find(HOST, "team/app") is None


def test_a_password_may_hold_colons(home: Path) -> None:
    found = _found({"auths": {HOST: auth_entry("u", "a:b:c")}}, home, HOST)
    assert found == UserPassword("u", "a:b:c")


def test_the_longest_path_wins_and_then_the_host(home: Path) -> None:
    auths = {
        HOST: auth_entry("host", "x"),
        f"{HOST}/team": auth_entry("team", "x"),
        f"{HOST}/team/app": auth_entry("app", "x"),
    }
    for repository, user in (
        ("team/app", "app"),
        ("team/app/deep", "app"),
        ("team/application", "team"),
        ("other", "host"),
        ("", "host"),
    ):
        assert _found({"auths": auths}, home, HOST, repository) == UserPassword(user, "x")
    assert CredentialStore().find("registry.example", "team/app") is None
    assert CredentialStore().find("registry.example:5001", "team/app") is None


@pytest.mark.parametrize(
    "key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"]
)
def test_docker_hub_has_a_key_of_its_own(key: str, home: Path) -> None:
    assert _found({"auths": {key: auth_entry("u", "p")}}, home, "docker.io", "library/x") == (
        UserPassword("u", "p")
    )


@pytest.mark.parametrize("key", [f"https://{HOST}", f"https://{HOST}/v1/", f"{HOST}/"])
def test_a_key_may_be_a_url_as_docker_once_wrote_it(key: str, home: Path) -> None:
    assert _found({"auths": {key: auth_entry("u", "p")}}, home, HOST) == UserPassword("u", "p")


def test_identity_tokens(home: Path) -> None:
    entry = {"auth": "", "identitytoken": "refresh-me"}
    assert _found({"auths": {HOST: entry}}, home, HOST) == IdentityToken("refresh-me")
    entry = auth_entry("<token>", "refresh-too")
    assert _found({"auths": {HOST: entry}}, home, HOST) == IdentityToken("refresh-too")


def test_the_files_in_their_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "named.json"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "docker"))
    files = auth_files(os.environ)
    assert [str(path.relative_to(home)) for path in files] == [
        "named.json",
        "run/containers/auth.json",
        "config/containers/auth.json",
        "docker/config.json",
    ]
    for number, path in reversed(list(enumerate(files))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"auths": {HOST: auth_entry(f"user-{number}", "p")}}))
        assert CredentialStore().find(HOST, "") == UserPassword(f"user-{number}", "p")


def test_an_empty_entry_leads_to_the_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'read server; printf \'{"ServerURL":"%s","Username":"u","Secret":"%s"}\' $server $1'
    _helper(home / "bin", "kept", script, monkeypatch)
    document = {"auths": {HOST: {}}, "credsStore": "kept"}
    assert _found(document, home, HOST) == UserPassword("u", "get")


def test_a_helper_for_the_host_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'read server; printf \'{"Username":"<token>","Secret":"for %s"}\' $server'
    _helper(home / "bin", "kept", script, monkeypatch)
    document = {"auths": {HOST: auth_entry("u", "p")}, "credHelpers": {HOST: "kept"}}
    assert _found(document, home, HOST) == IdentityToken(f"for {HOST}")
    hub = {"credHelpers": {"docker.io": "kept"}}
    assert _found(hub, home, "docker.io") == IdentityToken("for https://index.docker.io/v1/")


def test_a_helper_without_credentials(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "echo credentials not found in native keychain; exit 1"
    _helper(home / "bin", "empty", script, monkeypatch)
    assert _found({"credsStore": "empty"}, home, HOST) is None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo the keyring is locked; echo hush >&2; exit 1", "the keyring is locked"),
        ('echo \'{"Secret":"hush"}\'; exit 3', "exit 3"),
        ("echo hush", "something else than credentials"),
        ('echo \'{"Secret":["hush"]}\'', "something else than credentials"),
    ],
)
def test_a_helper_that_fails(
    script: str, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _helper(home / "bin", "broken", script, monkeypatch)
    with pytest.raises(AccessDenied) as raised:
        _found({"credsStore": "broken"}, home, HOST)
    assert said in str(raised.value)
    assert "docker-credential-broken" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_helper_that_hangs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _helper(home / "bin", "slow", "sleep 30", monkeypatch)
    started = time.monotonic()
    with pytest.raises(AccessDenied, match="within"):
        ask_helper("slow", HOST, os.environ, timeout=0.2)
    assert time.monotonic() - started < 10


def test_a_helper_is_asked_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'echo x >> {home}/count; echo \'{{"Username":"u","Secret":"p"}}\''
    _helper(home / "bin", "counted", script, monkeypatch)
    write_docker_config(home, {"credsStore": "counted"})
    store = CredentialStore()
    assert store.find(HOST, "a") == store.find(HOST, "b/c") == UserPassword("u", "p")
    assert (home / "count").read_text() == "x\n"


def test_a_helper_that_is_missing(home: Path) -> None:
    with pytest.raises(AccessDenied, match="docker-credential-none-such"):
        _found({"credsStore": "none-such"}, home, HOST)


@pytest.mark.parametrize("name", ["../evil", "a b", "x;y", "-rf", "/bin/sh"])
def test_a_helper_s_name_is_no_path_and_no_command(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("was run")

    monkeypatch.setattr("subprocess.run", never)
    with pytest.raises(AccessDenied, match="no name of a credential helper"):
        _found({"credsStore": name}, home, HOST)


@pytest.mark.parametrize(
    "content",
    [json.dumps({"auths": {HOST: {"auth": "hush!"}}}), "hush", '["hush"]', '{"auths": 3}'],
)
def test_a_broken_file_is_named_and_not_shown(content: str, home: Path) -> None:
    path = home / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(LayerlensError) as raised:
        CredentialStore().find(HOST, "team/app")
    assert str(path) in str(raised.value)
    assert "hush" not in str(raised.value)


def test_secrets_are_not_in_a_representation() -> None:
    assert "hush" not in repr((UserPassword("u", "hush"), IdentityToken("hush")))
