"""What a healthy registry answers (OCI distribution spec 1.1, pull and discovery), pages included.

No faults and no access control: those lie around it (tests/registry_faults.py,
tests/registry_access.py).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from archive_forms import INDEX_TYPE
from image_builder import json_bytes
from registry_content import RegistryContent
from registry_messages import RangeSupport, Request, Response, error_response, json_response

_ROUTE = re.compile(
    r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|referrers|tags)/(?P<reference>[^/]+)"
)


class Cursor(Enum):
    """What a link to the next page says of where it goes on."""

    LAST = "last=<last name>, as distribution"
    OPAQUE = "a parameter of its own whose value breaks when it is decoded or built by the client"


class LinkForm(Enum):
    """How the Link header is written."""

    RELATIVE = "</v2/...?...>"
    ABSOLUTE = "<http://host/v2/...?...>"
    QUERY_ONLY = "<?...>"
    LAST_SEGMENT = "<list?...>"
    UNQUOTED = "rel=next without quotes, REL in capitals"
    AMONG_OTHERS = "after a link back and before one whose title has a comma"


class LastPage(Enum):
    """Where the last page leads."""

    STOPS = "nowhere"
    EMPTY = "to a page without names"
    LOOPS = "to the first page"
    REPEATS = "every page leads to itself"
    ENDLESS = "to the first page, by a cursor never seen before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How lists are cut into pages of ``size`` names at most. ``origin``: what absolute links
    start with, in place of the registry's own."""

    size: int = 100
    cursor: Cursor = Cursor.LAST
    link: LinkForm = LinkForm.RELATIVE
    last: LastPage = LastPage.STOPS
    origin: str | None = None


def needed_scope(request: Request) -> str | None:
    """The scope a token needs for this request; None where any token will do."""
    if request.path == "/v2/_catalog":
        return "registry:catalog:*"
    route = _ROUTE.fullmatch(request.path)
    return f"repository:{route['name']}:pull" if route else None


def healthy_answer(
    content: RegistryContent, pages: Pages, request: Request, origin: str
) -> Response:
    """The answer to a GET or HEAD; ``origin``: how the client reached the registry."""
    if request.method not in ("GET", "HEAD"):
        return error_response(405, "UNSUPPORTED", "the registry is read only")
    if request.path == "/v2/":
        return json_response(200, {}, ("Docker-Distribution-API-Version", "registry/2.0"))
    if request.path == "/v2/_catalog":
        names = sorted(content.repositories)
        return _page(pages, request, origin, "repositories", names)
    route = _ROUTE.fullmatch(request.path)
    if route is None:
        return error_response(404, "NOT_FOUND", "no such page")
    name, kind, reference = route["name"], route["kind"], route["reference"]
    if name not in content.repositories:
        return error_response(404, "NAME_UNKNOWN", "repository name not known to registry")
    if kind == "manifests":
        return _manifest(content, request, name, reference)
    if kind == "blobs":
        return _blob(content, name, reference)
    if kind == "referrers":
        body = json_bytes(content.referrers(name, reference))
        return Response(status=200, headers=(("Content-Type", INDEX_TYPE),), body=body)
    if reference != "list":
        return error_response(404, "NOT_FOUND", "no such page")
    tags = sorted(content.repositories[name].tags)
    if not tags:
        return json_response(200, {"name": name, "tags": None})  # as distribution 2
    return _page(pages, request, origin, "tags", tags)


def _manifest(content: RegistryContent, request: Request, name: str, reference: str) -> Response:
    repository = content.repositories[name]
    digest = repository.tags.get(reference, reference)
    stored = repository.manifests.get(digest)
    if stored is None:
        return error_response(404, "MANIFEST_UNKNOWN", "manifest unknown")
    accepted = request.headers.get("accept", "*/*")
    if "*/*" not in accepted and stored.media_type not in accepted:
        message = f"manifest is {stored.media_type}, which the client does not accept"
        return error_response(404, "MANIFEST_UNKNOWN", message)
    headers = (("Content-Type", stored.media_type), ("Docker-Content-Digest", digest))
    return Response(status=200, headers=headers, body=stored.data)


