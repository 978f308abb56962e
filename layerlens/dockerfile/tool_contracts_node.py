"""What npm, yarn and pnpm read to install what package.json and a lock name.

Refused is what would make them read or run the project: scripts of its own that run on install,
workspaces, ``file:`` and ``link:`` dependencies. Install scripts of what it depends on look at
their own directory alone, as a rule: one that is not known to is a doubt, which only a rebuild
settles.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping, Sequence

from layerlens.dockerfile.resources import ancestors
from layerlens.dockerfile.shell_commands import Word
from layerlens.dockerfile.tool_reading import Options, Reading, Refused, options_of

_SETTINGS = (
    *(".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", "pnpm-workspace.yaml", "lerna.json"),
    *(".node-version", ".nvmrc", "node_modules", "package.json5", "package.yaml", "binding.gyp"),
    *("npm-shrinkwrap.json", ".pnp.cjs", ".yarn", "patches"),
)
_VARIABLES = "npm_.*|NPM_.*|NODE_.*|YARN_.*|PNPM_.*|COREPACK_.*|INIT_CWD"
_ON_INSTALL = (
    "preinstall",
    "install",
    "postinstall",
    "preprepare",
    "prepare",
    "postprepare",
    "prepublish",
    "pnpm:devPreinstall",
    "dependencies",
)
_DEPENDENCIES = (
    *("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"),
    *("resolutions", "overrides"),
)
_LOCAL = ("file:", "link:", "portal:", "workspace:", "patch:", "exec:", "./", "../", "/", "~/")
_HARMLESS_SCRIPTS = frozenset(
    {
        *("esbuild", "fsevents", "core-js", "core-js-pure", "sharp", "bcrypt", "bufferutil"),
        *("utf-8-validate", "protobufjs", "node-sass", "sqlite3", "better-sqlite3", "canvas"),
        *("@swc/core", "es5-ext", "unrs-resolver", "@parcel/watcher", "msgpackr-extract"),
        *("lmdb", "@tailwindcss/oxide", "argon2", "cpu-features", "ssh2", "deasync"),
    }
)
"""Packages whose install scripts look at their own directory alone."""


def npm(reading: Reading, words: Sequence[Word]) -> None:
    """npm ci, npm install without arguments."""
    command = words[0].text if words else ""
    if command in {"cache", "--version"}:
        return
    if command not in {"ci", "install", "i", "clean-install"}:
        raise Refused(f"what npm {command} reads is not known")
    given = options_of(
        "npm",
        words[1:],
        "--production --no-audit --no-fund --ignore-scripts --legacy-peer-deps --prefer-offline "
        "--no-optional --silent --quiet -s -q --verbose --only-production --no-progress -g "
        "--global --unsafe-perm --no-package-lock --force",
        "--omit --include --only --loglevel --cache --registry --fetch-timeout --fetch-retries",
    )
    reading.reads_variables(_VARIABLES)
    _kept_in(reading, given, "--cache")
    if "--ignore-scripts" not in given.flags:
        reading.runs.append("npm")
    if given.flags & {"-g", "--global"}:
        _global_packages(given)
        reading.settings(_SETTINGS)
        return
    if given.arguments:
        raise Refused("npm install is given packages, and writes package.json")
    package = _package(reading)
    lock = reading.optional_manifest(reading.at("package-lock.json"))
    if command in {"ci", "clean-install"} and lock is None:
        raise Refused(f"what {reading.at('package-lock.json')} holds is not known")
    if command in {"install", "i"}:
        reading.writes.add(reading.at("package-lock.json"))
    _install(reading, given, package)
    if "--ignore-scripts" not in given.flags:
        _npm_lock_scripts(reading, reading.at("package-lock.json"), lock)


def yarn(reading: Reading, words: Sequence[Word]) -> None:
    """yarn install, yarn."""
    names = [word.text for word in words]
    if names[:2] == ["cache", "clean"] or names[:2] == ["config", "set"]:
        return
    given = options_of(
        "yarn",
        words[1:] if names[:1] == ["install"] else words,
        "--frozen-lockfile --production --prod --ignore-scripts --immutable --non-interactive "
        "--no-progress --silent -s --pure-lockfile --ignore-optional --ignore-engines "
        "--no-cache --prefer-offline",
        "--network-timeout --cache-folder --registry",
    )
    if given.arguments:
        raise Refused(f"what yarn {given.arguments[0].text} reads is not known")
    reading.reads_variables(_VARIABLES)
    _kept_in(reading, given, "--cache-folder")
    package = _package(reading)
    lock = reading.manifest(reading.at("yarn.lock"))
    if re.search(r'@(?:file|link|portal|patch|workspace):(?!\.")', lock):
        raise Refused("yarn.lock names a local path")
    if not given.flags & {"--frozen-lockfile", "--immutable", "--pure-lockfile"}:
        reading.writes.add(reading.at("yarn.lock"))
    _install(reading, given, package)
    if "--ignore-scripts" not in given.flags:
        reading.runs.append("yarn")
        reading.doubts.append("yarn.lock does not say which packages run scripts on install")


def pnpm(reading: Reading, words: Sequence[Word]) -> None:
    """pnpm install, pnpm fetch."""
    command = words[0].text if words else ""
    if command not in {"install", "i", "fetch"}:
        raise Refused(f"what pnpm {command} reads is not known")
    given = options_of(
        "pnpm",
        words[1:],
        "--frozen-lockfile --prod -P --ignore-scripts --prefer-offline --offline --silent -s "
        "--no-optional --dev -D --shamefully-hoist",
        "--reporter --store-dir --registry",
    )
    reading.reads_variables(_VARIABLES)
    _kept_in(reading, given, "--store-dir")
    lock = reading.manifest(reading.at("pnpm-lock.yaml"))
    if re.search(r"(?:file|link|workspace):", lock):
        raise Refused("pnpm-lock.yaml names a local path")
    if command == "fetch":
        reading.settings((*_SETTINGS, "package.json"))
        reading.writes.add(reading.at("node_modules"))
        return
    if "--frozen-lockfile" not in given.flags:
        reading.writes.add(reading.at("pnpm-lock.yaml"))
    _install(reading, given, _package(reading))
    if "--ignore-scripts" in given.flags:
        return
    reading.runs.append("pnpm")
    blocks = re.split(r"(?m)^  (?=\S)", lock)
    for block in blocks:
        if "requiresBuild: true" in block:
            name = block.split(":", 1)[0].strip("'\"/").rsplit("@", 1)[0].rsplit("/", 1)[0]
            if name not in _HARMLESS_SCRIPTS:
                reading.doubts.append(f"{name} runs a script on install")
    if not re.search(r"lockfileVersion: '?[56]", lock):
        reading.doubts.append("pnpm-lock.yaml does not say which packages run scripts on install")


def corepack(reading: Reading, words: Sequence[Word]) -> None:
    """corepack enable, corepack prepare with a version."""
    names = [word.text for word in words]
    if names[:1] == ["enable"] or (names[:1] == ["prepare"] and len(names) > 1 and "@" in names[1]):
        reading.reads_variables(_VARIABLES)
        return
    raise Refused("corepack reads package.json")


def _kept_in(reading: Reading, given: Options, option: str) -> None:
    """A directory of packages that were fetched before."""
    for word in given.values.get(option, ()):
        reading.trees.add(reading.path(word))
        reading.writes.add(reading.path(word))


def _global_packages(given: Options) -> None:
    for word in given.arguments:
        if word.text.startswith((*_LOCAL, ".", "~")) or word.text.count("/") > int(
            word.text.startswith("@")
        ):
            raise Refused(f"npm installs from a path: {word.text}")


def _install(reading: Reading, given: Options, package: Mapping[str, object]) -> None:
    reading.settings(_SETTINGS)
    reading.writes.add(reading.at("node_modules"))
    reading.lookups.add(reading.at("node_modules"))
    if "workspaces" in package:
        raise Refused(f"{reading.at('package.json')} has workspaces")
    for directory in ancestors(reading.here):
        path = posixpath.join(directory, "package.json")
        if b'"workspaces"' in (reading.content(path) or b""):
            raise Refused(f"{path} has workspaces, of which this may be one")
    for group in _DEPENDENCIES:
        for name, version in _strings(package.get(group)):
            packed = version.endswith((".tgz", ".tar.gz", ".tar")) and "://" not in version
            if packed or version in {".", ".."} or version.startswith(_LOCAL):
                raise Refused(f"{reading.at('package.json')} names a local path: {name}: {version}")
    if "patchedDependencies" in json.dumps(package):
        raise Refused(f"{reading.at('package.json')} patches dependencies with local files")
    scripts = dict(_strings(package.get("scripts")))
    for name in _ON_INSTALL:
        if name in scripts and "--ignore-scripts" not in given.flags:
            raise Refused(f"{reading.at('package.json')} runs its {name} script on install")


def _package(reading: Reading) -> Mapping[str, object]:
    path = reading.at("package.json")
    return _object(path, reading.manifest(path))


def _npm_lock_scripts(reading: Reading, path: str, text: str | None) -> None:
    if text is None:
        raise Refused("without package-lock.json it is not known which packages run scripts")
    lock = _object(path, text)
    packages = lock.get("packages")
    if not isinstance(packages, Mapping):
        if re.search(r'"(?:file|link):', text):
            raise Refused(f"{path} names a local path")
        reading.doubts.append(f"{path} does not say which packages run scripts on install")
        return
    for where, facts in packages.items():
        if not isinstance(facts, Mapping) or not where:
            continue
        name = str(where).rpartition("node_modules/")[2]
        if facts.get("link") or "node_modules/" not in str(where):
            raise Refused(f"{path} names a local path: {where}")
        if str(facts.get("resolved", "")).startswith("file:"):
            raise Refused(f"{path} names a local path: {where}")
        if facts.get("hasInstallScript") and name not in _HARMLESS_SCRIPTS:
            reading.doubts.append(f"{name} runs a script on install")


def _object(path: str, text: str) -> Mapping[str, object]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(f"{path} is no JSON") from None
    if not isinstance(value, dict):
        raise Refused(f"{path} is no JSON object")
    found: dict[str, object] = value
    return found


def _strings(value: object) -> list[tuple[str, str]]:
    """The members of an object, those of objects in it too, that are text."""
    if not isinstance(value, Mapping):
        return []
    found: list[tuple[str, str]] = []
    for name, member in value.items():
        if isinstance(member, str):
            found.append((str(name), member))
        else:
            found.extend(_strings(member))
    return found
