"""What a RUN reads, where it is wholly made of commands whose reads are published.

The answer is a Contract, or the reason why there is none; then the RUN may read anything. What a
command reads beside the files it is told of - settings of its own, programs on PATH, variables
with its prefix - belongs to the contract too.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from layerlens.dockerfile.instructions import Run
from layerlens.dockerfile.resources import ancestors
from layerlens.dockerfile.shell_commands import (
    VARIABLE,
    NotUnderstood,
    SimpleCommand,
    Word,
    simple_commands,
)
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.tool_contracts_conda import conda
from layerlens.dockerfile.tool_contracts_languages import (
    bundle,
    cargo,
    composer,
    dotnet,
    go,
    maven,
)
from layerlens.dockerfile.tool_contracts_node import corepack, npm, pnpm, yarn
from layerlens.dockerfile.tool_contracts_python import pip, pipenv, poetry, python, uv, venv
from layerlens.dockerfile.tool_contracts_system import accounts, apk, apt, dnf, mkdir, nothing, rm
from layerlens.dockerfile.tool_reading import (
    SPARED_TREES,
    SYSTEM_TREES,
    SYSTEM_WRITES,
    Reading,
    Refused,
)
from layerlens.oci.quoting import printable

_Tool = Callable[[Reading, Sequence[Word]], None]

_TOOLS: dict[str, _Tool] = {
    "apt": apt,
    "apt-get": apt,
    "apk": apk,
    "dnf": dnf,
    "microdnf": dnf,
    "yum": dnf,
    "tdnf": dnf,
    "pip": pip,
    "pip3": pip,
    "python": python,
    "python3": python,
    "virtualenv": venv,
    "uv": uv,
    "poetry": poetry,
    "pipenv": pipenv,
    "conda": conda,
    "mamba": conda,
    "micromamba": conda,
    "npm": npm,
    "yarn": yarn,
    "pnpm": pnpm,
    "corepack": corepack,
    "go": go,
    "cargo": cargo,
    "bundle": bundle,
    "composer": composer,
    "mvn": maven,
    "dotnet": dotnet,
    "mkdir": mkdir,
    "rm": rm,
    "useradd": accounts,
    "groupadd": accounts,
    "adduser": accounts,
    "addgroup": accounts,
    "echo": nothing,
    "true": nothing,
    ":": nothing,
}
_SMALL = frozenset({"mkdir", "rm", "echo", "true", ":", "python", "python3"})
_VERSIONED = re.compile(r"(pip|python)3(?:\.[0-9]+)?")
_IN_ENVIRONMENTS = frozenset({"pip", "pip3", "python", "python3"})
_GUIDING = frozenset(
    {
        *("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "NODE_PATH", "BASH_ENV"),
        *("LD_PRELOAD", "LD_LIBRARY_PATH", "NODE_OPTIONS", "NPM_CONFIG_USERCONFIG", "GOFLAGS"),
        *("PIP_CONFIG_FILE", "npm_config_userconfig", "CONDARC", "UV_CONFIG_FILE", "GOWORK"),
        *("PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_FIND_LINKS", "PIP_PREFIX", "PIP_TARGET"),
        *("PIP_EDITABLE", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT"),
        *("UV_OVERRIDE", "UV_FIND_LINKS", "UV_PROJECT", "UV_WORKING_DIRECTORY", "PIPENV_PIPFILE"),
        *("BUNDLE_GEMFILE", "COMPOSER", "COMPOSER_VENDOR_DIR", "MAVEN_ARGS", "APT_CONFIG"),
    }
)
"""Variables by which commands find other files to read, or other places to write to."""

_NAMING = re.compile(r"(?:SSL|CURL|REQUESTS|GIT|NODE_EXTRA|AWS|HTTP|XDG)_.*")
"""Variables that name files to all that opens connections."""

_AT_HOME = (
    *(".config", ".cache", ".local", ".netrc", ".gitconfig", ".ssh", ".bashrc", ".profile"),
    *(".npmrc", ".yarnrc", ".pip", ".condarc", ".mambarc", ".m2", ".cargo", ".gemrc", ".bundle"),
    *(".nuget", ".composer", ".pydistutils.cfg", ".pypirc", ".docker"),
)

_OWN_VERSION = re.compile(
    r"(?:(?:APP|APPLICATION|BACKEND|BUILD|CI|COMMIT|DOCKER|FRONTEND|GIT|GITHUB|IMAGE|MY|OCI|PACKAGE"
    r"|PROJECT|RELEASE|REPO|SERVICE|SOURCE|SRC|VCS|WEB|API)_?)*"
    r"(?:BRANCH|BUILD|COMMIT|CACHE_?BUST(?:ER)?|DATE|DESCRIBE|HASH|ID|LABEL|NAME|NUM"
    r"|NUMBER|REF|RELEASE|REV|REVISION|SHA|SHA1|TAG|TIME|TIMESTAMP|VERSION)(?:_(?:SHORT|SHA|LONG))?",
    re.IGNORECASE,
)
"""Variables by which builds are told what they build."""

_PROGRAM_PLACES = ("/usr/bin/", "/bin/", "/usr/local/bin/", "/usr/sbin/", "/sbin/")
_POSIX_SHELLS = frozenset({"sh", "bash", "dash", "ash"})
_HARMLESS_MOUNTS = frozenset({"cache", "tmpfs", "secret", "ssh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a RUN reads and nothing else.

    `tools`: the commands, as people call them. `manifests`: files it is told to read. `lookups`:
    further paths it looks for. `trees`: directories of which it may read all, but for `spared`
    ones. `variables`: patterns of the names it may read. `writes`: directories it writes below.
    `doubts`: why it might read more after all, each a clause; without one the contract holds.
    `runs`: those of the tools that run scripts of the packages that they install.
    """

    tools: tuple[str, ...]
    manifests: frozenset[str]
    lookups: frozenset[str]
    trees: frozenset[str]
    spared: frozenset[str]
    variables: tuple[re.Pattern[str], ...]
    writes: frozenset[str]
    doubts: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def reads_variable(self, name: str) -> bool:
        """Whether the variable may make a difference."""
        return any(pattern.fullmatch(name) for pattern in self.variables)

    def variable_doubt(self, names: Iterable[str]) -> str | None:
        """Why one of the variables may make a difference after all, as a clause: a package may
        build by it, or want it set. None for those that say which version of the own program is
        built, and when."""
        unknown = sorted(name for name in names if _OWN_VERSION.fullmatch(name) is None)
        if not self.runs or not unknown:
            return None
        return f"what {self.runs[0]} installs may read {unknown[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoContract:
    """Why a RUN may read anything, as a clause."""

    reason: str


