"""An image's history read back to a Dockerfile, as far as the history tells.

What is lost is said in comments that begin with ``lost:``. Every entry of the history gives an
instruction, in its order; one that no Dockerfile has (what umoci or ko did) stands as an ``ADD`` of
its layer, for that is what it comes to. The text is valid, but a build of it wants the files that
its COPYs name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from layerlens.dockerfile.instructions import Dockerfile, Env, Label
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.untold_config import UntoldConfig, untold_config
from layerlens.errors import MalformedInput
from layerlens.oci.created_by import Instruction, instruction
from layerlens.oci.image_config import ImageConfig

_CLASSIC_COPY = re.compile(
    r"(?P<source>(?:file|dir|multi|tarball):\S*) in (?P<target>.*)", re.DOTALL
)
_ASSIGNMENT = re.compile(r"(?:^| )(?=[^\s=\"']+=)")
_LOST = "# lost: "
_LONG_RUN = 100
_DIGITS = 12
"""Of a digest, to tell what is copied apart where the instructions have no layers of their own."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_PLAIN_VALUE = re.compile(r"[\w@%+,./:=-]*", re.ASCII)
_QUOTED = re.compile(r'(["\\$])')
_NOT_TOLD = "(nothing)"
_ALONE = State()


def read_back(
    config: ImageConfig, layer_sizes: Sequence[int | None], *, title: str, base: str | None
) -> str:
    """The Dockerfile's text, which `parser.parse_dockerfile` takes.

    ``layer_sizes``: uncompressed bytes, lowest layer first. ``title``: the image's name. ``base``:
    the image that annotations call its base, whose instructions are among the history's.
    """
    return "".join(f"{line}\n" for line in _Reading(config, layer_sizes, title, base).lines())


def lost_parts(text: str) -> tuple[str, ...]:
    """What a text that was read back says is lost, in its order."""
    lines = (line for line in text.split("\n") if line.startswith(_LOST))
    return tuple(line.removeprefix(_LOST) for line in lines)


