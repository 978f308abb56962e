"""Where a registry is looked for, by which scheme and at which port."""

from __future__ import annotations

import pytest

from layerlens.errors import RegistryUnavailable
from layerlens.source.registry.answer import Answer
from layerlens.source.registry.endpoint import find_endpoint
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.transport import Request, Transport, Unreachable


class _Nobody(Transport):
    """Nobody is there, whoever is asked."""

    def __init__(self) -> None:
        super().__init__(RegistryOptions())
        self.asked: list[str] = []

    def send_once(self, request: Request) -> Answer:
        self.asked.append(request.url)
        raise Unreachable(f"{request.url}: can't be reached: Connection refused")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("there.example", ["https://there.example/v2/", "http://there.example/v2/"]),
        ("[fd00::1]", ["https://[fd00::1]/v2/", "http://[fd00::1]/v2/"]),
        ("localhost", ["http://localhost/v2/", "https://localhost/v2/"]),
        ("there.example:5000", ["https://there.example:5000/v2/"]),
        ("[fd00::1]:5000", ["https://[fd00::1]:5000/v2/"]),
        ("localhost:5000", ["http://localhost:5000/v2/"]),
    ],
)
def test_the_other_scheme_is_tried_where_it_has_another_port(name: str, asked: list[str]) -> None:
    insecure = frozenset({"there.example", "fd00::1"})
    nobody = _Nobody()
    with pytest.raises(RegistryUnavailable, match="Connection refused"):
        find_endpoint(name, RegistryOptions(insecure=insecure), nobody)
    assert nobody.asked == asked


def test_what_must_be_https_is_not_asked_by_http() -> None:
    nobody = _Nobody()
    assert find_endpoint("there.example", RegistryOptions(), nobody) == "https://there.example"
    assert nobody.asked == []
