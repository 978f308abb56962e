"""One project: its history, a suggestion applied, both images compared, commits replayed."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from layerlens.oci.json_fields import JsonObject, parse_object

from . import base_image
from .building import Built, Recipe, build, built, times_set
from .comparing import Flattened, differing, differing_mounts, flattened
from .projects import Project
from .registry import Registry
from .tools import output_of, run

_START = 1_700_000_000
_BUILDS_FOR_NOISE = 6
"""As often the unchanged Dockerfile is built again, at most, to see what comes out in several
ways: apt's srcpkgcache.bin, for one, is one of two files by chance."""

_HOURS = 6  # between commits: less than a month in all, so that no base image is renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a project. ``suggested``: the tiers of its suggestions, best evidence first.
    ``broken``: what differs and is no noise. Bytes are of all rebuilds that were replayed; the
    figures are None where nothing was suggested."""

    name: str
    expected: bool
    suggested: str
    broken: tuple[str, ...] = ()
    noise: int = 0
    rebuilds: int = 0
    before: int | None = None
    after: int | None = None
    predicted_before: int | None = None
    predicted_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a project is built."""

    project: Project
    root: Path
    registry: Registry

    @property
    def repository(self) -> Path:
        return self.root / "repository"

    def recipe(self, dockerfile: Path, commit: str) -> Recipe:
        """The build of what is checked out."""
        argument = self.project.per_commit
        return Recipe(
            dockerfile=dockerfile,
            context=self.repository,
            target=self.project.target,
            arguments=() if argument is None else (f"{argument}={commit}",),
        )

    def image(self, kind: str) -> str:
        return f"localhost/layerlens-rebuild/{self.project.name}:{kind}"

    def git(self, *words: str, time: int = _START) -> str:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": f"{time} +0000",
            "GIT_COMMITTER_DATE": f"{time} +0000",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        return output_of("git", *words, cwd=self.repository, environment=environment)


def tried(project: Project, work: Path, registry: Registry) -> Result:
    """Try one project below ``work``."""
    place = _Place(project=project, root=work / project.name, registry=registry)
    shutil.rmtree(place.root, ignore_errors=True)
    place.repository.mkdir(parents=True)
    commits = _made(place)
    before = place.root / "before.Dockerfile"
    shutil.copyfile(place.repository / "Dockerfile", before)
    times_set(place.repository)
    build(place.recipe(before, commits[-1]), place.image("head"))
    registry.push(place.image("head"), project.name, "head")
    suggestion = _suggested(place)
    tiers = " ".join(sorted(each.string("tier") for each in suggestion.objects("suggestions")))
    result = Result(name=project.name, expected=project.expected, suggested=tiers or "-")
    if not tiers:
        return result
    after = _applied(place)
    result = _compared(place, before, after, commits[-1], result)
    return _replayed(place, before, after, commits, suggestion, result)


def _made(place: _Place) -> list[str]:
    """The repository with its commits, the oldest first."""
    place.git("init", "-q", "-b", "main")
    commits: list[str] = []
    for number, files in enumerate(place.project.commits()):
        for name, content in files.items():
            path = place.repository / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        place.git("add", "-A", "-f")
        place.git("commit", "-q", "-m", f"commit {number}", time=_START + number * _HOURS * 3600)
        commits.append(place.git("rev-parse", "HEAD").strip())
    return commits


def _layerlens(place: _Place, *words: str) -> str:
    """What ``layerlens suggest`` says, run where the Dockerfile is."""
    command = [sys.executable, "-m", "layerlens", "suggest"]
    command += [place.registry.reference(place.project.name, "head"), "-f", "Dockerfile"]
    command += ["--plain-http", place.registry.host]
    if place.project.target is not None:
        command += ["--target", place.project.target]
    return output_of(*command, *words, cwd=place.repository)


def _suggested(place: _Place) -> JsonObject:
    (place.root / "said.txt").write_text(_layerlens(place))
    return parse_object(_layerlens(place, "--json").encode(), "suggest --json")


def _applied(place: _Place) -> Path:
    """The Dockerfile with the patch put through ``patch``, as people would."""
    patch = place.root / "patch"
    patch.write_text(_layerlens(place, "--patch"))
    run("patch", "-p1", "--quiet", f"--input={patch}", cwd=place.repository)
    after = place.root / "after.Dockerfile"
    shutil.copyfile(place.repository / "Dockerfile", after)
    place.git("checkout", "-q", "--", "Dockerfile")
    return after


