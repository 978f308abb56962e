"""Which paths are caches, leftovers and the like: a table of where tools put them.

The paths are those that a layer's entries have. What a rule does not name is let be: a project's
own ``vendor/cache``, ``.yarn/cache`` or poetry's virtual environments are meant to be there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from layerlens.analysis.findings import FindingKind
from layerlens.layer.entry import Entry

PACKAGE_DATABASES = re.compile(
    r"/var/lib/(?:dpkg|rpm|dnf|apt|pacman)/|/var/cache/(?:debconf|ldconfig)/|/(?:usr/)?lib/apk/db/"
    r"|/usr/lib/sysimage/rpm/|/etc/ld\.so\.cache\Z"
)
"""Matches paths, from their beginning, of what package managers write anew at each run."""

LICENCES = re.compile(r"/usr/(?:local/)?share/(?:doc|licenses|common-licenses)/")
"""Matches paths, from their beginning, of what each package brings for itself."""


class Claim(NamedTuple):
    """What a file is, and the directory that it is told under; its own path where that is None."""

    kind: FindingKind
    root: str | None


# Matched with a directory's path and a slash behind it; group 1 is the directory to tell.
_DIRECTORIES: tuple[tuple[FindingKind, str], ...] = (
    (FindingKind.APT_LISTS, r"(/var/lib/apt/lists)/"),
    (FindingKind.APT_CACHE, r"(/var/cache/apt)/"),
    (FindingKind.APK_CACHE, r"(/var/cache/apk|/etc/apk/cache)/"),
    (FindingKind.DNF_CACHE, r"(/var/cache/(?:dnf|yum|libdnf5))/"),
    (FindingKind.ZYPPER_CACHE, r"(/var/cache/zypp)/"),
    (FindingKind.PACMAN_CACHE, r"(/var/cache/pacman/pkg)/"),
    (FindingKind.PIP_CACHE, r"(.*?/\.cache/pip)/"),
    (FindingKind.UV_CACHE, r"(.*?/\.cache/uv)/"),
    (FindingKind.POETRY_CACHE, r"(.*?/\.cache/pypoetry)/(?!virtualenvs/)"),
    (
        FindingKind.CONDA_CACHE,
        r"(.*?/(?:\.?(?:mini|ana)?conda[0-9]?|mambaforge|miniforge[0-9]?|micromamba|mamba)/pkgs)/",
    ),
    (FindingKind.NPM_CACHE, r"(.*?/\.npm/(?:_cacache|_logs|_npx))/"),
    (FindingKind.YARN_CACHE, r"(.*?/\.cache/yarn|.*?/\.yarn/berry/cache)/"),
    (FindingKind.PNPM_STORE, r"(.*?/(?:\.local/share/pnpm/store|\.pnpm-store|\.cache/pnpm))/"),
    (FindingKind.CARGO_CACHE, r"(?!/usr/share/)(.*?/\.?cargo/(?:registry|git))/"),
    (FindingKind.GO_CACHE, r"(.*?/go/pkg/mod|.*?/\.cache/go-build)/"),
    (FindingKind.MAVEN_CACHE, r"(.*?/\.m2/repository)/"),
    (FindingKind.GRADLE_CACHE, r"(.*?/\.gradle/(?:caches|wrapper/dists|daemon))/"),
    (FindingKind.COMPOSER_CACHE, r"(.*?/(?:\.composer/cache|\.cache/composer))/"),
    (FindingKind.BUNDLER_CACHE, r"(.*?/\.bundle/cache)/"),
    (FindingKind.BYTECODE, r"((?>.*?/(?:site|dist)-packages))/(?:.*/)?__pycache__/"),
    (FindingKind.DOCUMENTATION, r"(/usr/(?:local/)?share/(?:doc|gtk-doc|info))/"),
    (FindingKind.MANUALS, r"(/usr/(?:local/)?(?:share/)?man)/"),
    (FindingKind.LOCALES, r"(/usr/share/locale)/[^/]+/"),
    (FindingKind.LOCALES, r"(/usr/share/i18n)/"),
    (FindingKind.VERSION_CONTROL, r"(.*?/\.(?:git|hg|svn|bzr))/"),
    (FindingKind.LOG_FILES, r"/var/log/"),
    (FindingKind.CORE_DUMP, r"/var/crash/|/var/lib/systemd/coredump/"),
    (FindingKind.TEMPORARY_FILES, r"(/tmp|/var/tmp)/"),
)
_RULES = tuple((kind, re.compile(pattern, re.DOTALL)) for kind, pattern in _DIRECTORIES)

# One of these words stands in every path that a rule can match; most have none.
_WORTH_A_LOOK = re.compile(
    r"/var/(?:lib/apt|cache|log|crash|lib/systemd/coredump|tmp)/|/etc/apk/|/\.|/pkgs/|cargo/|/go/pkg"
    r"|__pycache__|/usr/(?:local/)?(?:share/)?(?:doc|gtk-doc|info|man|locale|i18n)/|^/tmp/"
)

_GEM = re.compile(
    r"(.*?/(?:gems/[^/]+|\.?gem/ruby/[^/]+|bundle(?:/ruby/[^/]+)?)/cache)/[^/]+\.gem\Z", re.DOTALL
)
_LICENCES = ("copyright", "LICENSE", "LICENCE", "COPYING", "NOTICE")
_RECORDS = frozenset({"lastlog", "faillog", "wtmp", "btmp", "tallylog"})
"""Of /var/log: tables of a fixed form that login programs want to find there, no logs."""

_ENDS = (".gem", ".log")
_STRAY_LOG = re.compile(r"(?:npm-debug|yarn-debug|yarn-error|pnpm-debug|hs_err_pid[0-9]+)\.log")
_DUMP = re.compile(r"(?:vg)?core\.[0-9]{1,10}|core|java_pid[0-9]{1,10}\.hprof")
_SMALLEST_DUMP = 64 * 1024
"""Bytes: a file called ``core`` that is smaller is something else."""


class PlaceTable:
    """Answers for one layer after the other; remembers directories, for most files share them."""

    def __init__(self) -> None:
        self._known: dict[str, Claim | None] = {}

    def claim(self, path: str, entry: Entry) -> Claim | None:
        """What ``entry``'s file is when it stands at ``path``, where a rule names it."""
        directory = path[: path.rindex("/") + 1]
        try:
            claim = self._known[directory]
        except KeyError:
            claim = self._known[directory] = _claim_of(directory)
        if claim is not None:
            return None if _is_meant(claim.kind, path[len(directory) :]) else claim
        if path.endswith(_ENDS):
            return _claim_by_name(path, path[len(directory) :])
        if _may_be_a_dump(entry) and _DUMP.fullmatch(path, len(directory)):
            return Claim(FindingKind.CORE_DUMP, None)
        return None


def _may_be_a_dump(entry: Entry) -> bool:
    """Kernels write them neither small nor executable."""
    return entry.size >= _SMALLEST_DUMP and not entry.mode & 0o111


def _claim_by_name(path: str, name: str) -> Claim | None:
    gem = _GEM.match(path)
    if gem:
        return Claim(FindingKind.BUNDLER_CACHE, gem[1])
    return Claim(FindingKind.LOG_FILES, None) if _STRAY_LOG.fullmatch(name) else None


def _claim_of(directory: str) -> Claim | None:
    if _WORTH_A_LOOK.search(directory) is None:
        return None
    for kind, pattern in _RULES:
        match = pattern.match(directory)
        if match is not None:
            return Claim(kind, match[1] if pattern.groups else None)
    return None


def _is_meant(kind: FindingKind, name: str) -> bool:
    """Whether a file belongs where it is although its directory is one to tell."""
    match kind:
        case FindingKind.DOCUMENTATION:
            return name.startswith(_LICENCES)
        case FindingKind.LOG_FILES:
            return name in _RECORDS
        case FindingKind.BYTECODE:
            return not name.endswith(".pyc")
        case _:
            return False
