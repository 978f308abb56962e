"""The test registry does what its values say: to skopeo, where there is one, and to http.client."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import pytest
from archive_forms import MANIFEST_TYPE, Layout
from image_builder import BuiltImage, Json, digest_of, file, image, json_bytes, layer
from registry_access import (
    ANONYMOUS,
    BasicAccess,
    CredentialsRefused,
    TokenAccess,
    TokenPolicy,
    TokenService,
)
from registry_answers import Cursor, LastPage, LinkForm, Pages
from registry_certificate import make_certificate, needs_openssl
from registry_content import (
    DOCKER_GZIP,
    OCI_PLAIN,
    SIGNED_SCHEMA_1_TYPE,
    ImageForm,
    RegistryContent,
)
from registry_faults import (
    FOREVER,
    Answer,
    AtDate,
    Busy,
    Corrupted,
    CutOff,
    Delayed,
    Failure,
    InSeconds,
    OtherBody,
    Padded,
    Ranges,
    RateLimit,
    Redirect,
    RedirectChain,
    SaysNothingOfHttp,
    SetHeader,
    Slow,
    Truncated,
    WithoutHeader,
    WithoutLength,
)
from registry_messages import Chunked, Ending, RangeSupport, UntilClosed
from registry_rules import Fault, Rule
from registry_server import RegistryServer, serve

NAME = "team/app"
DATA = bytes(range(200)) * 5
BLOB = f"/v2/{NAME}/blobs/{digest_of(DATA)}"
needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as http.client read it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Json:
        """The body as JSON."""
        document: Json = json.loads(self.body)
        return document


def ask(
    registry: RegistryServer,
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Got:
    """One request over a connection of its own."""
    with Client(registry) as client:
        return client.ask(target, method=method, headers=headers, body=body)


class Client:
    """One connection."""

    def __init__(self, registry: RegistryServer, *, timeout: float = 10) -> None:
        self._connection = http.client.HTTPConnection(registry.host, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Got:
        """One request."""
        self._connection.request(method, target, body=body, headers=dict(headers or {}))
        with self._connection.getresponse() as answer:
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, fields, answer.read())


def basic(user: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def app() -> BuiltImage:
    """An image of two layers."""
    return image(
        layer(file("/a", b"x" * 5000), created_by="COPY a /"),
        layer(file("/b", b"y"), created_by="COPY b /"),
    )


def content_of(*names: str) -> RegistryContent:
    """Empty repositories by name, or one with DATA as a blob."""
    content = RegistryContent()
    for name in names:
        content.repository(name)
    if not names:
        content.add_blob(NAME, DATA)
    return content


@pytest.fixture
def faulty(request: pytest.FixtureRequest) -> Iterator[RegistryServer]:
    """DATA behind no faults yet."""
    with serve(content_of()) as registry:
        yield registry


# ---- manifests and blobs ----


def test_manifest_by_tag_and_digest() -> None:
    content = RegistryContent()
    digest = content.add_image(NAME, app(), "1")
    with serve(content) as registry:
        by_tag = ask(registry, f"/v2/{NAME}/manifests/1")
        by_digest = ask(registry, f"/v2/{NAME}/manifests/{digest}")
        head = ask(registry, f"/v2/{NAME}/manifests/1", method="HEAD")
        unknown = ask(registry, f"/v2/{NAME}/manifests/2")
    assert by_tag == by_digest
    assert digest_of(by_tag.body) == digest == by_tag.headers["docker-content-digest"]
    assert by_tag.headers["content-type"] == MANIFEST_TYPE
    assert head == Got(200, by_tag.headers, b"")
    assert unknown.status == 404
    assert b"MANIFEST_UNKNOWN" in unknown.body


def test_manifest_whose_type_is_not_accepted_is_not_found() -> None:
    content = RegistryContent()
    content.add_image(NAME, app(), "1")
    with serve(content) as registry:
        path = f"/v2/{NAME}/manifests/1"
        refused = ask(registry, path, headers={"Accept": "application/json"})
        given = ask(registry, path, headers={"Accept": f"text/html, {MANIFEST_TYPE}"})
    assert (refused.status, given.status) == (404, 200)


@pytest.mark.parametrize(
    ("asked", "status", "expected", "content_range"),
    [
        ("bytes=0-4", 206, DATA[:5], "bytes 0-4/1000"),
        ("bytes=990-", 206, DATA[990:], "bytes 990-999/1000"),
        ("bytes=990-5000", 206, DATA[990:], "bytes 990-999/1000"),
        ("bytes=-10", 206, DATA[-10:], "bytes 990-999/1000"),
        ("bytes=1000-", 416, b"", "bytes */1000"),
        ("bytes=0-1,5-6", 200, DATA, None),
        ("lines=0-1", 200, DATA, None),
    ],
)
def test_ranges_of_a_blob(
    asked: str, status: int, expected: bytes, content_range: str | None
) -> None:
    with serve(content_of()) as registry:
        got = ask(registry, BLOB, headers={"Range": asked})
    assert (got.status, got.body) == (status, expected)
    assert got.headers.get("content-range") == content_range


def test_blobs_belong_to_their_repository() -> None:
    content = content_of()
    content.repository("other")
    with serve(content) as registry:
        assert ask(registry, BLOB).body == DATA
        assert ask(registry, BLOB.replace(NAME, "other")).status == 404
        assert ask(registry, BLOB.replace(NAME, "nobody")).status == 404


def test_schema_1_and_layouts_can_be_served() -> None:
    content = RegistryContent()
    content.add_schema_1(NAME, app(), "old")
    layout = Layout()
    first = layout.add_image(app())
    index = layout.add_index(first)
    blobs = {
        "sha256:" + path.rpartition("/")[2]: data
        for path, data in layout.blobs.items()
        if isinstance(data, bytes)
    }
    digest = content.add_layout(NAME, blobs, index, "new")
    with serve(content) as registry:
        old = ask(registry, f"/v2/{NAME}/manifests/old")
        new = ask(registry, f"/v2/{NAME}/manifests/new")
        inner = ask(registry, f"/v2/{NAME}/manifests/{first['digest']}")
    assert old.headers["content-type"] == SIGNED_SCHEMA_1_TYPE
    assert new.headers["docker-content-digest"] == digest == index["digest"]
    assert digest_of(inner.body) == first["digest"]


def test_referrers_by_api_and_by_tag() -> None:
    content = RegistryContent()
    subject = content.add_image(NAME, app(), "1")
    other = content.add_image(NAME, image(layer(file("/c"))))
    fields: dict[str, Json] = {
        "subject": content.descriptor(NAME, subject),
        "artifactType": "application/vnd.example",
    }
    referrer = content.add_image(NAME, app(), overrides=fields)
    content.add_referrers_tag(NAME, subject)
    rule = Rule(fault=Answer(status=404), path="/v2/*/referrers/*", skip=2)
    with serve(content, rules=(rule,)) as registry:
        by_api = ask(registry, f"/v2/{NAME}/referrers/{subject}")
        nothing = ask(registry, f"/v2/{NAME}/referrers/{other}")
        gone = ask(registry, f"/v2/{NAME}/referrers/{subject}")
        by_tag = ask(registry, f"/v2/{NAME}/manifests/{subject.replace(':', '-')}")
    expected = {**content.descriptor(NAME, referrer), "artifactType": "application/vnd.example"}
    assert isinstance(by_api.document, dict)
    assert by_api.document["manifests"] == [expected]
    assert isinstance(nothing.document, dict)
    assert nothing.document["manifests"] == []
    assert gone.status == 404
    assert by_tag.document == by_api.document


# ---- lists ----

TAGS = tuple(f"tag/{number}&+ " for number in range(7))


def pages_of(registry: RegistryServer, target: str, limit: int = 10) -> list[list[str]]:
    """The names page by page, following the first link that says it leads on."""
    found: list[list[str]] = []
    url = registry.url + target
    with Client(registry) as client:
        while len(found) < limit:
            parts = urlsplit(url)
            got = client.ask(f"{parts.path}?{parts.query}" if parts.query else parts.path)
            assert got.status == 200, got.body
            document = got.document
            assert isinstance(document, dict)
            names = document["repositories" if "_catalog" in target else "tags"]
            assert isinstance(names, list)
            found.append([str(name) for name in names])
            links = got.headers.get("link", "").replace('"', "").lower().split(", <")
            leading = [link for link in links if "rel=next" in link]
            if not leading:
                break
            url = urljoin(url, leading[0].lstrip("<").partition(">")[0])
    return found


@pytest.mark.parametrize("cursor", Cursor)
@pytest.mark.parametrize("link", LinkForm)
@pytest.mark.parametrize("count", [6, 7])
def test_pages_have_every_name_once(cursor: Cursor, link: LinkForm, count: int) -> None:
    names = TAGS[:count]
    pages = Pages(size=3, cursor=cursor, link=link)
    content = content_of(*names)
    for name in names:
        content.add_manifest(NAME, b"{}", MANIFEST_TYPE, name)
    with serve(content, pages=pages) as registry:
        expected = [list(names[start : start + 3]) for start in range(0, count, 3)]
        assert pages_of(registry, f"/v2/{NAME}/tags/list") == expected
        catalog = pages_of(registry, "/v2/_catalog?n=2")
        assert [name for page in catalog for name in page] == sorted((*names, NAME))


def test_forms_of_links() -> None:
    written = {}
    for link in LinkForm:
        pages = Pages(size=1, link=link, origin="http://elsewhere.example")
        with serve(content_of("a", "b"), pages=pages) as registry:
            written[link] = ask(registry, "/v2/_catalog").headers["link"]
    assert written == {
        LinkForm.RELATIVE: '</v2/_catalog?n=1&last=a>; rel="next"',
        LinkForm.ABSOLUTE: '<http://elsewhere.example/v2/_catalog?n=1&last=a>; rel="next"',
        LinkForm.QUERY_ONLY: '<?n=1&last=a>; rel="next"',
        LinkForm.LAST_SEGMENT: '<_catalog?n=1&last=a>; rel="next"',
        LinkForm.UNQUOTED: "</v2/_catalog?n=1&last=a>;REL=next",
        LinkForm.AMONG_OTHERS: '</v2/_catalog>; rel="first", '
        '</v2/_catalog?n=1&last=a>; rel="next", </v2/_catalog>; title="a, b"; rel="up"',
    }


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (LastPage.STOPS, ["ab", "cd"]),
        (LastPage.EMPTY, ["ab", "cd", ""]),
        (LastPage.LOOPS, ["ab", "cd", "ab", "cd", "ab"]),
        (LastPage.REPEATS, ["ab"] * 5),
        (LastPage.ENDLESS, ["ab", "cd", "ab", "cd", "ab"]),
    ],
)
@pytest.mark.parametrize("cursor", Cursor)
def test_where_the_last_page_leads(last: LastPage, expected: list[str], cursor: Cursor) -> None:
    pages = Pages(size=2, last=last, cursor=cursor)
    with serve(content_of("a", "b", "c", "d"), pages=pages) as registry:
        found = pages_of(registry, "/v2/_catalog", limit=5)
        targets = [request.target for request in registry.log.requests]
    assert ["".join(page) for page in found] == expected
    # Only a loop asks the same again; cursors without an end never do.
    assert (len(set(targets)) == len(targets)) is (last not in (LastPage.LOOPS, LastPage.REPEATS))


def test_opaque_cursor_that_was_decoded_is_refused() -> None:
    with serve(content_of("a", "b"), pages=Pages(size=1, cursor=Cursor.OPAQUE)) as registry:
        link = ask(registry, "/v2/_catalog").headers["link"]
        assert "next_page=%2B%2F1%3D%26" in link
        assert ask(registry, "/v2/_catalog?n=1&next_page=+/1=&").status == 400


def test_repository_without_tags_says_null() -> None:
    with serve(content_of("empty")) as registry:
        assert ask(registry, "/v2/empty/tags/list").document == {"name": "empty", "tags": None}


# ---- access ----


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


# ---- faults ----


def meet(registry: RegistryServer, fault: Fault, **headers: str) -> Got:
    """The blob, met by a fault once."""
    registry.declare(Rule(fault=fault, times=1))
    got = ask(registry, BLOB, headers=headers)
    assert ask(registry, BLOB).body == DATA
    return got


def test_rules_count_the_requests_that_match() -> None:
    rule = Rule(fault=Failure(500), method="GET", path="/v2/*/blobs/*", skip=1, times=2)
    with serve(content_of(), rules=(rule,)) as registry:
        ask(registry, BLOB, method="HEAD")
        ask(registry, "/v2/")
        statuses = [ask(registry, BLOB).status for _ in range(4)]
        assert statuses == [200, 500, 500, 200]
        registry.declare(Rule(fault=Failure(503)))
        assert ask(registry, BLOB).status == 503
        registry.withdraw_rules()
        assert ask(registry, BLOB).status == 200


def test_refused_requests_do_not_count() -> None:
    access = BasicAccess(users={"ann": "secret"})
    with serve(content_of(), access=access, rules=(Rule(fault=Failure(500), times=1),)) as registry:
        header = {"Authorization": basic("ann", "secret")}
        assert ask(registry, BLOB).status == 401
        assert [ask(registry, BLOB, headers=header).status for _ in range(2)] == [500, 200]


def test_retry_after_in_its_forms(faulty: RegistryServer) -> None:
    seconds = meet(faulty, Busy(retry_after=InSeconds(7)))
    date = meet(faulty, Busy(status=503, retry_after=AtDate(100)))
    text = meet(faulty, Busy(retry_after="soon"))
    none = meet(faulty, Busy())
    assert (seconds.status, seconds.headers["retry-after"]) == (429, "7")
    assert date.status == 503
    ahead = parsedate_to_datetime(date.headers["retry-after"]).timestamp() - time.time()
    assert 90 < ahead <= 100
    assert text.headers["retry-after"] == "soon"
    assert "retry-after" not in none.headers


def test_rate_limit_counts_down() -> None:
    with serve(content_of(), rules=(Rule(fault=RateLimit(limit=2)),)) as registry:
        answers = [ask(registry, BLOB) for _ in range(3)]
    assert [got.status for got in answers] == [200, 200, 429]
    remaining = [got.headers["ratelimit-remaining"] for got in answers]
    assert remaining == ["1;w=21600", "0;w=21600", "0;w=21600"]


def test_redirects_that_loop_and_that_end(faulty: RegistryServer) -> None:
    loop = meet(faulty, Redirect(location="{origin}{target}", status=301))
    assert (loop.status, loop.headers["location"]) == (301, faulty.url + BLOB)
    faulty.declare(Rule(fault=RedirectChain(2)))
    target, hops = BLOB, 0
    while (got := ask(faulty, target)).status == 302:
        target, hops = got.headers["location"], hops + 1
    assert (hops, got.body) == (2, DATA)


def test_wrong_heads(faulty: RegistryServer) -> None:
    wrong = meet(faulty, SetHeader("Docker-Content-Digest", "sha256:0"))
    lacking = meet(faulty, WithoutHeader("Docker-Content-Digest"))
    assert wrong.headers["docker-content-digest"] == "sha256:0"
    assert "docker-content-digest" not in lacking.headers
    assert wrong.body == lacking.body == DATA


def test_wrong_bodies(faulty: RegistryServer) -> None:
    assert meet(faulty, OtherBody(b"x")).body == b"x"
    assert meet(faulty, Truncated(10)).body == DATA[:10]
    corrupt = meet(faulty, Corrupted(100))
    assert [at for at in range(1000) if corrupt.body[at] != DATA[at]] == [100]
    resumed = meet(faulty, Corrupted(100), Range="bytes=100-")
    assert resumed.body == bytes([DATA[100] ^ 0xFF]) + DATA[101:]
    padded = meet(faulty, Padded(200_000))
    assert padded.body == DATA + b" " * 200_000
    assert padded.headers["content-length"] == "201000"
    part = meet(faulty, Padded(200_000), Range="bytes=900-1099")
    assert part.body == DATA[900:] + b" " * 100


def test_other_ways_with_ranges(faulty: RegistryServer) -> None:
    ignored = meet(faulty, Ranges(RangeSupport.IGNORED), Range="bytes=10-19")
    from_start = meet(faulty, Ranges(RangeSupport.FROM_START), Range="bytes=10-19")
    mislabelled = meet(faulty, SetHeader("Content-Range", "bytes 0-9/10"), Range="bytes=10-19")
    assert (ignored.status, ignored.body) == (200, DATA)
    assert (from_start.status, from_start.body) == (206, DATA[:20])
    assert from_start.headers["content-range"] == "bytes 0-19/1000"
    assert mislabelled.body == DATA[10:20]
    assert mislabelled.headers["content-range"] == "bytes 0-9/10"


@pytest.mark.parametrize("delivery", [Chunked(64), UntilClosed()])
def test_no_length(faulty: RegistryServer, delivery: Chunked | UntilClosed) -> None:
    got = meet(faulty, WithoutLength(delivery))
    assert got.body == DATA
    assert "content-length" not in got.headers


def test_connection_closed_within_a_body(faulty: RegistryServer) -> None:
    faulty.declare(Rule(fault=CutOff(600), times=1))
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(faulty, BLOB)
    assert caught.value.partial == DATA[:600]


def test_connection_reset_within_a_body(faulty: RegistryServer) -> None:
    faulty.declare(Rule(fault=CutOff(600, Ending.RESET), times=1))
    with pytest.raises(ConnectionResetError):
        ask(faulty, BLOB)


@pytest.mark.parametrize("fault", [CutOff(600, Ending.SILENCE), Delayed(FOREVER)])
def test_silence_ends_with_the_server(fault: Fault) -> None:
    with serve(content_of(), rules=(Rule(fault=fault),)) as registry:
        with Client(registry, timeout=0.2) as client, pytest.raises(TimeoutError):
            client.ask(BLOB)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_slow_and_late_answers(faulty: RegistryServer) -> None:
    for fault in (Slow(250, 0.05), Delayed(0.2)):
        started = time.monotonic()
        assert meet(faulty, fault).body == DATA
        assert time.monotonic() - started >= 0.2


def test_bytes_that_are_no_http(faulty: RegistryServer) -> None:
    faulty.declare(Rule(fault=SaysNothingOfHttp(b"\x15\x03\x01"), times=1))
    with pytest.raises(http.client.BadStatusLine):
        ask(faulty, BLOB)


# ---- connections and the log ----


def test_connections_are_kept_and_requests_recorded() -> None:
    with serve(content_of()) as registry:
        with Client(registry) as client:
            for _ in range(2):
                client.ask(BLOB, headers={"X-Mark": "here"})
        ask(registry, "/v2/?a=1")
        first, second, third = registry.log.requests
        assert first.connection == second.connection != third.connection
        assert (first.method, first.path, first.headers["x-mark"]) == ("GET", BLOB, "here")
        assert (third.path, third.query) == ("/v2/", {"a": ("1",)})
        assert registry.log.count(path="/v2/*/blobs/*") == 2
        assert registry.log.holding("here") == (first, second)
        registry.log.clear()
        assert registry.log.requests == ()


def test_requests_at_once_are_counted() -> None:
    with serve(content_of(), rules=(Rule(fault=Delayed(0.3)),)) as registry:
        threads = [threading.Thread(target=ask, args=(registry, BLOB)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert registry.log.most_at_once == 3


def test_a_mistake_of_the_server_is_raised() -> None:
    with (
        pytest.raises(IndexError),
        serve(content_of(), rules=(Rule(fault=Corrupted(5000)),)) as registry,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        ask(registry, BLOB)


@needs_openssl
def test_tls(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with serve(content_of(), certificate=certificate) as registry, serve(content_of()) as plain:
        registry.declare(Rule(fault=Redirect(location=plain.url + "{target}"), times=1))
        trusting = ssl.create_default_context(cafile=str(certificate.certificate))
        connection = http.client.HTTPSConnection(registry.host, context=trusting, timeout=10)
        for expected in (307, 200):
            connection.request("GET", BLOB)
            with connection.getresponse() as answer:
                answer.read()
                assert answer.status == expected
        connection.close()
        stranger = http.client.HTTPSConnection(registry.host, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.request("GET", BLOB)
        stranger.close()
        assert registry.log.count() == 2
        assert registry.url == f"https://{registry.host}"


# ---- skopeo agrees ----


def skopeo(*arguments: str) -> bytes:
    """What skopeo prints."""
    done = subprocess.run(["skopeo", *arguments], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@needs_skopeo
@pytest.mark.parametrize("form", [DOCKER_GZIP, OCI_PLAIN])
def test_skopeo_inspects_and_copies(tmp_path: Path, form: ImageForm) -> None:
    content = RegistryContent()
    digest = content.add_image(NAME, app(), "1", "2", form=form)
    auths = tmp_path / "auth.json"
    service = TokenService(POLICY)
    with serve(content) as storage:
        rules = (Rule(fault=Redirect(location=storage.url + "{target}"), path="*/blobs/*"),)
        access = TokenAccess(service=service)
        with serve(content, access=access, rules=rules, pages=Pages(size=1)) as registry:
            auth = base64.b64encode(b"ann:secret").decode()
            auths.write_bytes(json_bytes({"auths": {registry.host: {"auth": auth}}}))
            name = f"docker://{registry.host}/{NAME}:1"
            options = ("--authfile", str(auths))
            found: Json = json.loads(skopeo("inspect", *options, "--tls-verify=false", name))
            target = f"dir:{tmp_path / 'copy'}"
            skopeo("copy", *options, "--src-tls-verify=false", name, target)
            assert registry.log.count("GET", "/token") >= 1
            assert registry.log.holding("registry-token-")
        assert storage.log.count() >= 3
        assert storage.log.authorized() == ()
    assert isinstance(found, dict)
    assert found["Digest"] == digest
    assert found["RepoTags"] == ["1", "2"]
    copied = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    assert digest_of(copied["manifest.json"]) == digest
    assert copied[app().config_hex] == app().config_bytes()


@needs_skopeo
def test_skopeo_chooses_from_an_index() -> None:
    content = RegistryContent()
    images = [app(), image(layer(file("/arm")), platform="linux/arm64")]
    content.add_index(NAME, images, "1", form=DOCKER_GZIP)
    with serve(content) as registry:
        name = f"docker://{registry.host}/{NAME}:1"
        options = ("--tls-verify=false", "--override-arch", "arm64")
        config: Json = json.loads(skopeo("inspect", "--config", *options, name))
    assert isinstance(config, dict)
    assert config["architecture"] == "arm64"
    assert config["rootfs"] == {"type": "layers", "diff_ids": [images[1].layers[0].diff_id]}
