"""Lists that a registry gives page by page: followed by ``Link`` as it stands, and no further.

distribution spec, 'Content Discovery'. The cursor is the registry's own: it is never built here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit, urlunsplit

from layerlens.errors import RegistryError
from layerlens.oci.json_fields import parse_object
from layerlens.source.registry.answer import Answer
from layerlens.source.registry.link_header import next_link
from layerlens.source.registry.urls import origin_of, safe_url

PAGE_LIMIT = 4 << 20
MAX_EMPTY_PAGES = 100
"""In a row; a registry may give some, where it hides names from the one who asks."""


@dataclass(frozen=True, slots=True)
class Page:
    """The names of one page. ``next_path``: path and query of the next one, None at the end."""

    names: tuple[str, ...]
    next_path: str | None

    @classmethod
    def of(cls, answer: Answer, key: str, where: str) -> Self:
        """Read a page: an object with its names under ``key``.

        Raises RegistryError for a next page on another origin, MalformedInput and LimitExceeded.
        """
        link = next_link(answer.header("Link"))
        names = parse_object(answer.read(PAGE_LIMIT), f"{where}: {key}").strings(key)
        return cls(names, None if link is None else _path(answer.url, link))


def names_of_pages(first: str, page: Callable[[str], Page], where: str) -> Iterator[str]:
    """The names of all pages. Raises RegistryError for pages that go round in a circle, which a
    page shows that begins as one before it did, whatever its address."""
    path: str | None = first
    addresses: set[str] = set()
    beginnings: set[str] = set()
    empty = 0
    while path is not None:
        current = page(path)
        if path in addresses or (current.names and current.names[0] in beginnings):
            raise RegistryError(f"{where}: its pages go round in a circle")
        addresses.add(path)
        beginnings.update(current.names[:1])
        empty = 0 if current.names else empty + 1
        if empty > MAX_EMPTY_PAGES:
            raise RegistryError(f"{where}: more than {MAX_EMPTY_PAGES} empty pages in a row")
        yield from current.names
        path = current.next_path


def _path(asked: str, link: str) -> str:
    try:
        target = urljoin(asked, link)
    except ValueError:
        raise RegistryError(f"{safe_url(asked)}: its next page has a malformed URL") from None
    if origin_of(target) != origin_of(asked):
        raise RegistryError(
            f"{safe_url(asked)}: its next page is on another origin, {safe_url(target)}"
        )
    parts = urlsplit(target)
    return urlunsplit(("", "", parts.path, parts.query, ""))
