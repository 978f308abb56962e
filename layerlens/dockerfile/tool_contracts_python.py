"""What Python's installers read: pip, uv, poetry, pipenv.

All of them install packages from an index, in directories of their own; refused is whatever
would make them read the project itself: a path, ``-e``, a project that is installed too.
"""

from __future__ import annotations

import posixpath
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence

from layerlens.dockerfile.shell_commands import VARIABLE, Word
from layerlens.dockerfile.tool_reading import Reading, Refused, options_of

_PIP_FLAGS = (
    "--no-cache-dir --no-cache --upgrade -U --user --no-deps --no-input -q --quiet -v --verbose "
    "--no-compile --compile --pre --disable-pip-version-check --no-warn-script-location "
    "--break-system-packages --force-reinstall --ignore-installed -I --require-hashes "
    "--prefer-binary --system --no-python-version-warning --no-build-isolation --isolated "
    "--root-user-action --no-python-downloads --compile-bytecode"
)
_PIP_VALUED = (
    "-i --index-url --extra-index-url -f --find-links --trusted-host --timeout --retries "
    "--progress-bar --only-binary --no-binary --root-user-action --upgrade-strategy "
    "--platform --python-version --index-strategy --default-timeout"
)
_PIP_READS = "-r --requirement -c --constraint"
_PIP_PLACES = "--prefix --target -t"
_WHEELS = "-w --wheel-dir"
_INDEXES = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links"})
PIP_VARIABLES = "PIP_.*|PYTHON.*|SETUPTOOLS_.*|UV_.*|VIRTUAL_ENV|CONDA_.*|CARGO_.*|RUST.*"
PIP_SETTINGS = ("pip.conf", "setup.cfg", ".pydistutils.cfg")
_UV_SETTINGS = ("uv.toml", ".python-version", ".python-versions", ".env")

_LINE_OPTIONS = frozenset(
    {
        *("-i", "--index-url", "--extra-index-url", "--pre", "--trusted-host", "--no-index"),
        *("--no-binary", "--only-binary", "--prefer-binary", "--require-hashes"),
    }
)

_ARCHIVE = re.compile(
    r".*\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))(?:\[.*)?", re.IGNORECASE
)
"""What pip takes for a file, with extras or without, where there is one of that name."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_ADDRESS = re.compile(r"(?:git\+)?https?://[^\s]+")
_VIRTUAL = re.compile(r"(?m)^source\s*=\s*\{\s*virtual\s*=\s*\"\.\"\s*\}")
"""Of a project in uv.lock: it is no package, and is never installed."""

_NO_ADDRESS = re.compile(
    r"\b(?:url|registry|index-url)\s*=\s*\[?\s*[\"'](?!(?:https?|ssh)://|git\+)"
    r"|\b(?:find-links|cache-dir)\s*="
)
"""Where packages may come from a directory."""

_ONLY_TOLD = re.compile(r"(?m)^(?:license|readme)\s*=\s*\{[^{}\n]*\}\s*$")
"""Files of a project that uv does not open before it builds the project; poetry does."""

_OTHER_MODULES = frozenset(
    {
        *("pip", "setuptools", "wheel", "packaging", "pkg_resources", "_distutils_hack"),
        *("annotationlib", "asynchat", "asyncore", "binhex", "compression", "distutils", "imp"),
        *("smtpd", "tomllib"),
    }
)
"""What pip and venv may import beside this Python's own library: that of other versions, too."""

_IN_TEXT = re.compile(r"\$\{([A-Z0-9_]+)\}")


def pip(reading: Reading, words: Sequence[Word]) -> None:
    """pip install, pip wheel."""
    command = words[0].text if words else ""
    if command in {"--version", "cache", "list", "check"}:
        return
    if command not in {"install", "wheel"}:
        raise Refused("of pip only install and wheel are known")
    places = _PIP_PLACES if command == "install" else _WHEELS
    valued = f"{_PIP_VALUED} {_PIP_READS} {places}"
    given = options_of("pip", words[1:], _PIP_FLAGS, valued, clustered="Uqv")
    named = [
        reading.path(word) for option in places.split() for word in given.values.get(option, ())
    ]
    if command == "wheel" and not named:
        named.append(reading.here)
    reading.trees.update(named)
    reading.writes.update(named)
    if "--no-build-isolation" in given.flags:
        raise Refused("pip builds packages with what is installed already")
    for option in _PIP_READS.split():
        for word in given.values.get(option, ()):
            _requirements(reading, reading.path(word), set())
    for option in sorted(_INDEXES):
        for word in given.values.get(option, ()):
            _index(word.text, "pip")
    for word in given.arguments:
        requirement(word.text.replace(VARIABLE, "0"))
    if ":all:" not in {word.text for word in given.values.get("--only-binary", ())}:
        reading.runs.append("pip")
    reading.reads_variables(PIP_VARIABLES)
    reading.settings(PIP_SETTINGS)
    _environments(reading)


