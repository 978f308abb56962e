"""The programs that docker and podman keep credentials with (docker-credential-helpers)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

from layerlens.errors import AccessDenied, LayerlensError
from layerlens.oci.json_fields import parse_object
from layerlens.oci.quoting import printable, quoted

TIMEOUT_SECONDS = 30.0

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = "credentials not found"
_LONGEST_MESSAGE = 200


def ask_helper(
    name: str, server: str, environment: Mapping[str, str], timeout: float = TIMEOUT_SECONDS
) -> tuple[str, str] | None:
    """The user and secret that ``docker-credential-NAME`` keeps for a server; None if it has none.

    It is run without a shell, with the server on stdin. Raises AccessDenied where it is missing,
    fails, takes longer than ``timeout`` seconds or answers otherwise than it should.
    """
    if _NAME.fullmatch(name) is None:
        raise AccessDenied(f"{quoted(name)} is no name of a credential helper")
    program = f"docker-credential-{name}"
    try:
        ran = subprocess.run(  # noqa: S603 - the user's own configuration names it
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
            env=dict(environment),
        )
    except subprocess.TimeoutExpired:
        raise AccessDenied(
            f"{program}: gave no credentials for {server} within {timeout:.0f} s"
        ) from None
    except OSError as error:
        raise AccessDenied(f"{program}: can't be run: {error.strerror}") from None
    if ran.returncode != 0:
        message = ran.stdout.decode("utf-8", "replace").strip()
        if _NOT_FOUND in message.lower():
            return None
        shown = "" if "{" in message else printable(message.partition("\n")[0][:_LONGEST_MESSAGE])
        raise AccessDenied(
            f"{program}: has no credentials for {server}: {shown or f'exit {ran.returncode}'}"
        )
    try:
        fields = parse_object(ran.stdout, program)
        user, secret = fields.optional_string("Username"), fields.optional_string("Secret")
    except LayerlensError:
        raise AccessDenied(f"{program}: answers with something else than credentials") from None
    return (user or "", secret) if secret else None
