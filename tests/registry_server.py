"""A registry over real HTTP on loopback, in threads of the test's own process.

``with serve(content) as registry:`` gives its URL and a log of every request. What it holds stands
in tests/registry_content.py, how it pages in tests/registry_answers.py, whom it lets in in
tests/registry_access.py, and what is wrong with it in tests/registry_faults.py. It cannot be
pushed to. Another origin is a second ``serve`` of the same content.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from registry_access import TOKEN_PATH, Access, OpenAccess
from registry_answers import Pages, healthy_answer, needed_scope
from registry_content import RegistryContent
from registry_listener import Listener
from registry_messages import Request, Response, error_response
from registry_rules import DeclaredRules, Rule


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server certificate with its key (tests/registry_certificate.py makes one)."""

    certificate: Path
    key: Path


class RequestLog:
    """Every request a server got, in order of arrival, and how many were answered at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._active = 0
        self._most_at_once = 0

    @property
    def requests(self) -> tuple[Request, ...]:
        """All of them."""
        return self.matching()

    @property
    def most_at_once(self) -> int:
        """The largest number of requests that were being answered at the same time."""
        with self._lock:
            return self._most_at_once

    def matching(self, method: str = "*", path: str = "*") -> tuple[Request, ...]:
        """Those of this method and path (patterns as of the shell, ``*`` also over slashes)."""
        with self._lock:
            requests = tuple(self._requests)
        return tuple(
            request
            for request in requests
            if fnmatchcase(request.method, method) and fnmatchcase(request.path, path)
        )

    def count(self, method: str = "*", path: str = "*") -> int:
        """How many match."""
        return len(self.matching(method, path))

    def holding(self, secret: str) -> tuple[Request, ...]:
        """Those in which the text stands anywhere."""
        return tuple(request for request in self.requests if request.holds(secret))

    def authorized(self) -> tuple[Request, ...]:
        """Those with an Authorization header."""
        return tuple(request for request in self.requests if "authorization" in request.headers)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._requests.clear()
            self._most_at_once = self._active

    @contextlib.contextmanager
    def during(self, request: Request) -> Iterator[None]:
        """Enter a request for as long as it is answered."""
        with self._lock:
            self._requests.append(request)
            self._active += 1
            self._most_at_once = max(self._most_at_once, self._active)
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1


class RegistryServer:
    """A running registry. ``host``: what references start with; ``url``: its origin."""

    def __init__(
        self,
        *,
        content: RegistryContent,
        access: Access,
        rules: tuple[Rule, ...],
        pages: Pages,
        scheme: str,
        port: int,
    ) -> None:
        self.content = content
        self.log = RequestLog()
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.other_name = f"localhost:{port}"
        self.url = f"{scheme}://{self.host}"
        self._scheme = scheme
        self._access = access
        self._pages = pages
        self._rules = DeclaredRules(rules)

    def declare(self, *rules: Rule) -> None:
        """From now on also these faults; they begin to count now."""
        self._rules.add(rules)

    def withdraw_rules(self) -> None:
        """From now on no faults."""
        self._rules.clear()

    def answer(self, request: Request) -> Response:
        """What is sent for a request."""
        origin = f"{self._scheme}://{request.headers.get('host', self.host)}"
        if request.path == TOKEN_PATH:
            answer = self._access.token_answer(request)
            if answer is None:
                answer = error_response(404, "NOT_FOUND", "no such page")
        else:
            refusal = self._access.refusal(request, needed_scope(request), origin)
            if refusal is not None:
                return refusal
            answer = healthy_answer(self.content, self._pages, request, origin)
        return self._rules.applied(answer, request, origin)


@contextlib.contextmanager
def serve(
    content: RegistryContent,
    *,
    access: Access | None = None,
    rules: tuple[Rule, ...] = (),
    pages: Pages | None = None,
    certificate: Certificate | None = None,
) -> Iterator[RegistryServer]:
    """A registry on a free port of 127.0.0.1 for as long as the block runs; with a certificate it
    speaks TLS. A mistake of the server's own is raised when the block ends."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
    with contextlib.ExitStack() as stack:
        listener = Listener(context)
        stack.callback(listener.raise_errors)  # what the client made of it is only its context
        stack.callback(listener.close)
        server = RegistryServer(
            content=content,
            access=access or OpenAccess(),
            rules=rules,
            pages=pages or Pages(),
            scheme="http" if context is None else "https",
            port=listener.port,
        )
        listener.start(server.answer, server.log.during)
        yield server
