"""What a finding is: something in an image's layers that need not be there, and what to do."""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Stance(enum.Enum):
    """What a finding of some kind means.

    WASTE: bytes that the image is better without. TOLD: bytes that somebody may want; whether is
    not for us to say. EXPOSED: what whoever can pull the image can read, and should not.
    """

    WASTE = "waste"
    TOLD = "told"
    EXPOSED = "secret"

    __hash__ = object.__hash__


class FindingKind(enum.Enum):
    """Every kind there is; the value is the word by which rules and documents name it."""

    APT_LISTS = "apt-lists"
    APT_CACHE = "apt-cache"
    APK_CACHE = "apk-cache"
    DNF_CACHE = "dnf-cache"
    ZYPPER_CACHE = "zypper-cache"
    PACMAN_CACHE = "pacman-cache"
    PIP_CACHE = "pip-cache"
    UV_CACHE = "uv-cache"
    POETRY_CACHE = "poetry-cache"
    CONDA_CACHE = "conda-cache"
    NPM_CACHE = "npm-cache"
    YARN_CACHE = "yarn-cache"
    PNPM_STORE = "pnpm-store"
    CARGO_CACHE = "cargo-cache"
    GO_CACHE = "go-cache"
    MAVEN_CACHE = "maven-cache"
    GRADLE_CACHE = "gradle-cache"
    COMPOSER_CACHE = "composer-cache"
    BUNDLER_CACHE = "bundler-cache"
    BYTECODE = "python-bytecode"
    DOCUMENTATION = "documentation"
    MANUALS = "manuals"
    LOCALES = "locales"
    VERSION_CONTROL = "version-control"
    BUILD_CONTEXT = "build-context"
    CORE_DUMP = "core-dump"
    LOG_FILES = "log-files"
    TEMPORARY_FILES = "temporary-files"
    LARGE_FILE = "large-file"
    DUPLICATES = "duplicate-content"
    METADATA_COPIES = "metadata-copies"
    REWRITTEN = "rewritten-files"
    OVERWRITTEN = "overwritten-files"
    DELETED_LATER = "deleted-later"
    EXPOSED_FILE = "secret-file"
    EXPOSED_VARIABLE = "secret-variable"

    __hash__ = object.__hash__

    @property
    def stance(self) -> Stance:
        """What a finding of this kind means."""
        if self in _TOLD:
            return Stance.TOLD
        return Stance.EXPOSED if self in _EXPOSED else Stance.WASTE


_TOLD = frozenset(
    {
        FindingKind.DOCUMENTATION,
        FindingKind.MANUALS,
        FindingKind.LOCALES,
        FindingKind.LARGE_FILE,
    }
)
_EXPOSED = frozenset({FindingKind.EXPOSED_FILE, FindingKind.EXPOSED_VARIABLE})


class Evidence(enum.Enum):
    """On what a place is known to be what its finding says."""

    PATH = "path"
    CONTENT = "content"

    __hash__ = object.__hash__


class Place(NamedTuple):
    """Where a finding's bytes lie: a file, or a directory with ``files`` of them below it.

    ``bytes``: as the finding's layer holds them. ``dead``: those of them that are not visible in
    the image. ``killers``: the layers that took these away.
    """

    path: str
    files: int
    bytes: int
    dead: int
    killers: tuple[int, ...]
    evidence: Evidence = Evidence.PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know of one instruction.

    ``layer``: whose instruction is to be changed; None for an instruction that made no layer.
    ``instruction``: its text, without what looks like a secret. ``other_layer``: the one that
    wrote what this one killed, or killed what it wrote, where the kind is about two. ``places``:
    those with the most bytes first. ``remedy``: what to do, for a person. ``subject``: the names
    of variables where it is about no files.
    """

    kind: FindingKind
    layer: int | None
    instruction: str | None
    other_layer: int | None
    places: tuple[Place, ...]
    subject: tuple[str, ...]
    remedy: str

    @property
    def files(self) -> int:
        """How many files it is about."""
        return sum(place.files for place in self.places)

    @property
    def bytes(self) -> int:
        """What the layers would be smaller by; of secrets, what they hold."""
        return sum(place.bytes for place in self.places)

    @property
    def dead(self) -> int:
        """The part of the bytes that is not visible in the image."""
        return sum(place.dead for place in self.places)


def by_bytes(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with the most bytes first; of equal ones, those of lower layers."""
    kinds = {kind: number for number, kind in enumerate(FindingKind)}
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                -each.bytes,
                -1 if each.layer is None else each.layer,
                kinds[each.kind],
                -1 if each.other_layer is None else each.other_layer,
            ),
        )
    )


def findings_of_layer(findings: Iterable[Finding], number: int) -> tuple[Finding, ...]:
    """What there is to say of the instruction that made layer ``number``, secrets first, then
    waste, then what is only told; each with its fix in ``remedy``."""
    stances = [Stance.EXPOSED, Stance.WASTE, Stance.TOLD]
    own = by_bytes(finding for finding in findings if finding.layer == number)
    return tuple(sorted(own, key=lambda each: stances.index(each.kind.stance)))


def worth_fixing(findings: Iterable[Finding], layers: Container[int]) -> tuple[Finding, ...]:
    """What the author of the instructions that made ``layers`` can do something about, those with
    the most bytes first: nothing that is only told, and nothing of other layers, a base's say."""
    return by_bytes(
        finding
        for finding in findings
        if finding.kind.stance is not Stance.TOLD
        and (finding.layer is None or finding.layer in layers)
    )
