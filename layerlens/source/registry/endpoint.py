"""Where a registry is reached, found out once: by https, or by http where that is allowed."""

from __future__ import annotations

from layerlens.errors import RegistryUnavailable
from layerlens.oci.reference import DOCKER_HUB
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.transport import Request, Transport, Unreachable

HUB_HOST = "registry-1.docker.io"


def find_endpoint(registry: str, options: RegistryOptions, transport: Transport) -> str:
    """``https://host[:port]`` or ``http://host[:port]`` of a registry as references name it.

    Where both are allowed the first that is spoken there is taken; without a port each is looked
    for at its own. Raises RegistryUnavailable.
    """
    authority = HUB_HOST if registry == DOCKER_HUB else registry
    schemes = options.schemes(authority)
    if len(schemes) == 1:
        return f"{schemes[0]}://{authority}"
    first, second = (f"{scheme}://{authority}" for scheme in schemes)
    try:
        if _speaks(first, transport):
            return first
    except Unreachable as error:
        one_port = ":" in authority.rpartition("]")[2]
        if one_port and not error.not_http:
            raise
        trouble = str(error)
    else:
        trouble = f"{first}: wants another protocol"
    try:
        transport.send_once(Request(url=f"{second}/v2/")).close()
    except Unreachable as error:
        raise RegistryUnavailable(f"{trouble}; {error}") from None
    return second


def _speaks(base: str, transport: Transport) -> bool:
    """Whether ``base`` answers, and not with the 400 that servers keep for http on a TLS port."""
    answer = transport.send_once(Request(url=f"{base}/v2/"))
    answer.start()
    return not (base.startswith("http://") and answer.status == 400)
