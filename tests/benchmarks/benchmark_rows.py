"""The benchmark's questions: what is run on which image, against what, and the issue's targets.

Computes figures from samples; runs nothing and prints nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import benchmark_process as process
from benchmark_layers import MixedImage, Recipe
from benchmark_process import Sample
from make_image import LINEAR_LARGE, LINEAR_SMALL, WHITEOUTS, Facts, MadeImage

Samples = Mapping[str, Sequence[Sample]]
MEMORY_AT_REST = 60_000_000
MEMORY_PER_ENTRY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Something that is run and timed: on an image, or on none."""

    recipe: Recipe | None
    run: Callable[[MadeImage | None], Sample]
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A row's answer: two comparable numbers of one unit, and how far their ratio may go."""

    measured: float
    against: float
    unit: str
    target: float | None

    @property
    def ratio(self) -> float:
        return self.measured / self.against if self.against > 0 else float("inf")

    @property
    def good(self) -> bool:
        return self.target is None or self.ratio <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; ``figures`` gets the samples of ``probes`` and the images' facts."""

    name: str
    what: str
    probes: tuple[str, ...]
    figures: Callable[[Samples, Mapping[str, Facts]], Figures]


def make_probes(mixed: MixedImage) -> dict[str, Probe]:
    """Every probe by its name; those of one round run in this order."""
    cold = process.inspect_cold_without_isal
    return {
        "floor": _on_oci(mixed, process.floor_inflate),
        "cold": _on_oci(mixed, cold),
        "cold-fast": _on_oci(mixed, process.inspect_cold_with_isal),
        "warm": _on_oci(mixed, process.inspect_warm),
        "tarfile": _on_docker(mixed, process.floor_tarfile),
        "hashed": _on_docker(mixed, process.floor_inflate),
        "cold-docker": _on_docker(mixed, cold),
        "tarfile-gzip": _on_oci(mixed, process.floor_tarfile),
        "files": _on_oci(LINEAR_SMALL, cold),
        "files-10": _on_oci(LINEAR_LARGE, cold),
        **{f"above-{upper}": _on_oci(recipe, cold) for upper, recipe in WHITEOUTS.items()},
        "pass": Probe(recipe=None, run=lambda _: process.python_pass(), times=20),
        "version": Probe(recipe=None, run=lambda _: process.print_version(), times=20),
        "pass-without-site": Probe(
            recipe=None, run=lambda _: process.python_pass_without_site(), times=20
        ),
        "version-without-site": Probe(
            recipe=None, run=lambda _: process.print_version_without_site(), times=20
        ),
    }


def make_rows(mixed: MixedImage) -> list[Row]:
    """Every row, in the table's order."""
    return [
        _ratio("tarfile-gzip", "bare tarfile loop, gzip layers", "tarfile-gzip", "floor", None),
        _ratio("cold", "inspect, cold, gzip layers", "cold", "floor", 1.3),
        _ratio("cold-fast", "inspect, cold, gzip layers, isal", "cold-fast", "floor", 0.8),
        _ratio("cold-docker", "inspect, cold, plain docker-archive", "cold-docker", "tarfile", 0.5),
        _ratio(
            "cold-docker-gzip",
            "the same against the loop over the gzip layers",
            "cold-docker",
            "tarfile-gzip",
            0.5,
        ),
        _ratio("hashed", "plain layers read and hashed, no more", "hashed", "tarfile", None),
        _ratio("warm", "inspect, cached", "warm", "floor", 0.05),
        _memory("memory", mixed, ("cold", "cold-fast", "cold-docker", "warm")),
        _memory("memory-many", LINEAR_LARGE, ("files-10",)),
        _ratio("linear", "inspect, ten times the files", "files-10", "files", 11),
        Row(
            name="whiteouts",
            what="a whiteout against a file, each in the upper layer",
            probes=("above-nothing", "above-files", "above-whiteouts"),
            figures=_whiteout_figures,
        ),
        _ratio("start-up", "layerlens --version against python -c pass", "version", "pass", 2.5),
        _ratio(
            "start-up-without-site",
            "the same with python -S, so without .pth files",
            "version-without-site",
            "pass-without-site",
            2.5,
        ),
    ]


def _on_oci(recipe: Recipe, run: Callable[[Path], Sample]) -> Probe:
    def run_on(image: MadeImage | None) -> Sample:
        assert image
        return run(image.oci_archive)

    return Probe(recipe=recipe, run=run_on)


def _on_docker(recipe: Recipe, run: Callable[[Path], Sample]) -> Probe:
    def run_on(image: MadeImage | None) -> Sample:
        assert image
        return run(image.docker_archive)

    return Probe(recipe=recipe, run=run_on)


def _ratio(name: str, what: str, probe: str, floor: str, target: float | None) -> Row:
    def figures(samples: Samples, facts: Mapping[str, Facts]) -> Figures:
        measured, against = _seconds(samples, probe), _seconds(samples, floor)
        return Figures(measured=measured, against=against, unit="s", target=target)

    return Row(name=name, what=what, probes=(floor, probe), figures=figures)


def _memory(name: str, recipe: Recipe, probes: tuple[str, ...]) -> Row:
    def figures(samples: Samples, facts: Mapping[str, Facts]) -> Figures:
        peak = max(sample.peak_bytes for probe in probes for sample in samples[probe])
        allowed = MEMORY_AT_REST + MEMORY_PER_ENTRY * facts[recipe.name].entries
        return Figures(measured=peak / 1e6, against=allowed / 1e6, unit="MB", target=1)

    what = "largest process against 60 MB and 1 kB an entry"
    return Row(name=name, what=what, probes=probes, figures=figures)


def _whiteout_figures(samples: Samples, facts: Mapping[str, Facts]) -> Figures:
    """Microseconds that an upper layer's whiteout, and file, add to the layer below alone."""
    alone = _seconds(samples, "above-nothing")
    per_file = (_seconds(samples, "above-files") - alone) / WHITEOUTS["files"].files
    per_whiteout = (_seconds(samples, "above-whiteouts") - alone) / WHITEOUTS["whiteouts"].files
    return Figures(measured=per_whiteout * 1e6, against=per_file * 1e6, unit="us", target=1)


def _seconds(samples: Samples, probe: str) -> float:
    return median(sample.seconds for sample in samples[probe])
