"""URLs: what may be shown, what counts as the same origin, what is this very machine."""

import pytest

from layerlens.errors import RegistryError
from layerlens.source.registry.link_header import next_link
from layerlens.source.registry.registry_options import RegistryOptions
from layerlens.source.registry.retrying import seconds_of
from layerlens.source.registry.urls import is_loopback, origin_of, safe_url, without_userinfo


def test_what_is_shown_has_no_secrets() -> None:
    assert safe_url("https://u:p@h:8443/a/b?sig=x#y") == "https://h:8443/a/b"
    assert safe_url("https://u:p@h:nan/") == "a malformed URL"
    assert without_userinfo("https://u:p@h/a?sig=x") == "https://h/a?sig=x"


def test_origins() -> None:
    assert origin_of("https://H/a") == origin_of("https://h:443/b?c")
    assert origin_of("https://h/") != origin_of("http://h/")
    assert origin_of("http://h/") != origin_of("http://h:8080/")
    assert origin_of("http://[::1]:5000/").authority == "[::1]:5000"


@pytest.mark.parametrize(
    "url",
    ["ftp://h/", "file:///etc/passwd", "https:///x", "https://h:99999/", "//h/", "https://h/\n"],
)
def test_what_is_no_url_of_http(url: str) -> None:
    with pytest.raises(RegistryError):
        origin_of(url)


def test_loopback() -> None:
    for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1"):
        assert is_loopback(host)
    for host in ("example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"):
        assert not is_loopback(host)


@pytest.mark.parametrize(
    ("authority", "options", "schemes"),
    [
        ("r.example", RegistryOptions(), ("https",)),
        ("r.example:80", RegistryOptions(), ("https",)),
        ("localhost:5000", RegistryOptions(), ("http", "https")),
        ("[::1]:5000", RegistryOptions(), ("http", "https")),
        ("r.example:5000", RegistryOptions(plain_http=frozenset({"R.example"})), ("http",)),
        ("r.example:5000", RegistryOptions(plain_http=frozenset({"r.example:5000"})), ("http",)),
        ("[fd00::2]:5000", RegistryOptions(plain_http=frozenset({"fd00::2"})), ("http",)),
        ("[fd00::2]:5000", RegistryOptions(plain_http=frozenset({"[FD00::2]"})), ("http",)),
        ("[fd00::2]:5000", RegistryOptions(plain_http=frozenset({"[fd00::3]"})), ("https",)),
        ("r.example:5001", RegistryOptions(plain_http=frozenset({"r.example:5000"})), ("https",)),
        ("r.example", RegistryOptions(insecure=frozenset({"r.example"})), ("https", "http")),
        ("other", RegistryOptions(insecure=frozenset({"r.example"})), ("https",)),
    ],
)
def test_schemes(authority: str, options: RegistryOptions, schemes: tuple[str, ...]) -> None:
    assert options.schemes(authority) == schemes


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ('</v2/_catalog?last=b&n=2>; rel="next"', "/v2/_catalog?last=b&n=2"),
        ("</p>;REL=next", "/p"),
        ('</a>; rel="first", </b>; rel="next", </c>; title="x, y"; rel="up"', "/b"),
        ('</b>; rel="last next"', "/b"),
        ('</a>; title="rel=next"', None),
        ('</a>; rel="prev"', None),
        ("garbage", None),
        (None, None),
    ],
)
def test_the_link_to_the_next_page(header: str | None, link: str | None) -> None:
    assert next_link(header) == link


def test_retry_after() -> None:
    assert seconds_of("120") == 120
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    later = seconds_of("Wed, 21 Oct 2065 07:28:00 GMT")
    assert later is not None
    assert later > 1e9
    for text in (None, "", "soon", "-5", "1.5", "²"):
        assert seconds_of(text) is None