def _blob(content: RegistryContent, name: str, digest: str) -> Response:
    data = content.repositories[name].blobs.get(digest)
    if data is None:
        return error_response(404, "BLOB_UNKNOWN", "blob unknown to registry")
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", digest),
        ("Accept-Ranges", "bytes"),
    )
    return Response(status=200, headers=headers, body=data, ranges=RangeSupport.HONOURED)


def _page(pages: Pages, request: Request, origin: str, key: str, names: Sequence[str]) -> Response:
    size = pages.size
    if "n" in request.query:
        size = min(size, int(request.query["n"][0]))
    start = _start(pages, request, names)
    if start is None:
        return error_response(400, "PAGINATION_NUMBER_INVALID", "unknown cursor")
    end = min(start + size, len(names))
    body: dict[str, str | Sequence[str]] = {key: names[start:end]}
    if key == "tags":
        body["name"] = request.path.removeprefix("/v2/").removesuffix("/tags/list")
    answer = json_response(200, body)
    following = _following(pages, request, names, size, end)
    if following is None:
        return answer
    return answer.with_header("Link", _link(pages, request, origin, following))


def _start(pages: Pages, request: Request, names: Sequence[str]) -> int | None:
    """Where the page begins; None for a cursor that the registry never gave."""
    if pages.cursor is Cursor.LAST:
        return bisect_right(names, request.query["last"][0]) if "last" in request.query else 0
    if "next_page" not in request.query:
        return 0
    known = re.fullmatch(r"\+/(\d+)=&", request.query["next_page"][0])
    return int(known[1]) if known else None


def _following(
    pages: Pages, request: Request, names: Sequence[str], size: int, end: int
) -> str | None:
    """Path and query of the next page; None where there is none."""
    if pages.last is LastPage.REPEATS:
        return request.target
    more = end < len(names)
    if not names or (not more and pages.last is LastPage.STOPS):
        return None
    if not more and pages.last is LastPage.EMPTY and size and end % size:
        return None
    if not more and pages.last is LastPage.EMPTY and "end" in request.query:
        return None
    query = f"n={size}"
    if more or pages.last is LastPage.EMPTY:
        query += f"&{_cursor(pages, names, end)}"
    if not more and pages.last is LastPage.EMPTY:
        query += "&end=1"
    if not more and pages.last is LastPage.ENDLESS:
        query += f"&round={int(request.query.get('round', ('0',))[0]) + 1}"
    elif "round" in request.query:
        query += f"&round={request.query['round'][0]}"
    return f"{request.path}?{query}"


def _cursor(pages: Pages, names: Sequence[str], end: int) -> str:
    if pages.cursor is Cursor.LAST:
        return f"last={quote(names[end - 1], safe='')}"
    return f"next_page={quote(f'+/{end}=&', safe='')}"


def _link(pages: Pages, request: Request, origin: str, following: str) -> str:
    path, _, query = following.partition("?")
    match pages.link:
        case LinkForm.RELATIVE:
            return f'<{following}>; rel="next"'
        case LinkForm.ABSOLUTE:
            return f'<{pages.origin or origin}{following}>; rel="next"'
        case LinkForm.QUERY_ONLY:
            return f'<?{query}>; rel="next"'
        case LinkForm.LAST_SEGMENT:
            return f'<{path.rpartition("/")[2]}?{query}>; rel="next"'
        case LinkForm.UNQUOTED:
            return f"<{following}>;REL=next"
        case LinkForm.AMONG_OTHERS:
            first = f'<{request.path}>; rel="first"'
            return f'{first}, <{following}>; rel="next", <{path}>; title="a, b"; rel="up"'
