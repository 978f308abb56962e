"""What Go, Cargo, Bundler, Composer, Maven and .NET read to fetch what a project depends on."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Mapping, Sequence

from layerlens.dockerfile.shell_commands import Word
from layerlens.dockerfile.tool_reading import Reading, Refused, options_of

_GEM_VALUE = r"(?:\[[^\[\]]*\]|[^,\[\]]+(?:\[[^\[\]]*\])?)"
_GEM_LINE = re.compile(
    r"source\s+['\"]https?://[^'\"]+['\"](?:\s+do)?"
    r"|gem\s+['\"][\w.-]+['\"](?:\s*,\s*(?:['\"][^'\"]*['\"]"
    rf"|[a-z_]+:\s*{_GEM_VALUE}|:[a-z_]+\s*=>\s*{_GEM_VALUE}))*"
    r"|ruby\s+['\"][^'\"]+['\"]|group\s+:[\w, :]+\s+do|platforms?\s+:[\w, :]+\s+do|end"
)

_GIT_SOURCE = re.compile(
    r"git_source\(:github\) \{ ?\|(?P<name>\w+)\| "
    r"\"https://github\.com/#\{(?P=name)\}(?:\.git)?\" ?\}"
)
"""The one program that Rails and Bundler write into the Gemfiles that they make."""

_PROGRAM = re.compile(r"\b(?:path|ENV|File|IO|Dir|Pathname|require_relative|system)\b|[(`]|#\{|%x")

_FROZEN = frozenset({"frozen", "deployment", "--deployment", "--frozen"})

_LOCAL_REPOSITORY = re.compile(r'"url"\s*:\s*"(?:\.|/|~|file:)')

_HARMLESS_EXTENSIONS = frozenset(
    {"os-maven-plugin", "wagon-http", "wagon-ssh", "wagon-webdav-jackrabbit"}
)

_REQUIRED = re.compile(r"(?m)^\s*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+(v\S+)")


def go(reading: Reading, words: Sequence[Word]) -> None:
    """go mod download, go mod verify."""
    names = [word.text for word in words]
    if names[:2] not in (["mod", "download"], ["mod", "verify"]):
        raise Refused(f"what go {' '.join(names[:2])} reads is not known")
    options_of("go mod download", words[2:], "-x -json")
    path = reading.at("go.mod")
    text = reading.manifest(path)
    sums = reading.optional_manifest(reading.at("go.sum")) or ""
    if not all(f"{name} {version} h1:" in sums for name, version in _REQUIRED.findall(text)):
        reading.writes.add(reading.at("go.sum"))
    for line in text.splitlines():
        _, arrow, target = line.partition("=>")
        if arrow and target.strip().lstrip('"`').startswith((".", "/")):
            raise Refused(f"{path} names a local path: {line.strip()}")
    reading.settings(("go.work", "go.work.sum", "vendor", "go.env"))
    reading.trees.update(("/go/pkg", "/go/bin"))  # /go/src is for what has no go.mod
    reading.writes.add("/go/pkg")
    reading.reads_variables("GO.*|CGO_.*|NETRC")


def cargo(reading: Reading, words: Sequence[Word]) -> None:
    """cargo fetch. A manifest that names no target by its path is refused by cargo itself where
    there are no sources to find one in, so then they are read too."""
    if [word.text for word in words[:1]] != ["fetch"]:
        raise Refused("of cargo only fetch is known")
    given = options_of(
        "cargo fetch", words[1:], "--locked --frozen --offline -q --quiet -v", "--target"
    )
    if any(word.text.endswith(".json") for word in given.values.get("--target", ())):
        raise Refused("cargo is given a target of the project's own")
    path = reading.at("Cargo.toml")
    text = reading.manifest(path)
    try:
        manifest = tomllib.loads(text)
    except (ValueError, RecursionError):  # ValueError: also for a number without end
        raise Refused(f"{path} is no TOML") from None
    if "workspace" in manifest or "patch" in manifest or "replace" in manifest:
        raise Refused(f"{path} is a workspace, or replaces what it depends on")
    package = manifest.get("package")
    if isinstance(package, Mapping) and isinstance(package.get("workspace"), str):
        raise Refused(f"{path} is a member of the workspace {package['workspace']}")
    targets = _tables([manifest.pop("lib", None)])
    for group in ("bin", "example", "test", "bench"):
        targets.extend(_tables(manifest.pop(group, None)))
    if _names_a_path(manifest):
        raise Refused(f"{path} names a local path")
    if reading.optional_manifest(reading.at("Cargo.lock")) is None or not given.flags & {
        "--locked",
        "--frozen",
    }:
        reading.writes.add(reading.at("Cargo.lock"))
    started = package.get("default-run") if isinstance(package, Mapping) else None
    named = started is None or any(table.get("name") == started for table in targets)
    if not targets or not named or not all("path" in table for table in targets):
        names = ("src", "examples", "tests", "benches", "build.rs")
        reading.trees.update(reading.at(name) for name in names)
    reading.settings((".cargo", "rust-toolchain", "rust-toolchain.toml"))
    reading.settings(("Cargo.toml",), above=True)  # it may be a member of a workspace
    reading.trees.add("/usr/local/cargo")
    reading.reads_variables("CARGO_.*|RUST.*")


def _names_a_path(value: object) -> bool:
    """Whether a table, or one in it, has the key ``path``."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            if "path" in each:
                return True
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False


