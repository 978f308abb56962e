"""A blob in a registry, as a value that another thread or process can be handed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from layerlens.errors import NotFound
from layerlens.oci.digest import Digest
from layerlens.source.registry.registry_options import RegistryOptions

_ELSEWHERE = (
    "; it is a foreign layer, which registries need not hold, and other addresses are never asked"
)


def _never() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryBlob:
    """``size`` bytes of a repository's blob. ``registry``: as in a reference (``docker.io``).
    ``may_be_elsewhere``: whether the registry need not hold it (a foreign layer).

    What is needed to ask for it (addresses, credentials, connections) each process finds anew.
    """

    registry: str
    repository: str
    digest: Digest
    size: int
    options: RegistryOptions
    may_be_elsewhere: bool = False

    def chunks(self, check: Callable[[], None] = _never) -> Generator[bytes, None, None]:
        """The bytes in order, as they stream in, resumed where the connection drops.

        They are not verified here. ``check`` is called while something is waited for, and raises
        to give up. Raises RegistryError, NotFound, and SizeMismatch where the registry already
        declares another size.
        """
        from layerlens.source.registry.clients import client_for

        client = client_for(self.registry, self.options)
        try:
            yield from client.blob(self.repository, self.digest, self.size, check)
        except NotFound as error:
            if self.may_be_elsewhere:
                raise NotFound(f"{error}{_ELSEWHERE}") from error
            raise

    def part(self, offset: int, length: int, check: Callable[[], None] = _never) -> bytes:
        """``length`` bytes from ``offset`` on, by a range request; they are not verified.

        Raises as ``chunks`` does, and RegistryError where the registry does not send just those.
        """
        from layerlens.source.registry.blob_download import BlobPart
        from layerlens.source.registry.clients import client_for

        client = client_for(self.registry, self.options)
        wanted = BlobPart(offset, length)
        return client.blob_part(self.repository, self.digest, self.size, wanted, check)