def contract_of(
    run: Run,
    state: State,
    content: Callable[[str], bytes | None],
    listing: Callable[[str], Iterable[str]],
) -> Contract | NoContract:
    """What the RUN reads where *state* holds.

    *content*: what a file holds that instructions before it have copied from the build context;
    None where that is not known. *listing*: the paths that they copied into a directory.
    """
    try:
        return _contract(run, state, content, listing)
    except NotUnderstood as error:
        reason = f"it is more than plain commands, as {error}"
    except Refused as error:
        reason = str(error)
    return NoContract(reason=printable(reason.replace(VARIABLE, "$")))


def _contract(
    run: Run,
    state: State,
    content: Callable[[str], bytes | None],
    listing: Callable[[str], Iterable[str]],
) -> Contract:
    script = _script(run, state)
    reading = Reading(
        state=state, directory=state.working_directory, content=content, listing=listing
    )
    for command in simple_commands(script):
        _read(reading, command)
    if not [tool for tool in reading.tools if tool not in _SMALL]:
        small = ", ".join(sorted(set(reading.tools))) or "nothing"
        reading.tools[:] = [small]
    return _finished(reading, state.variables.get("PATH", ""))


def _script(run: Run, state: State) -> str:
    """What a shell that reads nothing else is given, where all it depends on is known."""
    _check_state(state)
    if run.script is None:
        raise Refused("it is in exec form")
    for mount in run.mounts:
        if mount.type not in _HARMLESS_MOUNTS:
            raise Refused(f"it has a mount of type {mount.type}")
    if run.network is not None or run.flag("security") is not None:
        raise Refused("it has flags of its own")
    for variable in sorted(_GUIDING - {"PATH", "HOME", "PYTHONPATH"}):
        if variable in state.variables or variable in state.unknown:
            raise Refused(f"{variable} is set")
    for variable in ("PATH", "HOME", "PYTHONPATH"):
        if variable in state.unknown:
            raise Refused(f"{variable} is not known")
    if run.heredocs and run.script.startswith("#!"):
        raise Refused("it is a script for another program")
    return run.script


def _check_state(state: State) -> None:
    if state.shell[0].rpartition("/")[2] not in _POSIX_SHELLS:
        raise Refused(f"its shell is {state.shell[0]}")
    if "--login" in state.shell or any(re.fullmatch(r"-[a-z]*[li][a-z]*", w) for w in state.shell):
        raise Refused("its shell reads start-up files")


def _finished(reading: Reading, path: str) -> Contract:
    trees = set(reading.trees) | SYSTEM_TREES
    trees.update(posixpath.normpath(each) for each in path.split(":") if each.startswith("/"))
    if any(not each.startswith("/") for each in path.split(":") if each):
        trees.add(reading.here)
    trees.update(_settings_at_home(reading))
    trees.update(_named_by_variables(reading))
    pythonpath = reading.state.variables.get("PYTHONPATH", "")
    trees.update(posixpath.normpath(each) for each in pythonpath.split(":") if each.startswith("/"))
    spared = frozenset(each for each in SPARED_TREES if each not in trees)
    ends = {*reading.manifests, posixpath.join("/", reading.state.shell[0])}
    ends |= {reading.directory} if reading.directory else set()
    ways = ends.union(*map(ancestors, ends))
    return Contract(
        tools=tuple(dict.fromkeys(tool for tool in reading.tools if tool not in _SMALL))
        or tuple(reading.tools),
        manifests=frozenset(reading.manifests),
        lookups=frozenset(reading.lookups | ways),
        trees=frozenset(trees),
        spared=spared,
        variables=tuple(reading.variables),
        writes=frozenset(reading.writes | SYSTEM_WRITES),
        doubts=tuple(dict.fromkeys(reading.doubts)),
        runs=tuple(dict.fromkeys(reading.runs)),
    )


