"""The dialects in which builders write an instruction into an image's history.

Each is read back to the line a Dockerfile would have, as far as the builder kept it. What
was lost stays lost: a classic ``COPY file:… in /x`` knows no source. Nothing here fails: text
that no dialect explains is handed on as it is.
"""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from layerlens.oci import go_text
from layerlens.oci.image_config import HistoryEntry

Dialect = Literal["classic", "buildkit", "dockerfile", "jib", "ko", "other", "none"]
"""Who wrote an entry: ``classic`` is docker's old builder and buildah, ``dockerfile`` keeps
the Dockerfile's own line (kaniko), ``other`` is free text, ``none`` says nothing of a command."""

_KEYWORDS = frozenset(
    {
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    }
)
_KEYWORD = re.compile(r"([A-Za-z]+)(?:\s+|$)")
_NO_OPERATION = "#(nop)"
_BUILDKIT_SUFFIX = " # buildkit"
_BUILDAH_SUFFIX = re.compile(r"(?:\|(?:unsetLabel|inheritLabels|force-mtime)=[^\s|]{0,40}){1,8}$")
_POSIX_SHELL = (
    r"(?:sh|ash|bash|dash|ksh|zsh)"
    r"(?: --?[A-Za-z][\w-]{0,20}(?: (?:pipefail|errexit|nounset|xtrace))?){0,8} -[A-Za-z]{0,8}c "
)
_WINDOWS_SHELL = (
    r"(?i:cmd(?:\.exe)? /s /c "
    r"|(?:powershell|pwsh)(?:\.exe)?(?: -[a-z]{1,20}(?: bypass| unrestricted)?){0,8}? -command )"
)
_SHELL = re.compile(rf"(?:/\S*/)?{_POSIX_SHELL}|{_WINDOWS_SHELL}")
_LATER_SHELL = re.compile(rf" (?:/\S*/{_POSIX_SHELL}|{_WINDOWS_SHELL})")
_ARGUMENT_COUNT = re.compile(r"\|([0-9]{1,4}) ")
_ARGUMENT = re.compile(r"(?:^| )(?=[A-Za-z_][\w.-]{0,255}=)")
_HEALTH_CHECK_FLAGS = ("--interval", "--timeout", "--start-period", "--start-interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What an entry of the history says was done.

    ``keyword`` is the Dockerfile's (``RUN``), or None where the entry is none of its
    instructions. ``text`` is the whole line, keyword included; it may hold newlines (a here
    document) and whatever else was put there. ``arguments`` are the build arguments that were
    set, as ``NAME=value``; builders do not quote them, so one value may be cut in two.
    """

    keyword: str | None
    text: str
    dialect: Dialect
    arguments: tuple[str, ...] = ()


def instruction(entry: HistoryEntry) -> Instruction:
    """Read an entry of the history in whichever dialect it is written."""
    text = (entry.created_by or "").strip()
    comment = (entry.comment or "").strip()
    if not text:
        return Instruction(keyword=None, text=comment, dialect="none")
    if text.endswith(_BUILDKIT_SUFFIX) or comment.startswith("buildkit."):
        return _buildkit(text.removesuffix(_BUILDKIT_SUFFIX).rstrip())
    if entry.author == "Jib" or text.startswith("jib-"):
        return _tool(text, comment, "jib")
    if text.startswith(("ko build ", "ko publish ")):
        return _tool(text, comment, "ko")
    return _classic(text) or _dockerfile(text, entry.author == "kaniko")


def _buildkit(text: str) -> Instruction:
    keyword, rest = _split_keyword(text)
    if keyword is None or not keyword.isupper():
        return Instruction(keyword=None, text=text, dialect="buildkit")
    if keyword != "RUN":
        return Instruction(keyword=keyword, text=_line(keyword, rest), dialect="buildkit")
    arguments, command = _split_build_arguments(rest)
    return Instruction(
        keyword=keyword,
        text=f"RUN {_without_shell(command) or command}".rstrip(),
        dialect="buildkit",
        arguments=arguments,
    )


def _classic(text: str) -> Instruction | None:
    arguments, command = _split_build_arguments(text)
    body = _without_shell(command)
    if body is None:
        if not arguments:
            return None
        return Instruction(
            keyword="RUN", text=f"RUN {command}".rstrip(), dialect="classic", arguments=arguments
        )
    body = _BUILDAH_SUFFIX.sub("", body).rstrip()
    if not body.startswith(_NO_OPERATION):
        return Instruction(
            keyword="RUN", text=f"RUN {body}", dialect="classic", arguments=arguments
        )
    body = body.removeprefix(_NO_OPERATION).strip()
    keyword, rest = _split_keyword(body)
    return Instruction(
        keyword=keyword,
        text=body if keyword is None else _line(keyword, rest),
        dialect="classic",
        arguments=arguments,
    )


def _dockerfile(text: str, any_case: bool) -> Instruction:
    keyword, rest = _split_keyword(text)
    if keyword is None or not (any_case or text.startswith(keyword)):
        return Instruction(keyword=None, text=text, dialect="other")
    return Instruction(keyword=keyword, text=f"{keyword} {rest}".strip(), dialect="dockerfile")


def _tool(text: str, comment: str, dialect: Dialect) -> Instruction:
    text = f"{text} ({comment})" if comment else text
    return Instruction(keyword=None, text=text, dialect=dialect)


def _split_keyword(text: str) -> tuple[str | None, str]:
    match = _KEYWORD.match(text)
    if match is None or match[1].upper() not in _KEYWORDS:
        return None, text
    return match[1].upper(), text[match.end() :]


def _without_shell(command: str) -> str | None:
    match = _SHELL.match(command)
    return None if match is None else command[match.end() :].strip() or None


def _split_build_arguments(text: str) -> tuple[tuple[str, ...], str]:
    """Split ``|2 A=1 B=2 /bin/sh -c make``.

    The last value reaches to the shell, for it may hold spaces. buildah counts the words, not
    the arguments, so there may be fewer than the count says.
    """
    counted = _ARGUMENT_COUNT.match(text)
    if counted is None:
        return (), text
    count, rest = int(counted[1]), text[counted.end() :]
    shell = _LATER_SHELL.search(rest)
    end = len(rest) if shell is None else shell.start()
    starts: list[int] = []
    for match in _ARGUMENT.finditer(rest, 0, end):
        if len(starts) == count:
            break
        starts.append(match.end())
    if not starts or starts[0] != 0:
        return (), rest if count == 0 else text
    if shell is None:
        if len(starts) < count:
            return (), text
        space = rest.find(" ", starts[-1])
        end = len(rest) if space < 0 else space
    bounds = [*starts, end + 1]
    arguments = tuple(rest[start : after - 1] for start, after in pairwise(bounds))
    return arguments, rest[end:].strip()


def _line(keyword: str, rest: str) -> str:
    rest = rest.strip()
    match keyword:
        case "CMD" | "ENTRYPOINT":
            bare = rest.removeprefix("&{").removesuffix("}") if rest.startswith("&{") else rest
            rest = _as_json(go_text.quoted_list(bare)) or rest
        case "SHELL":
            rest = _as_json(go_text.quoted_list(rest) or go_text.plain_list(rest)) or rest
        case "EXPOSE" | "STOPSIGNAL" | "USER" | "VOLUME":
            words = go_text.quoted_list(rest)
            plain = go_text.plain_list(rest) if words is None else None
            rest = _as_json(words) or " ".join(plain or ()) or rest
        case "HEALTHCHECK":
            rest = _health_check(rest) or rest
    return f"{keyword} {rest}".strip()


def _as_json(words: tuple[str, ...] | None) -> str | None:
    return None if words is None else json.dumps(words, ensure_ascii=False)


def _health_check(text: str) -> str | None:
    check = go_text.health_check(text)
    if check is None or not check[0]:
        return None
    (form, *words), durations, retries = check
    if form == "NONE":
        return "NONE"
    flags = [
        f"{flag}={duration}"
        for flag, duration in zip(_HEALTH_CHECK_FLAGS, durations, strict=False)
        if duration != "0s"
    ]
    if retries:
        flags.append(f"--retries={retries}")
    command = " ".join(words) if form == "CMD-SHELL" else _as_json(tuple(words))
    return " ".join([*flags, f"CMD {command}"])
