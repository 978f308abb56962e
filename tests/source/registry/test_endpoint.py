"""Where a registry is looked for, by which scheme and at which port."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from registry_content import RegistryContent
from registry_faults import FOREVER, Delayed
from registry_rules import Rule
from registry_server import serve

from layerlens.errors import NotFound, RegistryUnavailable
from layerlens.source.registry.answer import Answer
from layerlens.source.registry.client import RegistryClient
from layerlens.source.registry.endpoint import find_endpoint
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.transport import Request, Transport, Unreachable

from .asking import OPTIONS


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


def test_who_waits_while_nobody_answers_does_not_ask_anew() -> None:
    with serve(RegistryContent()) as registry:
        registry.declare(Rule(fault=Delayed(FOREVER), method="*", path="/v2/"))
        asked = RegistryClient(registry.host, OPTIONS)
        together = threading.Barrier(4)

        def ask() -> None:
            together.wait()
            with pytest.raises(RegistryUnavailable, match="does not answer"):
                asked.manifest_digest("team/app", "1")

        with ThreadPoolExecutor(4) as pool:
            for waiting in [pool.submit(ask) for _ in range(4)]:
                waiting.result()
        assert registry.log.count("*", "/v2/") == 1
        registry.withdraw_rules()
        assert registry.log.count("*", "/v2/team/*") == 0
        with pytest.raises(NotFound):
            asked.manifest_digest("team/app", "1")
        asked.close()
