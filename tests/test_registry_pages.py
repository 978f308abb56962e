"""Lists of the test registry come in pages of every form."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from archive_forms import MANIFEST_TYPE
from registry_answers import Cursor, LastPage, LinkForm, Pages
from registry_client import NAME, Client, ask, content_of
from registry_content import RegistryContent
from registry_server import RegistryServer, serve

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


def test_a_client_may_ask_for_smaller_pages_only() -> None:
    with serve(content_of("a", "b", "c"), pages=Pages(size=2)) as registry:
        assert pages_of(registry, "/v2/_catalog?n=1") == [["a"], ["b"], ["c"]]
        assert pages_of(registry, "/v2/_catalog?n=100") == [["a", "b"], ["c"]]


@pytest.mark.parametrize("last", LastPage)
def test_an_empty_registry_has_one_empty_page(last: LastPage) -> None:
    with serve(RegistryContent(), pages=Pages(last=last)) as registry:
        got = ask(registry, "/v2/_catalog")
    assert got.document == {"repositories": []}
    assert ("link" in got.headers) is (last is LastPage.REPEATS)


def test_opaque_cursor_that_was_decoded_is_refused() -> None:
    with serve(content_of("a", "b"), pages=Pages(size=1, cursor=Cursor.OPAQUE)) as registry:
        link = ask(registry, "/v2/_catalog").headers["link"]
        assert "next_page=%2B%2F1%3D%26" in link
        assert ask(registry, "/v2/_catalog?n=1&next_page=+/1=&").status == 400


def test_repository_without_tags_says_null() -> None:
    with serve(content_of("empty")) as registry:
        assert ask(registry, "/v2/empty/tags/list").document == {"name": "empty", "tags": None}
