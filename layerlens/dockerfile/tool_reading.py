"""What commands are known to read, gathered while they are gone through one by one.

A command that is not understood whole, or that might read more than is published, is Refused with
the reason; nothing is guessed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from layerlens.dockerfile.shell_commands import VARIABLE, Word
from layerlens.dockerfile.stage_state import State

SYSTEM_TREES = frozenset(
    {
        *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/run"),
        *("/sbin", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108 - read, not written
    }
)
"""Where programs, their libraries and their settings are."""

SYSTEM_WRITES = (SYSTEM_TREES - {"/dev", "/proc", "/sys", "/usr"}) | {
    *("/usr/bin", "/usr/etc", "/usr/games", "/usr/include", "/usr/lib", "/usr/lib32"),
    *("/usr/lib64", "/usr/libexec", "/usr/local", "/usr/sbin", "/usr/share", "/usr/var"),
}
"""Where installers write; `SPARED_TREES` that are not below one of these are left alone."""

SPARED_TREES = frozenset(
    {
        *("/usr/src", "/usr/app", "/usr/local/app", "/usr/share/nginx/html"),
        *("/var/www", "/var/task", "/var/app"),
    }
)
"""What within them is an application's own."""

_GENERAL_VARIABLES = re.compile(
    r"PATH|HOME|SHELL|USER|LOGNAME|TERM|CI|DEBUG|VERBOSE|PWD|TMP|TEMP|TMPDIR|TZ|IFS|ENV|BASH_ENV"
    r"|LANG|LANGUAGE|LC_.*|LD_.*|XDG_.*|.*_proxy|.*_PROXY|(?:SSL|CURL|REQUESTS|SSH)_.*"
    r"|GIT_(?:DIR|WORK_TREE|INDEX_FILE|NAMESPACE|EDITOR|PAGER|ASKPASS|TERMINAL_PROMPT|EXEC_PATH)"
    r"|GIT_(?:SSH|CONFIG|SSL|PROXY|TRACE|OBJECT|TEMPLATE|CEILING|HTTP|LFS|ALLOW|PROTOCOL).*"
    r"|GIT_(?:AUTHOR|COMMITTER)_.*|BUILD(?:PLATFORM|OS|ARCH|VARIANT|_TYPE|_EXT.*)"
    r"|CC|CXX|CPP|LD|AR|.*FLAGS|MAKE.*|CMAKE_.*|PKG_CONFIG.*|.*_INCLUDE_PATH|LIBRARY_PATH"
    r"|SOURCE_DATE_EPOCH|TARGET.*|ARCH|.*_HOME|.*_TOKEN|.*_INDEX|.*_REGISTRY|.*_MIRROR"
    r"|http.*|https.*|no_proxy|ftp_proxy"
)