def _named_by_variables(reading: Reading) -> Iterator[str]:
    """The files and directories that variables of the commands name: certificates, indexes."""
    own = (_NAMING, *(each for each in reading.variables[1:] if each.pattern.strip(".*|")))
    for name, value in (*reading.state.variables.items(), *reading.set_here.items()):
        if value is None or not any(pattern.fullmatch(name) for pattern in own):
            continue
        for part in re.split(r"[\s,;=]+|:(?!//)", value):
            path = part.removeprefix("file://")
            if path.startswith(("./", "../")) or (path.startswith("/") and path.strip("/")):
                yield reading.at(path)


def _settings_at_home(reading: Reading) -> set[str]:
    """Where a user's own settings of the tools may be. Which directory is a user's home only the
    image's accounts tell; the working directory and those above it may be."""
    homes = {"/"}
    if reading.directory is not None:
        homes.update((reading.directory, *ancestors(reading.directory)))
    home = reading.state.variables.get("HOME", "")
    if home.startswith("/"):
        homes.add(posixpath.normpath(home))
    user = (reading.state.user or "").partition(":")[0]
    if user and "/" not in user:
        homes.add(f"/home/{user}")
    return {posixpath.join(each, name) for each in homes for name in _AT_HOME}


def _read(reading: Reading, command: SimpleCommand) -> None:
    for name in command.names:
        reading.reads_variables(re.escape(name))
    words = command.words
    if not words:
        for variable, value in command.assignments:
            _may_be_set(variable)
            reading.assign(variable, value)
        return
    name = words[0].text
    for place in _PROGRAM_PLACES:
        name = name.removeprefix(place)
    if name in {"set", "export", "cd", "exec", "sudo"}:
        _built_in(reading, name, words[1:])
        return
    if name in {".", "source"}:
        _activate(reading, name, words[1:])
        return
    inside = _of_environment(reading, words[0]) if "/" in name else None
    name = inside or name
    versioned = _VERSIONED.fullmatch(name)
    tool = _TOOLS.get(versioned[1] if versioned else name)
    if tool is None or (words[0].names and inside is None) or words[0].pattern:
        raise Refused(f"{words[0].text or 'a command'} may read anything")
    for variable, value in command.assignments:
        _may_be_set(variable)
        if "/" in value.text or value.names:
            reading.assign(variable, value)
    tool(reading, words[1:])
    reading.tools.append(_called(name, words[1:]))


def _of_environment(reading: Reading, word: Word) -> str | None:
    """The name of a Python program that is called by where it is in a virtual environment."""
    directory, _, name = word.text.rpartition("/bin/")
    if not directory or (_VERSIONED.fullmatch(name) is None and name not in _IN_ENVIRONMENTS):
        return None
    _is_in(reading, reading.path(replace(word, text=directory)))
    return name


def _activate(reading: Reading, name: str, words: Sequence[Word]) -> None:
    """``. venv/bin/activate``, as python -m venv makes it."""
    if len(words) != 1 or not words[0].text.endswith("/bin/activate"):
        raise Refused(f"{name} may read anything")
    text = words[0].text.removesuffix("/bin/activate")
    _is_in(reading, reading.path(replace(words[0], text=text)))


def _is_in(reading: Reading, environment: str) -> None:
    if environment in SYSTEM_TREES or environment == "/":
        raise Refused(f"{environment} is no virtual environment")
    reading.trees.add(environment)
    reading.writes.add(environment)


def _called(name: str, words: Sequence[Word]) -> str:
    if name in _SMALL:
        return name
    first = words[0].text if words else ""
    return f"{name} {first}" if re.fullmatch(r"[a-z][a-z:-]*", first) else name


def _may_be_set(variable: str) -> None:
    if variable in _GUIDING:
        raise Refused(f"it sets {variable}")


def _built_in(reading: Reading, name: str, words: Sequence[Word]) -> None:
    match name:
        case "set":
            if any(not word.text.startswith(("-", "pipefail", "+")) for word in words):
                raise Refused("it sets the shell's arguments")
        case "export":
            for word in words:
                variable, equals, value = word.text.partition("=")
                if not equals:
                    raise Refused(f"it exports {variable}")
                _may_be_set(variable)
                reading.assign(variable, Word(text=value, names=word.names))
        case "cd" if len(words) == 1:
            directory = reading.path(words[0])
            reading.directory = directory
            reading.lookups.update((directory, *ancestors(directory)))
        case _:
            raise Refused(f"{name} may read anything")
