"""A registry by the distribution spec: manifests, blobs, digests of tags; every byte checked.

What is asked is asked with the authorization that the registry wants; a 401 is answered once.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

from layerlens.errors import (
    AccessDenied,
    DigestMismatch,
    LimitExceeded,
    MalformedInput,
    NotFound,
    RegistryError,
)
from layerlens.oci import media_types
from layerlens.oci.digest import Digest, sha256_digest
from layerlens.oci.manifest import schema_1_refusal
from layerlens.source.registry.answer import Answer, BrokenOff
from layerlens.source.registry.authentication import Authenticator
from layerlens.source.registry.blob_download import Ask, BlobPart, blob_chunks, blob_range
from layerlens.source.registry.challenge import parse_challenges
from layerlens.source.registry.credentials import CredentialStore
from layerlens.source.registry.endpoint import find_endpoint
from layerlens.source.registry.listing import Page, names_of_pages
from layerlens.source.registry.registry_message import registry_message
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.retrying import Check, never
from layerlens.source.registry.transport import Request, Transport
from layerlens.source.registry.urls import origin_of
from layerlens.streams.verified_reader import verified

MANIFEST_LIMIT = 4 << 20
CONFIG_LIMIT = 4 << 20

_ACCEPT = ", ".join(
    (
        media_types.OCI_INDEX,
        media_types.DOCKER_MANIFEST_LIST,
        media_types.OCI_MANIFEST,
        media_types.DOCKER_MANIFEST,
        # Read only to be refused by name: a registry might say there was nothing at all.
        media_types.DOCKER_SCHEMA1_SIGNED,
        media_types.DOCKER_SCHEMA1,
    )
)
_RATE = re.compile(r"\s*(\d{1,9})(?:\s*;\s*w=(\d{1,9}))?")
_CATALOG_SCOPE = "registry:catalog:*"

DocumentT = TypeVar("DocumentT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestDocument:
    """A manifest or index, its bytes checked; ``content_type`` is what the registry said."""

    data: bytes
    digest: Digest
    content_type: str | None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests the registry still grants, and for how many seconds it counts them."""

    remaining: int
    window_seconds: int | None