def _environments(reading: Reading) -> None:
    """Where packages go if not into the system: a virtual environment that is named, or one whose
    programs come first in PATH."""
    variables = reading.state.variables
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"):
        if name in reading.state.unknown:
            raise Refused(f"the value of {name} is not known")
        if variables.get(name):
            reading.trees.add(reading.at(variables[name]))
            reading.writes.add(reading.at(variables[name]))
    for entry in variables.get("PATH", "").split(":"):
        directory, _, last = entry.rstrip("/").rpartition("/")
        if last == "bin" and directory and directory not in {"/usr", "/usr/local"}:
            libraries = {f"{directory}/{each}" for each in ("lib", "lib64", "pyvenv.cfg")}
            reading.trees |= libraries
            reading.writes |= libraries


def python(reading: Reading, words: Sequence[Word]) -> None:
    """python -m pip, python -m venv."""
    module = words[1].text if len(words) > 1 and words[0].text == "-m" else ""
    if module not in {"pip", "venv"}:
        raise Refused("python runs a program")
    modules = sys.stdlib_module_names | _OTHER_MODULES
    for name in reading.listing(reading.here):
        first = name.split("/", 1)[0].removesuffix(".py")
        if first in modules:
            raise Refused(f"python -m {module} would import {reading.at(name)}")
    if module == "pip":
        pip(reading, words[2:])
    else:
        venv(reading, words[2:])


def venv(reading: Reading, words: Sequence[Word]) -> None:
    """python -m venv, virtualenv, uv venv."""
    given = options_of(
        "venv",
        words,
        "--system-site-packages --copies --clear --upgrade-deps --without-pip --seed --no-project",
        "--prompt -p --python",
    )
    for word in given.arguments:
        path = reading.path(word)
        reading.trees.add(path)
        reading.writes.add(path)


def _requirements(reading: Reading, path: str, seen: set[str]) -> None:
    if path in seen:
        return
    seen.add(path)
    text = reading.manifest(path)
    for name in _IN_TEXT.findall(text):
        reading.reads_variables(re.escape(name))
    for line in _requirement_lines(text):
        if not line.startswith("-"):
            requirement(line, path)
            continue
        option, value = _option(line)
        if option in {"-r", "--requirement", "-c", "--constraint"}:
            if "://" not in value:
                inner = posixpath.join(posixpath.dirname(path), value)
                _requirements(reading, posixpath.normpath(inner), seen)
        elif option in {"-e", "--editable"}:
            raise Refused(f"{path} installs in place: {line}")
        elif option in {"-f", "--find-links"}:
            if not value.startswith(("http://", "https://")):
                raise Refused(f"{path} looks for packages in files: {line}")
        elif option in _INDEXES:
            _index(value, path)
        elif option not in _LINE_OPTIONS:
            raise Refused(f"{path} has an option that is not known: {line}")


def _index(address: str, where: str) -> None:
    """An index, which may be a directory as well; what a variable holds is what it starts with."""
    if not address.startswith(("http://", "https://", VARIABLE)):
        raise Refused(f"{where} has an index that may be of files: {address}")


def _option(line: str) -> tuple[str, str]:
    """An option of a line and its value: ``-r x``, ``-rx``, ``--requirement=x``."""
    if not line.startswith("--"):
        return line[:2], line[2:].strip().lstrip("=")
    match = re.match(r"(--[a-z-]+)[=\s]*", line)
    return (match[1], line[match.end() :].strip()) if match else (line, "")


def _requirement_lines(text: str) -> Iterator[str]:
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if bare:
            yield bare


def requirement(text: str, where: str = "pip") -> None:
    """A package of an index or of an address. Refused for anything that may be a path."""
    bare = text.split(";", 1)[0].split(" --", 1)[0].strip()
    if _ADDRESS.fullmatch(bare):
        return
    name, at, address = bare.partition("@")
    if at:
        if not _ADDRESS.fullmatch(address.strip()):
            raise Refused(f"{where} installs from a path: {bare}")
        bare = name.strip()
    match = _NAME.match(bare)
    rest = "" if match is None else bare[match.end() :].strip()
    version = rest.partition("]")[2].strip() if rest.startswith("[") else rest
    if match is None or not (not version or version[0] in "=<>!~("):
        raise Refused(f"{where} installs from a path: {bare}")
    if "/" in bare or _ARCHIVE.fullmatch(bare):
        raise Refused(f"{where} installs from a path: {bare}")


