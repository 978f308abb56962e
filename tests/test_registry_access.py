"""The test registry lets in whom its access says, and records who sent what."""

from __future__ import annotations

from urllib.parse import quote

from registry_access import (
    ANONYMOUS,
    BasicAccess,
    CredentialsRefused,
    TokenAccess,
    TokenPolicy,
    TokenService,
)
from registry_client import BLOB, DATA, NAME, Got, ask, basic, content_of
from registry_content import RegistryContent
from registry_faults import Redirect
from registry_rules import Rule
from registry_server import serve


def test_basic_access() -> None:
    with serve(content_of(), access=BasicAccess(users={"ann": "a:b"})) as registry:
        refused = ask(registry, BLOB)
        wrong = ask(registry, BLOB, headers={"Authorization": basic("ann", "b")})
        given = ask(registry, BLOB, headers={"Authorization": basic("ann", "a:b")})
    assert (refused.status, wrong.status, given.status) == (401, 401, 200)
    assert refused.headers["www-authenticate"] == 'Basic realm="test registry"'


POLICY = TokenPolicy(
    users={"ann": "secret"},
    identity_tokens={"ann-identity": "ann"},
    grants={ANONYMOUS: ("repository:open/*",), "ann": ("repository:*", "registry:catalog")},
)
SCOPE = quote(f"repository:{NAME}:pull")


def token(got: Got) -> str:
    """The token of a realm's answer."""
    assert got.status == 200, got.body
    assert isinstance(got.document, dict)
    return str(got.document.get("token") or got.document["access_token"])


def bearer(got: Got) -> dict[str, str]:
    """The header that uses a realm's answer."""
    return {"Authorization": f"Bearer {token(got)}"}


def test_token_by_basic_credentials() -> None:
    with serve(content_of(), access=TokenAccess(service=TokenService(POLICY))) as registry:
        refused = ask(registry, BLOB)
        realm = f"/token?service=test%20registry&scope={SCOPE}"
        nobody = bearer(ask(registry, realm))
        ann = bearer(ask(registry, realm, headers={"Authorization": basic("ann", "secret")}))
        wrong = ask(registry, realm, headers={"Authorization": basic("ann", "Secret")})
        foreign = ask(registry, f"/token?service=other&scope={SCOPE}")
        assert ask(registry, BLOB, headers=ann).body == DATA
        insufficient = ask(registry, BLOB, headers=nobody)
        catalog = ask(registry, "/v2/_catalog", headers=ann)
        assert ask(registry, "/v2/", headers=nobody).status == 200
        challenge = f'Bearer realm="{registry.url}/token",service="test registry",'
    challenge += f'scope="repository:{NAME}:pull"'
    assert (refused.status, refused.headers["www-authenticate"]) == (401, challenge)
    assert insufficient.headers["www-authenticate"] == challenge + ',error="insufficient_scope"'
    assert catalog.headers["www-authenticate"].count("registry:catalog:*") == 1
    assert (wrong.status, foreign.status, catalog.status) == (401, 400, 401)


def test_token_by_identity_token() -> None:
    with serve(content_of(), access=TokenAccess(service=TokenService(POLICY))) as registry:
        form = f"grant_type=refresh_token&service=test+registry&client_id=x&scope={SCOPE}"
        given = ask(
            registry, "/token", method="POST", body=f"{form}&refresh_token=ann-identity".encode()
        )
        wrong = ask(registry, "/token", method="POST", body=f"{form}&refresh_token=x".encode())
        assert isinstance(given.document, dict)
        assert set(given.document) == {"access_token", "expires_in"}
        assert ask(registry, BLOB, headers=bearer(given)).body == DATA
        assert wrong.status == 400
        assert len(registry.log.holding("ann-identity")) == 1


def test_tokens_expire_by_use_by_time_and_at_once() -> None:
    policy = TokenPolicy(grants={ANONYMOUS: ("*",)}, uses=2, lifetime=None)
    service = TokenService(policy)
    realm = f"/token?service=test%20registry&scope={SCOPE}"
    with serve(content_of(), access=TokenAccess(service=service)) as registry:
        first = ask(registry, realm)
        assert first.document == {"token": "registry-token-1"}
        statuses = [ask(registry, BLOB, headers=bearer(first)).status for _ in range(3)]
        assert statuses == [200, 200, 401]
        second = bearer(ask(registry, realm))
        service.expire_all()
        expired = ask(registry, BLOB, headers=second)
        assert expired.headers["www-authenticate"].endswith('error="invalid_token"')
        assert service.issued == ("registry-token-1", "registry-token-2")
    brief = TokenService(TokenPolicy(grants={ANONYMOUS: ("*",)}, lifetime=0))
    with serve(content_of(), access=TokenAccess(service=brief)) as registry:
        late = bearer(ask(registry, realm))
        assert ask(registry, BLOB, headers=late).status == 401


def test_realm_of_another_server_and_several_challenges() -> None:
    service = TokenService(TokenPolicy(grants={ANONYMOUS: ("*",)}, names=("access_token",)))
    with serve(RegistryContent(), access=TokenAccess(service=service)) as realm:
        challenges = ('Basic realm="x"', 'bEARER Realm="{realm}", SERVICE="{service}"')
        access = TokenAccess(service=service, realm=f"{realm.url}/token", challenges=challenges)
        with serve(content_of(), access=access) as registry:
            refused = ask(registry, BLOB)
            given = ask(realm, f"/token?service=test%20registry&scope={SCOPE}")
            assert ask(registry, BLOB, headers=bearer(given)).body == DATA
            assert registry.log.count(path="/token") == 0
            assert realm.log.count(path="/token") == 1
    # http.client gives the last line of a repeated header.
    line = f'bEARER Realm="{realm.url}/token", SERVICE="test registry"'
    assert refused.headers["www-authenticate"] == line


def test_credentials_at_another_origin_are_refused_and_recorded() -> None:
    content = content_of()
    with serve(content, access=CredentialsRefused()) as storage, serve(content) as registry:
        registry.declare(Rule(fault=Redirect(location=storage.url + "{target}")))
        assert ask(registry, BLOB).headers["location"] == storage.url + BLOB
        assert ask(storage, BLOB).body == DATA
        assert storage.log.authorized() == ()
        assert ask(storage, BLOB, headers={"Authorization": "Bearer abc"}).status == 400
        assert storage.log.holding("abc") == storage.log.authorized() != ()
