"""``Link`` (RFC 8288), as far as pages need it: the URL with ``rel=next``."""

from __future__ import annotations

import re

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s\",;]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]*))", re.IGNORECASE)
_LONGEST_HEADER = 8 << 10


def next_link(header: str | None) -> str | None:
    """The target of the link to the next page, as it stands; None where there is none."""
    for link in _LINK.finditer((header or "")[:_LONGEST_HEADER]):
        relation = _REL.search(link[2])
        if relation and "next" in (relation[1] or relation[2] or "").lower().split():
            return link[1].strip()
    return None