def _compared(place: _Place, before: Path, after: Path, commit: str, result: Result) -> Result:
    """Build both anew, the unchanged one again and again while something differs that its builds
    have not differed in: some files come out in one of two ways by chance."""
    times_set(place.repository)
    first = _built(place, "first", before, commit)
    changed = _built(place, "changed", after, commit)
    differences = differing(first, changed)
    differences_on_disk = differing_mounts(place.image("first"), place.image("changed"))
    noise: set[str] = set()
    noise_on_disk: set[str] = set()
    for _ in range(_BUILDS_FOR_NOISE):
        noise |= differing(first, _built(place, "second", before, commit))
        noise_on_disk |= differing_mounts(place.image("first"), place.image("second"))
        if differences <= noise and differences_on_disk <= noise_on_disk:
            break
    broken = differences - noise
    broken |= {f"diff -r: {path}" for path in differences_on_disk - noise_on_disk}
    return replace(result, broken=tuple(sorted(broken)), noise=len(noise))


def _built(place: _Place, kind: str, dockerfile: Path, commit: str) -> Flattened:
    name, registry = place.project.name, place.registry
    build(place.recipe(dockerfile, commit), place.image(kind), "--no-cache")
    registry.push(place.image(kind), name, kind)
    return flattened(registry.reference(name, kind), registry.host)


def _replayed(
    place: _Place,
    before: Path,
    after: Path,
    commits: list[str],
    suggestion: JsonObject,
    result: Result,
) -> Result:
    """Build the newest commits one after another with either Dockerfile."""
    reported = suggestion.object("events").integer("reported")
    sums: dict[Path, int] = {}
    rebuilds = 0
    newest = _newest(place, before, after, commits, reported)
    for dockerfile in (before, after):
        anew = place.root / f"replayed-{dockerfile.name}"
        base = base_image.alike(place.project.name)
        anew.write_text(dockerfile.read_text().replace(base_image.BASE, base))
        sums[dockerfile] = 0
        carried_out = 0
        for number, commit in enumerate(newest):
            found = _at(place, anew, commit)
            if number and found.rebuilt:
                sums[dockerfile] += found.rebuilt_bytes
                carried_out += 1
        rebuilds = max(rebuilds, carried_out)
    comparison = suggestion.object("comparison")
    expected = comparison.integer("rebuilds")
    means = {
        side: comparison.object(side).integer("rebuilt_bytes_mean") for side in ("before", "after")
    }
    return replace(
        result,
        rebuilds=rebuilds,
        before=sums[before],
        after=sums[after],
        predicted_before=means["before"] * expected,
        predicted_after=means["after"] * expected,
    )


def _newest(
    place: _Place, before: Path, after: Path, commits: list[str], reported: int
) -> list[str]:
    """The commits that the figures are of, and first the one before them."""
    rebuilding: list[int] = []
    for number in range(1, len(commits)):
        changed = place.git("diff", "--name-only", commits[number - 1], commits[number]).split()
        if changed != ["README.md"] or _copies_readme(before):
            rebuilding.append(number)
    first = rebuilding[-reported]
    return commits[first - 1 :]


def _copies_readme(dockerfile: Path) -> bool:
    return "COPY . " in dockerfile.read_text() or "ARG GIT_SHA" in dockerfile.read_text()


def _at(place: _Place, dockerfile: Path, commit: str) -> Built:
    place.git("checkout", "-q", commit)
    times_set(place.repository)
    recipe = place.recipe(dockerfile, commit)
    return built(recipe, place.image("replay"), place.registry, place.project.name)


def removed() -> None:
    """Leave no image behind but the base."""
    base = output_of("buildah", "images", "--quiet", "--no-trunc", base_image.BASE).split()
    label = f"label={base_image.LABEL}"
    found = output_of("buildah", "images", "--all", "--quiet", "--no-trunc", "--filter", label)
    for image in dict.fromkeys(found.split()):
        if image not in base:  # one that another is built on may be gone with it already
            output_of("buildah", "rmi", "--force", image, statuses=(0, 1, 125))
