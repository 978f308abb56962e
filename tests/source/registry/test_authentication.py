"""Who may read, by token, password or identity token; and where credentials must never arrive."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from registry_access import (
    ANONYMOUS,
    TOKEN_PATH,
    BasicAccess,
    CredentialsRefused,
    TokenAccess,
    TokenPolicy,
    TokenService,
)
from registry_certificate import make_certificate, needs_openssl
from registry_faults import Answer, Delayed, OtherBody, Padded, Redirect, SetHeader
from registry_rules import Rule
from registry_server import RegistryServer, serve

from layerlens.errors import (
    AccessDenied,
    DigestMismatch,
    LayerlensError,
    LimitExceeded,
    RegistryError,
    RegistryUnavailable,
)
from layerlens.oci.digest import Digest

from .asking import (
    PASSWORD,
    REPOSITORY,
    USER,
    auth_entry,
    client,
    held,
    log_in,
    served_image,
    write_docker_config,
)

SMALL = ["0 A /a", "1 A /b"]
MINE = {USER: ("repository:team/*",)}


def _tokens(
    *,
    grants: Mapping[str, tuple[str, ...]] | None = None,
    lifetime: float | None = 300,
    uses: int | None = None,
    names: tuple[str, ...] = ("token",),
) -> TokenService:
    return TokenService(
        TokenPolicy(
            users={USER: PASSWORD},
            identity_tokens={"refresh-me": USER},
            grants=MINE if grants is None else grants,
            lifetime=lifetime,
            uses=uses,
            names=names,
        )
    )


def _secrets_in(registry: RegistryServer) -> int:
    basic = auth_entry()["auth"]
    found = [registry.log.holding(word) for word in (basic, PASSWORD, "registry-token", "refresh")]
    return sum(map(len, found)) + len(registry.log.authorized())


# ---- basic ----


def test_basic(home: Path) -> None:
    with serve(served_image(), access=BasicAccess(users={USER: PASSWORD})) as registry:
        log_in(home, registry)
        assert held(registry) == SMALL
        unauthorized = len(registry.log.requests) - len(registry.log.authorized())
        assert unauthorized <= 2  # to find out that it is http, and whom it lets in


def test_basic_without_credentials_says_how_to_get_some() -> None:
    with serve(served_image(), access=BasicAccess(users={USER: PASSWORD})) as registry:
        with pytest.raises(AccessDenied) as raised:
            held(registry)
        assert f"skopeo login {registry.host}" in str(raised.value)


def test_basic_with_wrong_credentials_is_tried_once(home: Path) -> None:
    with serve(served_image(), access=BasicAccess(users={USER: "another"})) as registry:
        log_in(home, registry)
        with pytest.raises(AccessDenied) as raised:
            held(registry)
        assert len(registry.log.authorized()) == 1
        assert PASSWORD not in str(raised.value)


# ---- tokens ----


def test_an_anonymous_token() -> None:
    tokens = _tokens(grants={ANONYMOUS: ("repository:team/*",)})
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        assert held(registry) == SMALL
        assert len(tokens.issued) == 1
        assert registry.log.count(path=TOKEN_PATH) == 1


@pytest.mark.parametrize("names", [("token",), ("access_token",), ("token", "access_token")])
def test_a_token_for_a_user(names: tuple[str, ...], home: Path) -> None:
    tokens = _tokens(names=names)
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        assert held(registry) == SMALL
        assert len(tokens.issued) == 1


def test_an_identity_token(home: Path) -> None:
    tokens = _tokens()
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        entry = {"auth": auth_entry("<token>", "")["auth"], "identitytoken": "refresh-me"}
        write_docker_config(home, {"auths": {registry.host: entry}})
        assert held(registry) == SMALL
        (asked,) = registry.log.matching("POST", TOKEN_PATH)
        assert asked.form["grant_type"] == ("refresh_token",)
        assert asked.form["scope"] == (f"repository:{REPOSITORY}:pull",)


def test_a_token_that_is_not_good_any_more_is_renewed_once(home: Path) -> None:
    tokens = _tokens(uses=2)
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        assert held(registry) == SMALL
        assert 1 < len(tokens.issued) <= 4


def test_a_token_is_renewed_before_it_expires(home: Path) -> None:
    tokens = _tokens(lifetime=1)
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        asked = client(registry)
        asked.manifest(REPOSITORY, "1")
        time.sleep(1.1)
        registry.log.clear()
        asked.manifest(REPOSITORY, "1")
        # Its token is known to be too old: nothing is sent that would be refused.
        assert [request.path for request in registry.log.requests] == [
            TOKEN_PATH,
            f"/v2/{REPOSITORY}/manifests/1",
        ]


def test_repositories_have_tokens_of_their_own_and_no_further_401s(home: Path) -> None:
    tokens = _tokens()
    content = served_image()
    content.repositories["team/other"] = content.repositories[REPOSITORY]
    with serve(content, access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        asked = client(registry)
        asked.manifest(REPOSITORY, "1")
        registry.log.clear()
        asked.manifest("team/other", "1")
        asked.manifest("team/other", "1")
        assert [request.path for request in registry.log.requests] == [
            TOKEN_PATH,
            *2 * ["/v2/team/other/manifests/1"],
        ]


def test_a_token_that_never_suffices_is_no_endless_loop(home: Path) -> None:
    tokens = _tokens(grants={})
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        with pytest.raises(AccessDenied, match="access denied"):
            held(registry)
        assert registry.log.count() < 8


def test_challenges_in_odd_forms(home: Path) -> None:
    odd = (
        'Negotiate, BEARER  Realm = "{realm}" ,SERVICE="{service}",scope="{scope}"',
        'Basic realm="unused, really"',
    )
    access = TokenAccess(service=_tokens(), challenges=odd)
    with serve(served_image(), access=access) as registry:
        log_in(home, registry)
        assert held(registry) == SMALL


def test_a_way_in_that_is_not_known() -> None:
    access = TokenAccess(service=_tokens(), challenges=("Negotiate",))
    refused = pytest.raises(AccessDenied, match="negotiate")
    with serve(served_image(), access=access) as registry, refused:
        held(registry)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", RegistryError),
        (b"{}", RegistryError),
        (b'{"token": 7}', RegistryError),
        (b'{"token": "a\\r\\nX-Evil: 1"}', RegistryError),
        (b'{"token": "hush hush"}', RegistryError),
        (b"[" * 1000, RegistryError),
    ],
)
def test_a_realm_that_gives_rubbish(body: bytes, error: type[LayerlensError], home: Path) -> None:
    rule = Rule(fault=OtherBody(body), path=TOKEN_PATH)
    with serve(served_image(), access=TokenAccess(service=_tokens()), rules=(rule,)) as registry:
        log_in(home, registry)
        with pytest.raises(error, match="the token from") as raised:
            held(registry)
        assert "hush" not in str(raised.value)
        assert "?" not in str(raised.value)


def test_a_realm_without_end(home: Path) -> None:
    rule = Rule(fault=Padded(40 << 20), path=TOKEN_PATH)
    with serve(served_image(), access=TokenAccess(service=_tokens()), rules=(rule,)) as registry:
        log_in(home, registry)
        with pytest.raises(LimitExceeded, match="at most 1048576"):
            held(registry)


def test_a_realm_that_hangs(home: Path) -> None:
    rule = Rule(fault=Delayed(1e6), path=TOKEN_PATH)
    with serve(served_image(), access=TokenAccess(service=_tokens()), rules=(rule,)) as registry:
        log_in(home, registry)
        with pytest.raises(RegistryUnavailable, match="timed out"):
            held(registry)


def test_a_wrong_password_at_a_realm(home: Path) -> None:
    tokens = TokenService(TokenPolicy(users={USER: "another"}))
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        with pytest.raises(AccessDenied, match="refused: 401 Unauthorized") as raised:
            held(registry)
        assert PASSWORD not in str(raised.value)


# ---- where credentials may go ----


def test_a_realm_on_another_host_over_http_gets_no_credentials(home: Path) -> None:
    tokens = _tokens(grants={ANONYMOUS: ("repository:team/*",)})
    with serve(served_image(), access=TokenAccess(service=tokens)) as realm:
        elsewhere = f"http://{realm.other_name}{TOKEN_PATH}"
        access = TokenAccess(service=tokens, realm=elsewhere)
        with serve(served_image(), access=access) as registry:
            log_in(home, registry)
            assert held(registry) == SMALL  # as nobody
            assert realm.log.count(path=TOKEN_PATH) == 1
            assert _secrets_in(realm) == 0


def test_and_where_nobody_gets_in_the_error_says_why(home: Path) -> None:
    tokens = _tokens()
    with serve(served_image(), access=TokenAccess(service=tokens)) as realm:
        realm.declare(Rule(fault=Answer(status=401), path=TOKEN_PATH))
        access = TokenAccess(service=tokens, realm=f"http://{realm.other_name}{TOKEN_PATH}")
        with serve(served_image(), access=access) as registry:
            log_in(home, registry)
            with pytest.raises(AccessDenied, match="no credentials are sent there"):
                held(registry)


def test_a_realm_by_http_on_a_host_that_nobody_named() -> None:
    access = TokenAccess(service=_tokens(), realm="http://192.0.2.1/token")
    refused = pytest.raises(RegistryError, match=r"needs --plain-http 192\.0\.2\.1")
    with serve(served_image(), access=access) as registry, refused:
        held(registry)


def test_a_user_in_the_realm_s_url_is_not_sent(home: Path) -> None:
    tokens = _tokens(grants={ANONYMOUS: ("repository:team/*",)})
    with serve(served_image(), access=TokenAccess(service=tokens)) as realm:
        address = f"http://evil:trap@{realm.host}{TOKEN_PATH}"
        with serve(served_image(), access=TokenAccess(service=tokens, realm=address)) as registry:
            assert held(registry) == SMALL
            assert len(realm.log.authorized()) == 0


@needs_openssl
def test_an_https_registry_s_realm_must_be_https(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))
    tokens = _tokens()
    with serve(served_image(), access=TokenAccess(service=tokens)) as realm:
        access = TokenAccess(service=tokens, realm=realm.url + TOKEN_PATH)
        with serve(served_image(), access=access, certificate=certificate) as registry:
            log_in(home, registry)
            with pytest.raises(RegistryError, match="not https"):
                held(registry)
            assert len(realm.log.requests) == 0


def test_a_redirect_to_another_origin_gets_no_credentials(home: Path) -> None:
    content = served_image()
    with serve(content, access=CredentialsRefused()) as storage:
        redirect = Rule(
            fault=Redirect(location=f"{storage.url}{{target}}?signature=hush"), path="*/blobs/*"
        )
        access = BasicAccess(users={USER: PASSWORD})
        with serve(content, access=access, rules=(redirect,)) as registry:
            log_in(home, registry)
            assert held(registry) == SMALL
            assert storage.log.count(path="*/blobs/*") == 3
            assert _secrets_in(storage) == 0


def test_a_redirect_and_back_does_not_bring_them_back(home: Path) -> None:
    content = served_image()
    access = BasicAccess(users={USER: PASSWORD})
    with serve(content) as storage, serve(content, access=access) as registry:
        log_in(home, registry)
        blobs = "*/blobs/*"
        registry.declare(
            Rule(fault=Redirect(location=f"{storage.url}{{target}}"), path=blobs, times=1)
        )
        storage.declare(Rule(fault=Redirect(location=f"{registry.url}{{target}}"), path=blobs))
        with pytest.raises(AccessDenied):
            held(registry)


def test_a_storage_s_challenge_is_not_answered(home: Path) -> None:
    content = served_image()
    with serve(content, access=BasicAccess(users={USER: PASSWORD})) as storage:
        redirect = Rule(fault=Redirect(location=f"{storage.url}{{target}}"), path="*/blobs/*")
        with serve(content, rules=(redirect,)) as registry:
            write_docker_config(
                home, {"auths": {registry.host: auth_entry(), storage.host: auth_entry()}}
            )
            with pytest.raises(AccessDenied):
                held(registry)
            assert len(storage.log.authorized()) == 0


def test_a_netrc_is_not_read(home: Path) -> None:
    netrc = home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login evil password trap\ndefault login e password t\n")
    netrc.chmod(0o600)
    tokens = _tokens(grants={ANONYMOUS: ("repository:team/*",)})
    content = served_image()
    with serve(content) as storage:
        redirect = Rule(fault=Redirect(location=f"{storage.url}{{target}}"), path="*/blobs/*")
        with serve(content, access=TokenAccess(service=tokens), rules=(redirect,)) as registry:
            assert held(registry) == SMALL
            sent = [request.headers["authorization"] for request in registry.log.authorized()]
            assert sent
            assert all(value.startswith("Bearer registry-token") for value in sent)
            assert len(storage.log.authorized()) == 0


def test_cookies_are_not_kept() -> None:
    cookie = Rule(fault=SetHeader("Set-Cookie", "session=hush; Path=/"))
    with serve(served_image(), rules=(cookie,)) as registry:
        assert held(registry) == SMALL
        assert not any("cookie" in request.headers for request in registry.log.requests)


def test_nothing_secret_is_in_an_error_even_if_the_registry_repeats_it(home: Path) -> None:
    tokens = _tokens()
    with serve(served_image(), access=TokenAccess(service=tokens)) as registry:
        log_in(home, registry)
        echo = json.dumps(
            {"errors": [{"code": "DENIED", "message": "not Bearer registry-token-1"}]}
        )
        registry.declare(Rule(fault=Answer(status=403, body=echo.encode()), path="*/manifests/*"))
        with pytest.raises(AccessDenied) as raised:
            held(registry)
        assert "registry-token" not in str(raised.value)


def test_a_digest_is_still_checked_behind_a_login(home: Path) -> None:
    with serve(served_image(), access=BasicAccess(users={USER: PASSWORD})) as registry:
        log_in(home, registry)
        digest = Digest.parse(registry.content.repositories[REPOSITORY].tags["1"])
        registry.declare(Rule(fault=OtherBody(b"{}"), path="*/manifests/*"))
        with pytest.raises(DigestMismatch):
            client(registry).manifest(REPOSITORY, digest)
