"""What conda, mamba and micromamba read to make or fill an environment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerlens.dockerfile.shell_commands import VARIABLE, Word
from layerlens.dockerfile.tool_contracts_python import PIP_SETTINGS, PIP_VARIABLES, requirement
from layerlens.dockerfile.tool_reading import Options, Reading, Refused, options_of


def conda(reading: Reading, words: Sequence[Word]) -> None:
    """conda, mamba, micromamba: install, env create and update, clean."""
    flags = (
        "-y --yes -q --quiet --all -a -f --force -t -p -i -afy --freeze-installed --no-deps "
        "--override-channels --update-deps --prune --tarballs --packages --index-cache -v "
        "--force-pkgs-dirs"
    )
    valued = "-c --channel -n --name --file --prefix"
    names = [word.text for word in words[:2]]
    if names[:1] == ["clean"]:
        options_of("conda", words[1:], flags, "", clustered="aftpiy")
        return
    of_file = names[:1] == ["env"] and names[1:2] in (["create"], ["update"])
    if of_file:
        words = words[2:]
    elif names[:1] in (["install"], ["create"], ["update"]):
        words = words[1:]
    else:
        raise Refused(f"what conda {' '.join(names)} reads is not known")
    flags = flags.replace(" -f ", " ").replace(" -p ", " ")
    given = options_of("conda", words, flags, f"{valued} -f -p", clustered="yq")
    _check_given(reading, given)
    if of_file and not given.values.keys() & {"-f", "--file"}:
        _environment(reading, reading.at("environment.yml"))
    for option in ("-p", "--prefix"):
        for word in given.values.get(option, ()):
            reading.trees.add(reading.path(word))
            reading.writes.add(reading.path(word))
    for word in given.arguments:
        if "/" in word.text or word.text.endswith((".conda", ".tar.bz2", ".yml", ".yaml")):
            raise Refused(f"conda installs a file, {word.text}")
    for tree in ("/opt/conda", "/opt/miniconda3", "/opt/mamba"):
        reading.trees.add(tree)
        reading.writes.add(tree)
    reading.settings((".condarc", "condarc", *PIP_SETTINGS))
    reading.reads_variables(f"{PIP_VARIABLES}|MAMBA_.*")
    reading.runs.append("conda")


def _check_given(reading: Reading, given: Options) -> None:
    for option in ("-f", "--file"):
        for word in given.values.get(option, ()):
            _environment(reading, reading.path(word))
    for option in ("-c", "--channel"):
        for word in given.values.get(option, ()):
            _channel(word.text, "conda")


def _channel(text: str, where: str) -> None:
    """A channel that is no directory: a name, a name with a label, an address."""
    if text.startswith((".", "/", "~", "file:")) or VARIABLE in text:
        raise Refused(f"{where} has a channel that may be of files: {text}")


def _environment(reading: Reading, path: str) -> None:
    text = reading.manifest(path)
    if not path.endswith((".yml", ".yaml")):
        _specifications(text, path)
        return
    in_pip = False
    for line in text.splitlines():
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not bare.startswith("-"):
            in_pip = False if bare and not line.startswith((" ", "\t")) else in_pip
            if bare.startswith("pip") and bare.endswith(":"):
                in_pip = True
            if bare.startswith("prefix"):
                raise Refused(f"{path} has a prefix")
            if re.search(r"[\[{&*]", bare):
                raise Refused(f"{path} is written in a way that is not read: {bare}")
            continue
        item = bare[1:].strip().strip("\"'")
        if item.startswith(("[", "{", "&", "*", "- ")) or re.search(r"[\"']\s*:", item):
            raise Refused(f"{path} is written in a way that is not read: {bare}")
        if re.fullmatch(r"pip\s*:", item):
            in_pip = True
        elif in_pip:
            if item.startswith(("-r", "-c", "--requirement", "--constraint")):
                raise Refused(f"{path} includes another file: {item}")
            if item.startswith("-"):
                raise Refused(f"{path} has an option of pip: {item}")
            requirement(item, path)
        elif item.startswith((".", "/", "~", "file:", "-")) or "::file:" in item:
            raise Refused(f"{path} names a local path: {item}")


def _specifications(text: str, path: str) -> None:
    """A list of packages, a line each."""
    for line in text.splitlines():
        bare = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if "://" in bare and not bare.startswith("file:"):
            continue
        if "/" in bare.partition("::")[2] or ("/" in bare and "::" not in bare):
            raise Refused(f"{path} names a local path: {bare}")
        if bare.endswith((".conda", ".tar.bz2")) or bare.startswith((".", "file:")):
            raise Refused(f"{path} names a local path: {bare}")