def uv(reading: Reading, words: Sequence[Word]) -> None:
    """uv sync, uv pip install, uv venv."""
    command = words[0].text if words else ""
    if command == "pip":
        pip(reading, words[1:])
        text = (reading.content(reading.at("pyproject.toml")) or b"").decode(errors="replace")
        if "tool.uv" in text and _NO_ADDRESS.search(text):
            raise Refused("pyproject.toml names an index of files, or a cache")
        reading.settings((*_UV_SETTINGS, "pyproject.toml"))
        return
    if command == "venv":
        venv(reading, words[1:])
        reading.settings((*_UV_SETTINGS, "pyproject.toml"))
        return
    if command != "sync":
        raise Refused(f"what uv {command} reads is not known")
    given = options_of(
        "uv sync",
        words[1:],
        "--frozen --locked --no-dev --no-install-project --no-install-workspace --no-cache "
        "--all-extras --compile-bytecode --no-editable --no-progress -q --quiet --all-groups "
        "--no-default-groups --only-dev --inexact --no-python-downloads",
        "--extra --group --no-group --only-group --python -p --link-mode",
    )
    if not given.flags & {"--frozen", "--locked"}:
        raise Refused("uv sync may resolve anew and write uv.lock")
    if "dynamic" in _project(reading, "uv"):
        raise Refused("uv may build the project to know its version")
    lock = reading.manifest(reading.at("uv.lock"))
    if _NO_ADDRESS.search(lock):
        raise Refused("uv.lock names an index of files")
    left_out = given.flags & {"--no-install-project", "--no-install-workspace"}
    if not left_out and _VIRTUAL.search(lock) is None:
        raise Refused("uv sync installs the project itself")
    if re.search(r"source\s*=\s*\{\s*(?:path|directory|editable)\s*=\s*\"(?!\.\")", lock):
        raise Refused("uv.lock names a local path")
    reading.settings((*_UV_SETTINGS, *PIP_SETTINGS))
    reading.runs.append("uv")
    _environments(reading)
    reading.settings(("pyproject.toml",), above=True)  # it may be a member of a workspace
    reading.reads_variables(PIP_VARIABLES)
    reading.trees.add(reading.at(".venv"))
    reading.writes.add(reading.at(".venv"))


def poetry(reading: Reading, words: Sequence[Word]) -> None:
    """poetry install --no-root, poetry config."""
    command = words[0].text if words else ""
    if command == "config":
        return
    if command != "install":
        raise Refused(f"what poetry {command} reads is not known")
    given = options_of(
        "poetry",
        words[1:],
        "--no-root --no-dev --no-interaction -n --no-ansi --sync --no-cache --all-extras -q -v "
        "-vv -vvv --quiet --compile --all-groups",
        "--only --without --with --extras -E",
    )
    text = _project(reading, "poetry")
    if "--no-root" not in given.flags and not re.search(r"(?m)^package-mode\s*=\s*false\b", text):
        raise Refused("poetry installs the project itself")
    if "dynamic-versioning" in text or "requires-plugins" in text:
        raise Refused("a plugin of poetry may read the project, and the .git that it is in")
    lock = reading.optional_manifest(reading.at("poetry.lock"))
    if lock is not None and re.search(r'type\s*=\s*"(?:directory|file)"', lock):
        raise Refused("poetry.lock names a local path")
    reading.settings(("poetry.toml", *PIP_SETTINGS))
    reading.reads_variables(f"{PIP_VARIABLES}|POETRY_.*")
    reading.runs.append("poetry")
    reading.trees.add(reading.at(".venv"))
    reading.writes.add(reading.at(".venv"))


def _project(reading: Reading, tool: str) -> str:
    path = reading.at("pyproject.toml")
    text = reading.manifest(path)
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):  # ValueError: also for a number without end
        raise Refused(f"{path} is no TOML") from None
    if tool == "uv":
        text = _ONLY_TOLD.sub("", text)
    if re.search(r"(?m)(?:\bpath|\bdirectory|\bfile|\beditable)\s*=", text) or "file:" in text:
        raise Refused(f"{path} names a local path")
    if _NO_ADDRESS.search(text):
        raise Refused(f"{path} names an index of files, or a cache")
    if "workspace" in text:
        raise Refused(f"{path} is a workspace of {tool}")
    return text


def pipenv(reading: Reading, words: Sequence[Word]) -> None:
    """pipenv install, pipenv sync."""
    if not words or words[0].text not in {"install", "sync"}:
        raise Refused("of pipenv only install and sync are known")
    given = options_of(
        "pipenv", words[1:], "--deploy --system --ignore-pipfile --dev -d --verbose -v --clear"
    )
    if given.arguments:
        raise Refused("pipenv install writes the Pipfile")
    for name in ("Pipfile", "Pipfile.lock"):
        text = reading.manifest(reading.at(name))
        if re.search(r"[\"']?(?:path|file|editable)[\"']?\s*[=:]", text):
            raise Refused(f"{reading.at(name)} names a local path")
        for variable in _IN_TEXT.findall(text):
            reading.reads_variables(re.escape(variable))
    if not given.flags & {"--deploy", "--ignore-pipfile"} and words[0].text == "install":
        reading.writes.add(reading.at("Pipfile.lock"))
    reading.settings((*PIP_SETTINGS, ".env"))
    reading.reads_variables(f"{PIP_VARIABLES}|PIPENV_.*|WORKON_HOME")
    reading.runs.append("pipenv")
    reading.trees.add(reading.at(".venv"))
    reading.writes.add(reading.at(".venv"))