class _Reading:
    def __init__(
        self,
        config: ImageConfig,
        layer_sizes: Sequence[int | None],
        title: str,
        base: str | None,
    ) -> None:
        self._config = config
        self._sizes = layer_sizes
        self._title = title
        self._base = base
        self._arguments: set[str] = set()
        self._told_variables: set[str] = set()
        variables = (variable.partition("=") for variable in config.runtime.env)
        self._environment = {name: value for name, _, value in variables}

    def lines(self) -> Iterator[str]:
        yield f"# Read back by layerlens from the history of {_comment(self._title)}."
        yield "# A COPY from another stage looks like one from the context; mounts are not told."
        if self._base is not None:
            yield f"{_LOST}where its base, {_comment(self._base)}, ends; all of it is below"
        yield "FROM scratch"
        body = list(self._body())
        from_the_start = list(self._missing_environment())
        if from_the_start:
            yield f"{_LOST}what sets these; the image's config has them"
            yield from from_the_start
        yield from body
        rest = list(self._rest([*from_the_start, *body]))
        if rest:
            yield ""
            yield f"{_LOST}what sets these; the image's config has them"
            yield from rest

    def _missing_environment(self) -> Iterator[str]:
        """ENVs for the variables that no instruction tells; they may hold from the base on."""
        for variable in self._config.runtime.env:
            name, _, value = variable.partition("=")
            if name and name not in self._told_variables and not _CONTROL.search(variable):
                yield f"ENV {_assignment(name, value)}"

    def _rest(self, told: Sequence[str]) -> Iterator[str]:
        """What the lines that tell of the image do not set as its config has it."""
        runtime = self._config.runtime
        untold = untold_config(_parsed(told), runtime)
        for line in _setting(untold, runtime.healthcheck_flags):
            if not _breaks_line(line) and _parses([line]):
                yield line

    def _body(self) -> Iterator[str]:
        layers = 0
        instructions = [instruction(entry) for entry in self._config.history]
        given = _arguments_of_next_run(instructions)
        for entry, made, arguments in zip(self._config.history, instructions, given, strict=True):
            layer = None if entry.empty_layer else layers
            layers += not entry.empty_layer
            yield ""
            lines = list(self._instruction(made, layer, arguments))
            yield from lines if _parses(lines) else self._untold(made.text, layer)
        for number in range(layers, len(self._sizes)):
            yield ""
            yield from self._layer(number, "what made it: the history ends before it")

    def _instruction(
        self, made: Instruction, layer: int | None, given: Mapping[str, str]
    ) -> Iterator[str]:
        words = made.text[len(made.keyword or "") :].strip()
        match made.keyword:
            case "RUN" if words:
                yield from self._run(words, made, layer)
            case "COPY" | "ADD" if words:
                yield from self._copy(made.keyword, words, layer)
            case "ENV" | "LABEL" if words:
                yield self._assigning(made.keyword, words)
            case "ARG" if words:
                for argument in _ASSIGNMENT.split(words) if "=" in words else words.split():
                    if argument:
                        yield from self._argument(given.get(argument, argument))
            case None | "FROM" | "MAINTAINER":
                yield from self._untold(made.text, layer)
            case keyword if words and not _breaks_line(words):
                yield f"{keyword} {words}"
            case _:
                yield from self._untold(made.text, layer)

    def _assigning(self, keyword: str, words: str) -> str:
        final = self._config.runtime.labels if keyword == "LABEL" else self._environment
        line = f"{keyword} {words}"
        pairs = _assigned_by(line)
        if pairs is None or any(final.get(name) != pairs[name] for name in pairs):
            pairs = _pairs(words)
            assigned = (
                _assignment(name, value, expand=final.get(name) != value)
                for name, value in pairs.items()
            )
            line = f"{keyword} {' '.join(assigned)}"
        if keyword == "ENV":
            self._told_variables.update(pairs)
        return line

    def _run(self, words: str, made: Instruction, layer: int | None) -> Iterator[str]:
        for argument in made.arguments:
            name = argument.partition("=")[0]
            if name not in self._arguments:
                yield from self._argument(argument)
        yield from self._about(layer)
        if _breaks_line(words) or "<<" in words or words.endswith("\\"):
            delimiter = "EOF"
            while delimiter in words:
                delimiter += "_"
            yield f"RUN <<'{delimiter}'"
            yield from words.split("\n")
            yield delimiter
        elif len(words) > _LONG_RUN:
            yield "RUN " + words.replace(" && ", " \\\n&& ")
        else:
            yield f"RUN {words}"

    def _argument(self, text: str) -> Iterator[str]:
        name, equals, value = text.partition("=")
        self._arguments.add(name)
        if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is None or _CONTROL.search(value):
            yield f"{_LOST}a build argument, {_comment(text)}"
        else:
            yield f"ARG {name}{equals}{_quoted(value) if equals else ''}"

    def _copy(self, keyword: str, words: str, layer: int | None) -> Iterator[str]:
        yield from self._about(layer)
        classic = _CLASSIC_COPY.fullmatch(words)
        if classic is not None:
            target = classic["target"].strip()
            yield f"{_LOST}what it copied; this is a digest of it: {_comment(classic['source'])}"
            kind, _, digest = classic["source"].partition(":")
            source = f"{kind}-{digest[:_DIGITS] or 'x' if layer is None else layer}"
            words = f"{source} {target or '/'}"
            if len(words.split()) > 2:  # the target is one path, with spaces in it
                words = _words([source, target])
        if _breaks_line(words) or "<<" in words or len(words.split()) < 2:
            yield f"{_LOST}{keyword} {_comment(words)}"
            yield from self._stand_in(layer)
        else:
            yield f"{keyword} {words}"

    def _untold(self, text: str, layer: int | None) -> Iterator[str]:
        if layer is None:
            yield f"{_LOST}{_comment(text) or _NOT_TOLD}"
        else:
            yield from self._layer(layer, f"what made it: {_comment(text) or _NOT_TOLD}")

    def _layer(self, number: int, lost: str) -> Iterator[str]:
        yield from self._about(number)
        yield f"{_LOST}{lost}"
        yield from self._stand_in(number)

    def _stand_in(self, layer: int | None) -> Iterator[str]:
        if layer is not None:
            yield f"ADD layer-{layer}.tar /"

    def _about(self, layer: int | None) -> Iterator[str]:
        if layer is None:
            return
        size = self._sizes[layer] if layer < len(self._sizes) else None
        yield f"# layer {layer}" + ("" if size is None else f", {size} bytes")


