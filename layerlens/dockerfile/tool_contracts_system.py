"""What the systems' package managers and the small commands beside them read.

Package managers run their packages' scripts, which read and write where the system has its files
and nowhere else: `SYSTEM_TREES` are always taken as read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerlens.dockerfile.resources import ancestors
from layerlens.dockerfile.shell_commands import Word
from layerlens.dockerfile.tool_reading import Reading, Refused, options_of

_APT_FLAGS = (
    "-y --yes --assume-yes -q -qq --quiet --no-install-recommends --no-install-suggests "
    "--fix-missing --allow-downgrades --allow-unauthenticated --auto-remove --purge -f "
    "--fix-broken --install-recommends --reinstall --allow-change-held-packages -V"
)
_APT_COMMANDS = frozenset(
    {
        "update",
        "install",
        "upgrade",
        "dist-upgrade",
        "clean",
        "autoclean",
        "autoremove",
        "remove",
        "purge",
    }
)
_APT_VARIABLES = "DEB.*|DPKG.*|APT_.*|UCF_.*|NEEDRESTART_.*"

_LEADS_ELSEWHERE = re.compile(r"(?i)dir\b|rootdir\b|[\w:-]*(?:invoke|install-pkgs|script)")

_SITES = "/var/www"
"""Where web servers' packages put a page of their own if they find none."""


def apt(reading: Reading, words: Sequence[Word]) -> None:
    """apt, apt-get."""
    given = options_of(
        "apt-get", words, _APT_FLAGS, "-o --option -t --target-release", clustered="yqfV"
    )
    _sub_command("apt-get", given.arguments, _APT_COMMANDS)
    _packages("apt-get", given.arguments[1:])
    for word in (*given.values.get("-o", ()), *given.values.get("--option", ())):
        if _LEADS_ELSEWHERE.match(word.text):
            raise Refused(f"apt-get is told where to look, or what to run: {word.text}")
    if any(reading.listing("/etc/ld.so.conf.d")):
        raise Refused("ldconfig looks into directories that files of the project name")
    reading.reads_variables(_APT_VARIABLES)
    reading.trees.add(_SITES)
    reading.runs.append("apt-get")


def apk(reading: Reading, words: Sequence[Word]) -> None:
    """apk."""
    given = options_of(
        "apk",
        words,
        "--no-cache --update -U --update-cache -q --quiet -u --upgrade --no-progress --purge -v "
        "--available -a",
        "-t --virtual --repository -X",
        clustered="qUuv",
    )
    _sub_command("apk", given.arguments, frozenset({"add", "update", "upgrade", "del", "cache"}))
    for option in ("--repository", "-X"):
        for value in given.values.get(option, ()):
            if not value.text.startswith(("http://", "https://")):
                raise Refused("apk is given a repository of files")
    named = (word for word in given.arguments[1:] if not _VIRTUAL.fullmatch(word.text))
    _packages("apk", tuple(named))
    reading.reads_variables("APK_.*")
    reading.trees.add(_SITES)
    reading.runs.append("apk")


def dnf(reading: Reading, words: Sequence[Word]) -> None:
    """dnf, microdnf, yum, tdnf."""
    given = options_of(
        "dnf",
        words,
        "-y --assumeyes -q --quiet --nodocs --nobest --best --allowerasing --refresh "
        "--skip-broken --noplugins -b",
        "--setopt --enablerepo --disablerepo --exclude -x --releasever",
        clustered="yqb",
    )
    commands = frozenset(
        {
            "install",
            "update",
            "upgrade",
            "clean",
            "makecache",
            "remove",
            "autoremove",
            "check-update",
        }
    )
    for word in given.values.get("--setopt", ()):
        if re.search(r"=(?:[.]{0,2}/|file:)", word.text):
            raise Refused(f"dnf is told where to look: {word.text}")
    _sub_command("dnf", given.arguments, commands)
    _packages("dnf", given.arguments[1:])
    reading.reads_variables("DNF_.*|YUM_.*|RPM_.*")
    reading.trees.add(_SITES)
    reading.runs.append("dnf")


def _sub_command(tool: str, arguments: Sequence[Word], known: frozenset[str]) -> str:
    name = arguments[0].text if arguments else ""
    if name not in known:
        raise Refused(f"what {tool} {name} reads is not known".replace("  ", " "))
    return name


def _packages(tool: str, arguments: Sequence[Word]) -> None:
    for word in arguments:
        local = word.text.startswith((".", "/")) or word.text.endswith((".deb", ".rpm", ".apk"))
        if local or (word.names and "/" in word.text):
            raise Refused(f"{tool} installs a file, {word.text}")
        if word.pattern and "/" in word.text:
            raise Refused(f"{tool} is given a pattern with a path")


_VIRTUAL = re.compile(r"\.[a-z][\w-]*(?<!\.apk)")
"""What people call a group of packages that they mean to remove again."""

_PROGRAMS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/dev/")


def mkdir(reading: Reading, words: Sequence[Word]) -> None:
    """mkdir."""
    given = options_of("mkdir", words, "-p --parents -v --verbose", "-m --mode", clustered="pv")
    for word in given.arguments:
        path = reading.path(word)
        reading.lookups.update((path, *ancestors(path)))
        reading.writes.add(path)


def rm(reading: Reading, words: Sequence[Word]) -> None:
    """rm: what it removes, it reads, patterns as all of their directory."""
    given = options_of("rm", words, "-r -R -f -v --recursive --force", clustered="rRfv")
    for word in given.arguments:
        text = reading.text(word)
        if word.pattern:
            start = next((at for at, each in enumerate(text) if each in "*?[{~"), len(text))
            rest = text[start:]
            if ".." in rest or (start == 0 and rest.startswith("{") and "/" in rest):
                raise Refused(f"{word.text} is a pattern that may lead anywhere")
            text = text[:start].rpartition("/")[0] or ("/" if text.startswith("/") else ".")
            if word.text.startswith("~"):
                if not reading.state.works_as_root or rest.partition("/")[0] != "~":
                    raise Refused("whose home rm is given is not known")
                text = reading.state.variables.get("HOME", "/root")
        path = reading.at(text)
        reading.trees.add(path)
        reading.writes.add(path)


def accounts(reading: Reading, words: Sequence[Word]) -> None:
    """useradd, groupadd, adduser, addgroup: accounts, and a home made from /etc/skel."""
    for word in words:
        text = reading.text(word)
        text = text[text.find("/") :] if text.startswith("-") and "/" in text else text
        if text.startswith("/") and not text.startswith(_PROGRAMS):
            reading.trees.add(reading.at(text))
            reading.writes.add(reading.at(text))
    reading.trees.add("/home")
    reading.writes.add("/home")


def nothing(reading: Reading, words: Sequence[Word]) -> None:
    """true, set, echo: nothing but their own words."""
    if any(word.pattern for word in words):
        reading.trees.add(reading.here)