def _tables(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def bundle(reading: Reading, words: Sequence[Word]) -> None:
    """bundle install, bundle config."""
    names = [word.text for word in words]
    if names[:1] == ["config"]:
        if _FROZEN.intersection(names) and names[-1] in {"true", "1"}:
            reading.set_here["BUNDLE_FROZEN"] = "true"
        reading.lookups.add(reading.at(".bundle"))
        reading.writes.add(reading.at(".bundle"))
        return
    if names[:1] not in ([], ["install"]):
        raise Refused(f"what bundle {names[0]} reads is not known")
    given = options_of(
        "bundle install",
        words[1:],
        "--deployment --frozen --quiet --no-cache --verbose --clean",
        "--jobs -j --retry --without --with --path",
    )
    path = reading.at("Gemfile")
    for line in reading.manifest(path).splitlines():
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not bare or _GIT_SOURCE.fullmatch(bare):
            continue
        if _GEM_LINE.fullmatch(bare) is None or _PROGRAM.search(bare):
            raise Refused(f"{path} is a program: {bare}")
    lock = reading.optional_manifest(reading.at("Gemfile.lock"))
    if lock is not None and re.search(r"(?m)^PATH$", lock):
        raise Refused("Gemfile.lock names a local path")
    if not given.flags & {"--deployment", "--frozen"} and not _is_frozen(reading):
        reading.writes.add(reading.at("Gemfile.lock"))
    reading.settings((".bundle", ".ruby-version", ".tool-versions", "gems.rb", "vendor"))
    reading.writes.add(reading.at("vendor"))
    reading.reads_variables("BUNDLE_.*|GEM_.*|RUBY.*|RAILS_.*|RACK_.*")
    reading.runs.append("bundle")


def _is_frozen(reading: Reading) -> bool:
    """Whether Gemfile.lock is left as it is, by Bundler's settings."""
    known = {**reading.state.variables, **reading.set_here}
    return any(known.get(name) in {"true", "1"} for name in ("BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT"))


def composer(reading: Reading, words: Sequence[Word]) -> None:
    """composer install --no-scripts --no-autoloader."""
    if [word.text for word in words[:1]] != ["install"]:
        raise Refused("of composer only install is known")
    given = options_of(
        "composer",
        words[1:],
        "--no-dev --no-scripts --no-autoloader --no-interaction -n --prefer-dist --no-progress "
        "--no-plugins --quiet -q --ignore-platform-reqs --no-ansi -v",
    )
    if not given.flags >= {"--no-scripts", "--no-autoloader"}:
        raise Refused("composer runs the project's scripts, or reads its classes to load them")
    path = reading.at("composer.json")
    try:
        value: object = json.loads(reading.manifest(path))
    except (ValueError, RecursionError):
        raise Refused(f"{path} is no JSON") from None
    if not isinstance(value, Mapping):
        raise Refused(f"{path} is no JSON object")
    plain = json.dumps(value).replace("\\/", "/")
    if re.search(r'"type"\s*:\s*"(?:path|artifact)"', plain) or _LOCAL_REPOSITORY.search(plain):
        raise Refused(f"{path} names a local path")
    lock = reading.manifest(reading.at("composer.lock"))
    if re.search(r'"type"\s*:\s*"path"', lock) or _LOCAL_REPOSITORY.search(lock):
        raise Refused("composer.lock names a local path")
    if "composer-plugin" in lock and "--no-plugins" not in given.flags:
        raise Refused("composer.lock has plugins, which run")
    # The revision of what holds the project is written to vendor/composer/installed.php.
    reading.settings(("auth.json", "vendor", ".env", ".git", ".hg", ".svn", ".fslckout"))
    reading.writes.add(reading.at("vendor"))
    reading.reads_variables("COMPOSER.*|PHP.*")


def maven(reading: Reading, words: Sequence[Word]) -> None:
    """mvn dependency:go-offline, dependency:resolve."""
    given = options_of(
        "mvn",
        words,
        "-B --batch-mode -q --quiet -ntp --no-transfer-progress -e -U --errors -DskipTests",
        "-T",
    )
    goals = {word.text for word in given.arguments}
    known = {"dependency:go-offline", "dependency:resolve", "dependency:resolve-plugins"}
    if not goals or not goals <= known:
        raise Refused("of mvn only dependency:go-offline and dependency:resolve are known")
    path = reading.at("pom.xml")
    text = reading.manifest(path)
    if re.search(r"<(?:modules?|systemPath)>", text):
        raise Refused(f"{path} has modules or names a local path")
    if "<parent>" in text and not re.search(r"<relativePath\s*/>", text):
        raise Refused(f"{path} may have its parent in ../pom.xml")
    if re.search(
        r"\$\{(?:(?:project\.|pom\.)?base(?:dir|Uri)|user\.dir|[\w.]*(?:Project|Root)Directory)\}|<file>|file://",
        text,
    ):
        raise Refused(f"{path} names a local path")
    extensions = re.findall(r"(?s)<extension>(.*?)</extension>", text)
    artifacts = [re.search(r"<artifactId>\s*([\w.-]+)", each) for each in extensions]
    if any(found is None or found[1] not in _HARMLESS_EXTENSIONS for found in artifacts):
        raise Refused(f"{path} has extensions, which run")
    if re.search(r"<extensions>\s*true", text):
        raise Refused(f"{path} has extensions, which run")
    reading.settings((".mvn", "settings.xml", ".mavenrc"))
    reading.reads_variables("MAVEN_.*|MVN_.*|M2_.*|JAVA_.*|JDK_.*|.*")


def dotnet(reading: Reading, words: Sequence[Word]) -> None:
    """dotnet restore of one project."""
    if [word.text for word in words[:1]] != ["restore"]:
        raise Refused("of dotnet only restore is known")
    given = options_of(
        "dotnet restore",
        words[1:],
        "--no-cache --locked-mode --force --ignore-failed-sources --disable-parallel",
        "-r --runtime -v --verbosity",
    )
    if len(given.arguments) != 1 or not given.arguments[0].text.endswith("proj"):
        raise Refused("which project dotnet restores depends on the directory")
    path = reading.path(given.arguments[0])
    text = reading.manifest(path)
    if re.search(r"(?i)<(?:ProjectReference|Import|PackageReference[^>]*\$\()", text):
        raise Refused(f"{path} refers to other files")
    if re.search(r"(?i)\bExists\s*\(|HasTrailingSlash|\$\(\s*\[", text):
        raise Refused(f"{path} looks for other files")
    if re.search(r"(?i)<(?:Restore\w*(?:Source|Path|Folder|File)s?|NuGetLockFilePath)>", text):
        raise Refused(f"{path} says where packages are")
    names = (
        *("Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"),
        *("nuget.config", "NuGet.Config", "NuGet.config", "global.json", "packages.lock.json"),
        *("Directory.Build.rsp", "Directory.Solution.props", ".nuget"),
    )
    reading.settings(names)
    reading.settings(names, start=posixpath.dirname(path))  # they are looked for from there, too
    reading.lookups.add(f"{path}.user")
    reading.trees.add(f"{path.rpartition('/')[0]}/obj")
    reading.writes.add(f"{path.rpartition('/')[0]}/obj")
    reading.reads_variables(".*")  # MSBuild makes a property of every variable