def _setting(untold: UntoldConfig, healthcheck_flags: Sequence[str]) -> Iterator[str]:
    """Instructions for what the config has beyond what was told, or against it; one that is not
    valid may be among them."""
    for keyword, pairs in (("ENV", untold.environment), ("LABEL", untold.labels)):
        for name, value in pairs.items():
            if name and not _CONTROL.search(name + value):
                yield f"{keyword} {_assignment(name, value)}"
    if untold.exposed_ports:
        yield f"EXPOSE {' '.join(untold.exposed_ports)}"
    if untold.volumes:
        yield f"VOLUME {_words(untold.volumes)}"
    for keyword, value in (
        ("WORKDIR", untold.working_dir),
        ("USER", untold.user),
        ("STOPSIGNAL", untold.stop_signal),
    ):
        if value and not _breaks_line(value):
            yield f"{keyword} {value}"
    if untold.healthcheck:
        yield _healthcheck(untold.healthcheck, healthcheck_flags)
    for trigger in untold.on_build:
        yield f"ONBUILD {trigger}"
    for keyword, words in (
        ("SHELL", untold.shell),
        ("ENTRYPOINT", untold.entrypoint),
        ("CMD", untold.cmd),
    ):
        if words is not None:
            yield f"{keyword} {_words(words)}"


def _healthcheck(test: Sequence[str], flags: Sequence[str]) -> str:
    form, *words = test
    if form == "NONE":
        return "HEALTHCHECK NONE"
    command = " ".join(words) if form == "CMD-SHELL" else _words(words)
    return " ".join(("HEALTHCHECK", *flags, "CMD", command))


def _arguments_of_next_run(instructions: Sequence[Instruction]) -> list[Mapping[str, str]]:
    """For each instruction, the build arguments that a RUN further down had, by their names:
    buildah's history has no value where one is declared."""
    found: list[Mapping[str, str]] = []
    arguments: Mapping[str, str] = {}
    for made in reversed(instructions):
        found.append(arguments)
        if made.arguments:
            arguments = {argument.partition("=")[0]: argument for argument in made.arguments}
    return found[::-1]


def _assigned_by(line: str) -> Mapping[str, str] | None:
    """What an ENV or LABEL sets as it stands in a Dockerfile, which buildah's history repeats; None
    where it does not stand by itself."""
    if _breaks_line(line) or not _parses([line]):
        return None
    (assigning,) = _parsed([line]).stages[0].instructions
    found: dict[str, str] = {}
    if isinstance(assigning, Env | Label):
        for pair in assigning.assignments:
            name, value = (_ALONE.expanded(text, "\\") for text in (pair.name, pair.value or ""))
            if name is None or value is None:
                return None
            found[name] = value
    return found


def _pairs(words: str) -> Mapping[str, str]:
    """``A=1 B=two words``: builders do not quote; a name is what stands before the first ``=``
    of a word. The old form without ``=`` has one name and the rest."""
    if "=" not in words.partition(" ")[0]:
        name, _, value = words.partition(" ")
        return {name: value.strip()}
    found: dict[str, str] = {}
    for pair in _ASSIGNMENT.split(words):
        name, _, value = pair.strip().partition("=")
        if name:
            found[name] = _unquoted(value)
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].replace('\\"', '"') if value[0] == '"' else value[1:-1]
    return value


def _assignment(name: str, value: str, *, expand: bool = False) -> str:
    """``expand``: a ``$`` in the value is a variable, which buildah's history leaves as it is."""
    text = _quoted(value)
    return f"{_quoted(name)}={text.replace(chr(92) + '$', '$') if expand else text}"


def _quoted(text: str) -> str:
    if _PLAIN_VALUE.fullmatch(text):
        return text
    return '"' + _QUOTED.sub(r"\\\1", _CONTROL.sub(" ", text).replace("\n", " ")) + '"'


def _words(words: Sequence[str]) -> str:
    return json.dumps(list(words), ensure_ascii=True)


def _breaks_line(text: str) -> bool:
    return "\n" in text or _CONTROL.search(text) is not None or text.endswith("\\")


def _parses(lines: Sequence[str]) -> bool:
    """Whether the lines are instructions, none of which starts a stage."""
    try:
        parsed = _parsed(lines)
    except MalformedInput:
        return False
    return len(parsed.stages) == 1


def _parsed(lines: Sequence[str]) -> Dockerfile:
    text = "".join(f"{line}\n" for line in ("FROM scratch", *lines))
    return parse_dockerfile(text.encode("utf-8", "surrogatepass"), "")


def _comment(text: str) -> str:
    """Text on one line of a comment."""
    return _CONTROL.sub(" ", text).replace("\n", " ").strip()