class Refused(Exception):
    """What a command reads is not known well enough; the message is a clause."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What the commands of one RUN read, so far.

    `manifests`: files that they are told to read. `lookups`: further paths they look for.
    `content`: of a file that an earlier instruction copied from the build context; None where
    that is not known. `listing`: names of files that are copied into a directory, at any depth,
    relative to it. `writes`: directories below which they write. `doubts`: what might read more
    after all, each a clause; only a rebuild can tell. `runs`: the tools that run what they install.
    """

    state: State
    directory: str | None
    content: Callable[[str], bytes | None]
    listing: Callable[[str], Iterable[str]]
    doubts: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    manifests: set[str] = field(default_factory=set)
    lookups: set[str] = field(default_factory=set)
    trees: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    variables: list[re.Pattern[str]] = field(default_factory=lambda: [_GENERAL_VARIABLES])
    set_here: dict[str, str | None] = field(default_factory=dict)

    @property
    def here(self) -> str:
        """The working directory. Refused where it is not known."""
        if self.directory is None:
            raise Refused("its working directory is not known")
        return self.directory

    def text(self, word: Word) -> str:
        """A word with its variables' values. Refused where one of them is not known."""
        parts = word.text.split(VARIABLE)
        values = []
        for name in word.names:
            value = self.set_here.get(name, self.state.variables.get(name))
            if value is None:
                raise Refused(f"the value of {name} is not known")
            values.append(value)
        rest = zip(values, parts[1:], strict=True)
        return parts[0] + "".join(value + part for value, part in rest)

    def assign(self, name: str, word: Word) -> None:
        """Take note of a variable that the commands set for those after them."""
        try:
            self.set_here[name] = self.text(word)
        except Refused:
            self.set_here[name] = None

    def path(self, word: Word) -> str:
        """A word as an absolute path."""
        if word.pattern:
            raise Refused(f"{word.text} is a pattern")
        return self.at(self.text(word))

    def at(self, path: str) -> str:
        """A path as the command would find it, absolute and clean."""
        if not path.startswith("/"):
            path = posixpath.join(self.here, path)
        return posixpath.normpath(path)

    def manifest(self, path: str) -> str:
        """The text of a file that is read. Refused where what it holds is not known."""
        data = self.content(path)
        if data is None:
            raise Refused(f"what {path} holds is not known")
        self.manifests.add(path)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Refused(f"{path} is not UTF-8") from None

    def optional_manifest(self, path: str) -> str | None:
        """As `manifest`; None for a file that no instruction copies."""
        if self.content(path) is None:
            self.lookups.add(path)
            return None
        return self.manifest(path)

    def settings(
        self, names: Iterable[str], *, start: str | None = None, above: bool = False
    ) -> None:
        """Files, or directories of them, that are looked for where the command runs (or in
        *start*) and above; *above*: not there itself."""
        listed = tuple(names)
        directory = self.here if start is None else start
        if above:
            if directory == "/":
                return
            directory = posixpath.dirname(directory)
        while True:
            self.trees.update(posixpath.join(directory, name) for name in listed)
            if directory == "/":
                return
            directory = posixpath.dirname(directory)

    def reads_variables(self, pattern: str) -> None:
        """Variables, as a regular expression for their whole names, that the command reads."""
        self.variables.append(re.compile(pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`flags`: the options that were given; `values`: what each was given, in their order."""

    flags: frozenset[str]
    values: Mapping[str, tuple[Word, ...]]
    arguments: tuple[Word, ...]


def options_of(
    tool: str, words: Iterable[Word], flags: str, valued: str = "", *, clustered: str = ""
) -> Options:
    """Split a command's words; *flags* and *valued* are the options known, between spaces.

    *clustered* are the letters of flags that may stand together (``-yq``). Refused for an option
    that is none of them: what it makes the command read is not known.
    """
    known, takes = frozenset(flags.split()), frozenset(valued.split())
    given: set[str] = set()
    values: dict[str, tuple[Word, ...]] = {}
    arguments: list[Word] = []
    pending = iter(words)
    for word in pending:
        text = word.text
        name, equals, value = text.partition("=")
        if not text.startswith("-") or text == "-":
            arguments.append(word)
        elif text == "--":
            arguments.extend(pending)
        elif equals and name in takes:
            values[name] = (*values.get(name, ()), Word(text=value, names=word.names))
        elif text in takes:
            following = next(pending, None)
            if following is None:
                raise Refused(f"{tool} {text} lacks its value")
            values[text] = (*values.get(text, ()), following)
        elif name in known or text in known:
            given.add(name)
        elif clustered and not text.startswith("--") and set(text[1:]) <= set(clustered):
            given.update(f"-{letter}" for letter in text[1:])
        elif text[:2] in takes and not text.startswith("--"):
            values[text[:2]] = (
                *values.get(text[:2], ()),
                Word(text=text[2:], names=word.names, pattern=word.pattern),
            )
        else:
            raise Refused(f"the option {text.replace(VARIABLE, '$')} of {tool} is not known")
    return Options(flags=frozenset(given), values=values, arguments=tuple(arguments))
