"""What went wrong with a connection, in words that hold no URL and no secret."""

from __future__ import annotations

import re
import ssl
from http import HTTPStatus
from typing import cast

from requests import exceptions

from layerlens.oci.quoting import printable

_LONGEST_REASON = 200
_NO_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b", re.ASCII)  # http.client's words


def reason_of(error: BaseException) -> str:
    """The innermost reason: ``Connection refused``, ``timed out``, why a certificate is not valid.

    The texts of requests and urllib3 are not used: they name whole URLs.
    """
    if isinstance(error, exceptions.Timeout):
        return "timed out"
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        text = _reason_of_system(current)
        if text:
            return printable(text[:_LONGEST_REASON])
        waiting.extend(_causes(current))
    return _named(error)


def could_not_connect(error: BaseException) -> bool:
    """Whether no connection came about, which another attempt would not change."""
    if isinstance(error, exceptions.ConnectTimeout | exceptions.SSLError | exceptions.ProxyError):
        return True
    return any(hasattr(cause, "reason") for cause in _causes(error))


def is_not_http(error: BaseException) -> bool:
    """Whether someone answered, who does not speak what was spoken (http for https, say)."""
    if isinstance(error, exceptions.SSLError):
        return "CERTIFICATE" not in reason_of(error).upper()
    return isinstance(error, exceptions.ConnectionError) and not could_not_connect(error)


def _reason_of_system(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS error"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and not isinstance(error, exceptions.RequestException):
        return error.strerror or _refusal_of_proxy(str(error))
    return None


def _refusal_of_proxy(text: str) -> str | None:
    """What a proxy answers in place of a tunnel: its status, with the standard's words for it."""
    match = _NO_TUNNEL.match(text)
    if match is None:
        return None
    try:
        return f"it answers {match[1]} {HTTPStatus(int(match[1])).phrase}"
    except ValueError:
        return f"it answers {match[1]}"


def _causes(error: BaseException) -> list[BaseException]:
    arguments: tuple[object, ...] = cast("tuple[object, ...]", error.args)
    inner = [*arguments, getattr(error, "reason", None), error.__cause__, error.__context__]
    return [cause for cause in inner if isinstance(cause, BaseException)]


def _named(error: BaseException) -> str:
    for kind, text in (
        (exceptions.ProxyError, "the proxy does not answer"),
        (exceptions.InvalidProxyURL, "the proxy's address is malformed"),
        (exceptions.InvalidSchema, "the proxy is of a kind that is not supported"),
        (exceptions.ConnectionError, "the connection broke"),
    ):
        if isinstance(error, kind):
            return text
    return "the connection broke" if "Protocol" in type(error).__name__ else type(error).__name__