class RegistryClient:
    """One registry, for any number of threads. ``registry``: as references name it."""

    def __init__(
        self, registry: str, options: RegistryOptions, credentials: CredentialStore | None = None
    ) -> None:
        """Nothing is asked yet. ``credentials``: by default the user's."""
        self.registry = registry
        self.rate_limit: RateLimit | None = None
        self._options = options
        self._credentials = credentials or CredentialStore()
        self._transport = Transport(options)
        self._lock = threading.Lock()
        self._found: tuple[str, Authenticator] | None = None
        self._looking: Future[tuple[str, Authenticator]] | None = None

    def close(self) -> None:
        """Close the connections that are kept for further requests."""
        self._transport.close()

    def manifest(
        self, repository: str, reference: str | Digest, check: Check = never
    ) -> ManifestDocument:
        """The manifest or index that a tag or a digest names.

        Raises NotFound, UnsupportedInput, DigestMismatch, LimitExceeded and RegistryError.
        """
        return _read(functools.partial(self._manifest, repository, reference, check))

    def _manifest(self, repository: str, reference: str | Digest, check: Check) -> ManifestDocument:
        where = (
            f"{self._name(repository)}{'@' if isinstance(reference, Digest) else ':'}{reference}"
        )
        answer = self._asked(
            f"/v2/{repository}/manifests/{reference}",
            repository,
            headers={"Accept": _ACCEPT},
            check=check,
        )
        self._require_success(answer, where, repository)
        content_type, named = answer.header("Content-Type"), _digest_header(answer)
        data = answer.read(MANIFEST_LIMIT)
        digest = reference if isinstance(reference, Digest) else named or sha256_digest(data)
        hasher = digest.hasher()
        hasher.update(data)
        if hasher.hexdigest() != digest.hex:
            if content_type in media_types.SCHEMA1_TYPES:
                # Its digest is of what was signed, and registries sign it anew for each answer.
                raise schema_1_refusal(where)
            raise DigestMismatch(
                f"{where}: its bytes hash to {digest.algorithm}:{hasher.hexdigest()}, "
                f"not to {digest}"
            )
        return ManifestDocument(data=data, digest=digest, content_type=content_type)

    def manifest_digest(self, repository: str, tag: str, check: Check = never) -> Digest:
        """The digest a tag stands for: by HEAD, or by GET where HEAD does not tell.

        Raises as ``manifest`` does.
        """
        digest = self.head_digest(repository, tag, check)
        return digest or self.manifest(repository, tag, check).digest

    def head_digest(self, repository: str, tag: str, check: Check = never) -> Digest | None:
        """The digest a tag stands for by HEAD, which registries count less than GET; None where
        HEAD does not tell. Raises NotFound, AccessDenied and RegistryUnavailable."""
        answer = self._asked(
            f"/v2/{repository}/manifests/{tag}",
            repository,
            method="HEAD",
            headers={"Accept": _ACCEPT},
            check=check,
        )
        answer.start()  # of nothing; but read to its end, the connection can be used again
        if answer.status in {401, 403, 404}:
            self._require_success(answer, f"{self._name(repository)}:{tag}", repository)
        return _digest_header(answer) if answer.status == 200 else None

    def blob(
        self, repository: str, digest: Digest, size: int, check: Check = never
    ) -> Iterator[bytes]:
        """A blob's bytes as they stream in, resumed where the connection drops, not verified.

        Raises NotFound, RegistryError, and SizeMismatch where another size is declared.
        """
        where = f"{self._name(repository)}@{digest}"
        ask = self._asking_for_blob(repository, digest, where, check)
        return blob_chunks(ask, size, where, self._options.patience, check)

    def blob_part(
        self, repository: str, digest: Digest, size: int, part: BlobPart, check: Check = never
    ) -> bytes:
        """A part of a blob of ``size`` bytes; it is not verified.

        Raises NotFound, SizeMismatch, and RegistryError where no such part is sent.
        """
        where = f"{self._name(repository)}@{digest}"
        ask = self._asking_for_blob(repository, digest, where, check)
        patience = self._options.patience
        return blob_range(ask, part, size=size, where=where, patience=patience, check=check)

    def _asking_for_blob(self, repository: str, digest: Digest, where: str, check: Check) -> Ask:
        def ask(headers: Mapping[str, str]) -> Answer:
            path = f"/v2/{repository}/blobs/{digest}"
            answer = self._asked(path, repository, headers=headers, check=check)
            if answer.status not in {206, 416}:
                self._require_success(answer, where, repository)
            return answer

        return ask

    def config(self, repository: str, digest: Digest, size: int, check: Check = never) -> bytes:
        """An image's config, verified; raises as ``blob`` does, DigestMismatch, LimitExceeded."""
        where = f"{self._name(repository)}@{digest}"
        if size > CONFIG_LIMIT:
            raise LimitExceeded(f"{where}: a config of {size} bytes; the limit is {CONFIG_LIMIT}")
        chunks = self.blob(repository, digest, size, check)
        return b"".join(verified(chunks, digest=digest, size=size, where=where))

    def tags(self, repository: str, check: Check = never) -> Iterator[str]:
        """The repository's tags, page by page. Raises NotFound and RegistryError."""

        def page(path: str) -> Page:
            answer = self._asked(path, repository, check=check)
            self._require_success(answer, self._name(repository), repository)
            return Page.of(answer, "tags", self._name(repository))

        return names_of_pages(
            f"/v2/{repository}/tags/list",
            lambda path: _read(functools.partial(page, path)),
            self._name(repository),
        )

    def catalog(self, check: Check = never) -> Iterator[str]:
        """The registry's repositories, page by page. Raises NotFound where it has no
        ``_catalog``, AccessDenied where it gives it to nobody, and RegistryError."""

        def page(path: str) -> Page:
            answer = self._asked(path, "", scope=_CATALOG_SCOPE, check=check)
            if answer.status in {404, 405}:
                answer.close()
                raise NotFound(
                    f"{self.registry}: does not list its repositories (no _catalog); name them"
                )
            self._require_success(answer, f"{self.registry}: _catalog", "")
            return Page.of(answer, "repositories", self.registry)

        return names_of_pages(
            "/v2/_catalog", lambda path: _read(functools.partial(page, path)), self.registry
        )

    def _asked(
        self,
        path: str,
        repository: str,
        *,
        scope: str | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        check: Check,
    ) -> Answer:
        base, authenticator = self._endpoint()
        scope = scope or f"repository:{repository}:pull"
        request = Request(
            url=base + path,
            method=method,
            headers=headers or {},
            authorization=authenticator.known(repository, scope, check),
        )
        answer = self._transport.send(request, check)
        if answer.status == 401 and not answer.redirected:
            challenges = parse_challenges(answer.header("WWW-Authenticate") or "")
            answer.start()
            authorization = authenticator.answer(
                challenges, repository, scope, request.authorization, check
            )
            answer = self._transport.send(replace(request, authorization=authorization), check)
        self._remember_rate(answer)
        return answer

    def _endpoint(self) -> tuple[str, Authenticator]:
        """Where it is reached, looked for by one thread while the others wait for what it finds."""
        with self._lock:
            looking, found = self._looking, self._found
            if found is None and looking is None:
                self._looking = mine = Future[tuple[str, Authenticator]]()
        if found is not None:
            return found
        if looking is not None:
            return looking.result()
        try:
            self._found = found = self._look()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(found)
        finally:
            self._looking = None
        return found

    def _look(self) -> tuple[str, Authenticator]:
        base = find_endpoint(self.registry, self._options, self._transport)
        origin = origin_of(base)
        return base, Authenticator(self.registry, origin, self._transport, self._credentials)

    def _require_success(self, answer: Answer, where: str, repository: str) -> None:
        if answer.status == 200:
            return
        said = registry_message(answer)
        if answer.status == 404:
            raise NotFound(f"{where}: is not there{said}")
        if answer.status in {401, 403}:
            hint = "; the credentials kept for it do not suffice"
            if self._endpoint()[1].is_anonymous(repository):
                hint = f"; no credentials are kept for it (skopeo login {self.registry})"
            raise AccessDenied(f"{where}: access denied ({answer.status_text}){said}{hint}")
        raise RegistryError(f"{where}: answers {answer.status_text}{said}")

    def _remember_rate(self, answer: Answer) -> None:
        match = _RATE.match(answer.header("RateLimit-Remaining") or "")
        if match is not None:
            window = int(match[2]) if match[2] else None
            self.rate_limit = RateLimit(int(match[1]), window)

    def _name(self, repository: str) -> str:
        return f"{self.registry}/{repository}"


def _read(asked: Callable[[], DocumentT]) -> DocumentT:
    """The document, asked for once more where it broke off."""
    try:
        return asked()
    except BrokenOff:
        return asked()


def _digest_header(answer: Answer) -> Digest | None:
    try:
        return Digest.parse(answer.header("Docker-Content-Digest") or "")
    except MalformedInput:
        return None
