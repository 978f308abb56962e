"""The files and directories that package managers' settings name: indexes and repositories of
files, certificates, members of a workspace.

A command reads them though none of its words says so. Which words of a setting are paths is not
known, so all that could be are taken.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

_FILES = re.compile(
    r"/etc/(?:apt|apk|dnf|dpkg|yum|yum\.repos\.d)/|/etc/yum\.conf|/etc/gitconfig\Z|/policy-rc\.d\Z"
    r"|/etc/default/useradd\Z|/etc/adduser\.conf\Z|/etc/ssl/openssl\.cnf\Z|/pip\.conf|npmrc\Z|/\.yarnrc"
    r"|/pnpm-workspace\.yaml|/\.pnpmfile\.|/\.?cargo/config|/nuget\.config\Z"
    r"|/directory\.\w+\.(?:props|targets|rsp)\Z|/\.bundle/config|/\.?gemrc\Z|condarc\Z|/\.mambarc"
    r"|/uv\.toml|/poetry\.toml|/\.mvn/|/\.m2/settings|/settings\.xml|mavenrc\Z|/go\.env|/go\.work\Z"
    r"|/\.gitconfig|/\.curlrc|/\.wgetrc|/\.pip/|/\.?pydistutils\.cfg",
    re.IGNORECASE,
)
_SYSTEM = re.compile(r"/etc/(?:apt|apk|default|dnf|dpkg|yum|yum\.repos\.d)/|/etc/yum\.conf")
_MEMBERS = re.compile(r"/pnpm-workspace\.yaml\Z")
_ANY_NAME = re.compile(r"(?m)(?:^\s*-|[\[,])\s*[\"']?\*")
_KEY = re.compile(r".*\.(?:gpg|asc|key|pem|crt|pub)", re.IGNORECASE)
_COMMANDS = re.compile(
    r"/etc/(?:apt|apk|dnf|yum)\b|/etc/yum\.|pip\.conf|npmrc\b|\.yarnrc|\.cargo/|nuget\.config"
    r"|\.bundle/config|condarc|\b(?:pip3?|npm|yarn|pnpm|conda|mamba|bundle|poetry|git|composer)\s+"
    r"config\b|\bnuget\s+add\b|\bgo\s+env\s+-w\b|\bconfig-manager\b|\badd-apt-repository\b",
    re.IGNORECASE,
)
_APART = re.compile(r"[\s\"'=,;<>\[\](){}|`]+")
_OF_FILES = re.compile(r"(?:[a-z+]*file|copy|link|path):(?://localhost(?=/))?", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)")


def is_setting(path: str) -> bool:
    """Whether a file in the image is one by which package managers are told where to look."""
    if "/node_modules/" in path or _KEY.fullmatch(path) is not None:
        return False
    return _FILES.search(path) is not None


def is_as_shipped(path: str) -> bool:
    """Whether a setting is where tools bring their own, as Go and Maven do: it names nothing of a
    project unless the project put it there."""
    return path.startswith("/usr/") and not path.startswith("/usr/local/etc/")


def named_in_file(
    path: str, text: str, here: str | None, variables: Mapping[str, str]
) -> Iterator[str]:
    """What the setting at *path* may name; *here*: where commands are carried out."""
    parent = posixpath.dirname(path)
    starts = {parent} if here is None else {parent, here}
    if posixpath.basename(parent).startswith("."):
        starts.add(posixpath.dirname(parent))
    if _SYSTEM.match(path):
        starts = set()
    if _MEMBERS.search(path) and _ANY_NAME.search(text):
        yield from starts  # all that is there may be a member
    for word in _words(text, variables):
        if word.startswith("~/"):
            yield posixpath.join(variables.get("HOME", "/root"), word[2:])
        elif word.startswith("/"):
            yield word
        else:
            yield from (posixpath.join(start, word) for start in starts)


def named_in_script(text: str, here: str | None, variables: Mapping[str, str]) -> Iterator[str]:
    """What a RUN's text may name in settings that it writes; nothing where it writes none."""
    if _COMMANDS.search(text) is None:
        return
    for word in _words(text, variables):
        if word.startswith("/"):
            yield word
        elif here is not None and "/" in word:
            yield posixpath.join(here, word)


def _words(text: str, variables: Mapping[str, str]) -> Iterator[str]:
    def value(found: re.Match[str]) -> str:
        return variables.get(found[1] or found[2], found[0])

    for written in _APART.split(_VARIABLE.sub(value, text)):
        word = written.lstrip("!")
        prefix = _OF_FILES.match(word)
        if prefix is not None:
            word = re.sub("^/+", "/", word[prefix.end() :])
        if "://" in word or word.startswith("//"):
            continue
        for part in word.split(":"):
            pattern = re.search(r"[*?]", part)
            plain = part if pattern is None else f"{part[: pattern.start()].rpartition('/')[0]}/"
            if plain.strip("/"):
                yield plain
