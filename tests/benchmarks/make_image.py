"""Make the images that the benchmarks read, from files of this machine.

    python tests/benchmarks/make_image.py [mixed|tiny|linear|whiteouts|all] [--into DIR]

Each image is kept in a folder of its own, named by its parameters, as ``oci.tar`` (an OCI archive
with gzip layers), ``docker.tar`` (a docker-archive with plain layers, as skopeo writes it) and
``facts.json``; a folder that has its facts is complete and is used again.
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmark_archives import WrittenLayer, write_docker_archive, write_layer, write_oci_archive
from benchmark_files import ROOTS
from benchmark_layers import MixedImage, Recipe, TinyFiles, WhiteoutTrial

DEFAULT_DIRECTORY = Path(tempfile.gettempdir()) / "layerlens-benchmarks"
MIXED = MixedImage(megabytes=2300, files=61_000, layer_count=10, seed=1)
LINEAR_SMALL = TinyFiles(files=30_000, layer_count=3)
LINEAR_LARGE = TinyFiles(files=300_000, layer_count=3)
WHITEOUTS = {
    upper: WhiteoutTrial(files=20_000, upper=upper) for upper in ("nothing", "files", "whiteouts")
}
COMPRESSING_PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an image holds over all its layers; sizes in bytes."""

    layers: int
    entries: int
    files: int
    plain_size: int
    gzipped_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeImage:
    """An image on disk in both forms."""

    oci_archive: Path
    docker_archive: Path
    facts: Facts


def make_image(recipe: Recipe, into: Path) -> MadeImage:
    """The image of ``recipe`` below ``into``: the one that is there, or a new one."""
    directory = into / recipe.name
    facts_file = directory / "facts.json"
    oci_archive, docker_archive = directory / "oci.tar", directory / "docker.tar"
    if not facts_file.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            layers = _write_layers(recipe, Path(scratch))
            write_oci_archive(oci_archive, layers)
            write_docker_archive(docker_archive, layers)
        unfinished = directory / "facts.unfinished"
        unfinished.write_text(json.dumps(asdict(_count(layers))))
        unfinished.replace(facts_file)
    facts: dict[str, int] = json.loads(facts_file.read_text())
    return MadeImage(oci_archive=oci_archive, docker_archive=docker_archive, facts=Facts(**facts))


def _write_layers(recipe: Recipe, scratch: Path) -> list[WrittenLayer]:
    plans = recipe.layers()
    by_weight = sorted(
        range(len(plans)),
        key=lambda number: -sum(512 + item.payload.size for item in plans[number].items),
    )
    with ProcessPoolExecutor(COMPRESSING_PROCESSES) as pool:
        futures = {
            number: pool.submit(write_layer, plans[number], scratch / str(number))
            for number in by_weight
        }
        return [futures[number].result() for number in range(len(plans))]


def _count(layers: list[WrittenLayer]) -> Facts:
    return Facts(
        layers=len(layers),
        entries=sum(layer.entries for layer in layers),
        files=sum(layer.files for layer in layers),
        plain_size=sum(layer.plain_size for layer in layers),
        gzipped_size=sum(layer.gzipped_size for layer in layers),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the images that the benchmarks read.")
    parser.add_argument(
        "what",
        nargs="?",
        default="mixed",
        choices=("mixed", "tiny", "linear", "whiteouts", "all"),
        help="mixed: like a real image; tiny: 300,000 small files; linear: 30,000 and 300,000; "
        "whiteouts: 20,000 files, alone and below as many files or whiteouts (default: mixed)",
    )
    parser.add_argument("--into", type=Path, default=DEFAULT_DIRECTORY, metavar="DIR")
    parser.add_argument("--megabytes", type=int, default=MIXED.megabytes, help="of mixed, raw")
    parser.add_argument("--files", type=int, default=MIXED.files, help="of mixed")
    parser.add_argument("--layers", type=int, default=MIXED.layer_count, help="of mixed")
    parser.add_argument("--seed", type=int, default=MIXED.seed, help="of mixed")
    parser.add_argument(
        "--from",
        action="append",
        dest="roots",
        metavar="DIR",
        help=f"of mixed: where its files come from (default: {' and '.join(ROOTS)})",
    )
    options = parser.parse_args()
    mixed = MixedImage(
        megabytes=options.megabytes,
        files=options.files,
        layer_count=options.layers,
        seed=options.seed,
        roots=tuple(options.roots or ROOTS),
    )
    recipes: dict[str, list[Recipe]] = {
        "mixed": [mixed],
        "tiny": [LINEAR_LARGE],
        "linear": [LINEAR_SMALL, LINEAR_LARGE],
        "whiteouts": list(WHITEOUTS.values()),
    }
    recipes["all"] = [*recipes["mixed"], *recipes["linear"], *recipes["whiteouts"]]
    for recipe in recipes[options.what]:
        image = make_image(recipe, options.into)
        print(image.oci_archive)
        print(image.docker_archive)
        facts = image.facts
        print(
            f"  {facts.layers} layers, {facts.entries} entries, {facts.files} files, "
            f"{facts.plain_size} bytes raw, {facts.gzipped_size} bytes compressed"
        )


if __name__ == "__main__":
    main()
