"""What to do about each kind of finding, in a sentence that a Dockerfile's author can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerlens.analysis.findings import FindingKind, Place
from layerlens.analysis.layer_changes import Aspect, Aspects

_Kind = FindingKind

_CACHES: dict[FindingKind, str] = {
    _Kind.APT_LISTS: (
        "end the RUN with `&& rm -rf /var/lib/apt/lists/*`, or give it "
        "`--mount=type=cache,target=/var/lib/apt/lists`"
    ),
    _Kind.APT_CACHE: (
        "end the RUN with `&& apt-get clean && rm -f /var/cache/apt/*.bin`, or give it "
        "`--mount=type=cache,target=/var/cache/apt`"
    ),
    _Kind.APK_CACHE: "install with `apk add --no-cache`",
    _Kind.DNF_CACHE: "end the RUN with `&& dnf clean all` (`yum clean all`, `microdnf clean all`)",
    _Kind.ZYPPER_CACHE: "end the RUN with `&& zypper clean --all`",
    _Kind.PACMAN_CACHE: (
        "end the RUN with `&& rm -rf /var/cache/pacman/pkg/*` (`pacman -Scc --noconfirm` answers "
        "its own question with no, and leaves them)"
    ),
    _Kind.PIP_CACHE: (
        "install with `pip install --no-cache-dir`, or give the RUN "
        "`--mount=type=cache,target=/root/.cache/pip`"
    ),
    _Kind.UV_CACHE: (
        "install with `uv --no-cache`, or give the RUN `--mount=type=cache,target=/root/.cache/uv` "
        "and UV_LINK_MODE=copy"
    ),
    _Kind.POETRY_CACHE: (
        "end the RUN with `&& rm -rf ~/.cache/pypoetry/cache ~/.cache/pypoetry/artifacts` "
        "(`poetry --no-cache` leaves the artifacts)"
    ),
    _Kind.CONDA_CACHE: (
        "end the RUN with `&& conda clean --all --yes` (`mamba`, `micromamba` likewise)"
    ),
    _Kind.NPM_CACHE: (
        "end the RUN with `&& rm -rf ~/.npm` (`npm cache clean --force` leaves _npx and _logs), or "
        "give it `--mount=type=cache,target=/root/.npm`"
    ),
    _Kind.YARN_CACHE: (
        "end the RUN with `&& yarn cache clean`, or give it a `--mount=type=cache` there"
    ),
    _Kind.PNPM_STORE: (
        "give the RUN `--mount=type=cache` for the store, or copy `pnpm deploy`'s result from a "
        "stage of its own"
    ),
    _Kind.CARGO_CACHE: (
        "build in a stage of its own and COPY --from it the binary alone, or give the RUN "
        "`--mount=type=cache,target=/usr/local/cargo/registry`"
    ),
    _Kind.GO_CACHE: (
        "build in a stage of its own and COPY --from it the binary alone, or give the RUN "
        "`--mount=type=cache` for /go/pkg/mod and /root/.cache/go-build"
    ),
    _Kind.MAVEN_CACHE: (
        "build in a stage of its own and COPY --from it the jar alone, or give the RUN "
        "`--mount=type=cache,target=/root/.m2`"
    ),
    _Kind.GRADLE_CACHE: (
        "build in a stage of its own and COPY --from it the jar alone, or give the RUN "
        "`--mount=type=cache,target=/root/.gradle`"
    ),
    _Kind.COMPOSER_CACHE: (
        "end the RUN with `&& composer clear-cache`, or install with `composer --no-cache`"
    ),
    _Kind.BUNDLER_CACHE: (
        "end the RUN with `&& rm -rf /usr/local/bundle/cache/*.gem` (`gem cleanup` leaves them)"
    ),
    _Kind.BYTECODE: (
        "where size matters more than the first start: `pip install --no-compile`, or end the RUN "
        "with `&& find / -xdev -name __pycache__ -prune -exec rm -r {} +`"
    ),
    _Kind.DOCUMENTATION: (
        "if nobody reads it there: dpkg's `path-exclude /usr/share/doc/*` and `path-include "
        "/usr/share/doc/*/copyright`, rpm's `tsflags=nodocs`"
    ),
    _Kind.MANUALS: (
        "if nobody reads them there: dpkg's `path-exclude /usr/share/man/*`, rpm's `tsflags=nodocs`"
    ),
    _Kind.LOCALES: (
        "if other languages are not needed: dpkg's `path-exclude /usr/share/locale/*`, rpm's "
        "`%_install_langs`"
    ),
    _Kind.VERSION_CONTROL: "list `.git` in .dockerignore, or remove it in the RUN that cloned it",
    _Kind.BUILD_CONTEXT: "list them in .dockerignore, or COPY only what the image needs",
    _Kind.CORE_DUMP: "remove it in the RUN that crashed, and build with `ulimit -c 0`",
    _Kind.LOG_FILES: "remove them in the RUN that wrote them",
    _Kind.TEMPORARY_FILES: (
        "remove them in the RUN that wrote them, or give it `--mount=type=tmpfs,target=/tmp`"
    ),
    _Kind.LARGE_FILE: (
        "if the image can do without: download or mount it at run time; else put it in a layer "
        "that seldom changes"
    ),
}

_SETS_AGAIN = re.compile(r"RUN\b.*\bch(?:own|mod|grp)\b", re.DOTALL)
_MADE_BY_A_PACKAGE = re.compile(r"/ssh_host_\w+_key\Z|/ssl-cert-snakeoil\.key\Z")

_COPY_FLAGS = ((Aspect.OWNER, "--chown=..."), (Aspect.MODE, "--chmod=..."))
_ROOT_FILE_SYSTEM = re.compile(r"ADD\s+(?:file:|\S+\.tar)\S*\s+(?:in\s+)?/\s*\Z")
_COPIES = re.compile(r"(?:COPY|ADD)\b")


_FOR_A_COPY_TOO = frozenset(
    {
        _Kind.DOCUMENTATION,
        _Kind.MANUALS,
        _Kind.LOCALES,
        _Kind.VERSION_CONTROL,
        _Kind.BUILD_CONTEXT,
        _Kind.LARGE_FILE,
    }
)


def place_remedy(kind: FindingKind, by: str | None) -> str:
    """What to do about files that are where caches, leftovers and the like are."""
    if by is None or kind in _FOR_A_COPY_TOO or not _COPIES.match(by):
        return _CACHES[kind]
    if kind is _Kind.TEMPORARY_FILES:
        return "leave them out, or use them in a RUN by `--mount=type=bind`"
    if _ROOT_FILE_SYSTEM.match(by):
        return _CACHES[kind]
    return "leave them out: list them in .dockerignore, or COPY only what the image needs"


def copies_remedy(written: int, by: str | None, aspects: Aspects) -> str:
    """Files that a later instruction only gave another mode, owner or xattrs."""
    changed = (Aspect.OWNER, Aspect.MODE, Aspect.XATTRS)
    what = ", ".join(aspect.value for aspect in changed if aspect in aspects)
    if by is not None and _ROOT_FILE_SYSTEM.match(by):
        return f"set {what} of what needs it alone: layer {written} is a base's root file system"
    if by is not None and _COPIES.match(by) and Aspect.XATTRS not in aspects:
        keyword = by.split(maxsplit=1)[0]
        flags = " ".join(flag for aspect, flag in _COPY_FLAGS if aspect in aspects)
        return f"set {what} where the files are written: {keyword} {flags} in layer {written}"
    return f"set {what} in the instruction that writes the files, that of layer {written}"


def rewritten_remedy(written: int, by: str | None) -> str:
    """Files that instruction ``by`` wrote again with the same bytes."""
    if by is not None and _SETS_AGAIN.search(by):
        return (
            f"leave them out here: layer {written} has them already, with that owner and mode too, "
            "and chown and chmod copy whatever they are given"
        )
    return f"leave them out here: layer {written} has them already, byte for byte"


def overwritten_remedy(written: int, by: str | None) -> str:
    """Files that a later instruction wrote anew."""
    if by is not None and _COPIES.match(by):
        return f"COPY them once, as they shall be, or leave them out of layer {written}"
    return f"join the two instructions, so that layer {written} does not hold the first version"


def deleted_remedy(killed: int, by: str | None) -> str:
    """Files that a later instruction deletes."""
    if by is not None and _COPIES.match(by):
        return (
            f"layer {killed} deletes them too late: leave them out (.dockerignore), or use them in "
            "a RUN by `--mount=type=bind`"
        )
    return f"layer {killed} deletes them too late: delete them in the instruction that writes them"


def moved_remedy(killed: int, by: str | None, path: str, now: str) -> str:
    """Files that a later instruction moves, such as from ``path`` to ``now``."""
    if by is not None and _COPIES.match(by):
        keyword = by.split(maxsplit=1)[0]
        return f"{keyword} them to where they end up: layer {killed} moves {path} to {now}"
    return (
        f"layer {killed} moves them, {path} to {now}: move them in the instruction that writes them"
    )


def duplicate_remedy(path: str, first: str, layer: int) -> str:
    """Files whose bytes the image has at another path."""
    return f"write each once and link to it: {path} is {first} of layer {layer}"


def secret_file_remedy(places: Sequence[Place]) -> str:
    """Files that whoever has the image can read."""
    killers = sorted({number for place in places for number in place.killers})
    late = ""
    if killers:
        what = "deleted" if all(place.killers for place in places) else "in part deleted"
        numbers = ", ".join(map(str, killers))
        late = f"{what} by layer {numbers}, and in the image all the same: "
    made = [place.path for place in places if _MADE_BY_A_PACKAGE.search(place.path)]
    if len(made) == len(places):
        return late + _MADE_ANEW
    also = f"; of {made[0]} and its like: {_MADE_ANEW}" if made else ""
    return f"{late}revoke it, and hand it to the build by `RUN --mount=type=secret`{also}"


_MADE_ANEW = (
    "every container of the image has this same key: remove it in the instruction that makes it, "
    "and make one when the container starts (for sshd by `ssh-keygen -A`)"
)


def secret_variable_remedy() -> str:
    """Variables that whoever has the image can read in its config."""
    return (
        "revoke it; hand it to the build by `RUN --mount=type=secret,env=...`, to the container "
        "when it is run"
    )
