"""A Dockerfile, the files of its context, and the layers that a build of it would have made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from filesystem.layers import entry_of, index_of

from layerlens.dockerfile.candidates import Candidates, Evidence, ImageEvidence, LayerEvidence
from layerlens.dockerfile.history_binding import Binding, BoundInstruction, stage_chain
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Edge, Rewrite, StageGraph, Tier
from layerlens.filesystem.file_tree import EMPTY_TREE
from layerlens.filesystem.stacking import stack
from layerlens.layer.entry import EntryKind, LayerEntry
from layerlens.oci.digest import Digest
from layerlens.oci.image_config import HistoryEntry, ImageConfig, RuntimeConfig
from layerlens.oci.platform import Platform

_LAYER_SIZE = 1000


def file(path: str, owner: int = 0) -> LayerEntry:
    return entry_of(path, EntryKind.FILE, owner=owner)


def directory(path: str, mode: int = 0o755, owner: int = 0) -> LayerEntry:
    return entry_of(path, EntryKind.DIRECTORY, mode=mode, owner=owner)


def link(path: str, target: str) -> LayerEntry:
    return entry_of(path, EntryKind.SYMLINK, link_target=target)


@dataclass(frozen=True)
class Files:
    """A build context in memory."""

    contents: Mapping[str, str]
    modes: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Collection[str]:
        return self.contents.keys()

    def read(self, path: str) -> bytes | None:
        text = self.contents.get(path)
        return None if text is None else text.encode()

    def directory_mode(self, path: str) -> int | None:
        inside = path == "" or any(each.startswith(f"{path}/") for each in self.contents)
        return self.modes.get(path or ".", 0o755) if inside else None


@dataclass(frozen=True)
class Built:
    """`layers`: the entries that each instruction of the last stage wrote, by its place; None:
    there is no image. `env`: the image's."""

    text: str
    layers: Mapping[int, Sequence[LayerEntry]] | None = None
    context: Mapping[str, str] | None = None
    base: Sequence[LayerEntry] = ()
    env: Sequence[str] = ("PATH=/usr/local/bin:/usr/bin:/bin",)
    working_dir: str = ""
    user: str = ""
    modes: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)
    comment: str = "buildkit.dockerfile.v0"

    def candidates(self) -> Candidates:
        dockerfile = parse_dockerfile(self.text.encode())
        target = dockerfile.target(None)
        context = None if self.context is None else Files(self.context, self.modes, self.links)
        evidence = Evidence(
            image=self._image(), context=context, build_arguments=self.build_arguments
        )
        return Candidates(dockerfile, target, evidence)

    def graph(self) -> StageGraph:
        return self.candidates().graphs[-1]

    def edge(self, earlier: int, later: int) -> Edge | None:
        """The edge of two instructions of the last stage."""
        found = [e for e in self.graph().edges if (e.earlier, e.later) == (earlier, later)]
        return found[0] if found else None

    def reason(self, earlier: int, later: int) -> str:
        """Why an edge holds on evidence down to a tool's contract; "free" where none does."""
        edge = self.edge(earlier, later)
        if edge is None or not edge.holds(Tier.CONTRACT):
            return "free"
        return edge.reason

    def rewrites(self) -> Sequence[Rewrite]:
        found = self.candidates()
        rewrites = found.rewrites(found.graphs[-1])
        for rewrite in rewrites:
            assert_in_order(rewrite.graph)
        return rewrites

    def splits(self) -> Sequence[Rewrite]:
        """The rewrites that put a step in."""
        return [r for r in self.rewrites() if r.graph.steps[r.step].origin is None]

    def _image(self) -> ImageEvidence | None:
        if self.layers is None:
            return None
        dockerfile = parse_dockerfile(self.text.encode())
        entries = [list(self.base), *(list(self.layers[each]) for each in sorted(self.layers))]
        trees = [EMPTY_TREE]
        for number, each in enumerate(entries):
            trees.append(stack(trees[-1], index_of(each), number).tree)
        numbers = {place: number for number, place in enumerate(sorted(self.layers), 1)}
        last = dockerfile.target(None)
        bound = tuple(
            BoundInstruction(
                stage=stage.number,
                place=place,
                instruction=instruction,
                entry=1 + place,
                layer=numbers.get(place) if stage is last else None,
                problem=self.problems.get(place),
            )
            for stage in stage_chain(dockerfile, last)
            for place, instruction in enumerate(stage.instructions)
        )
        digest = Digest(algorithm="sha256", hex="0" * 64)
        return ImageEvidence(
            binding=Binding(instructions=bound, base_layers=1),
            config=ImageConfig(
                platform=Platform(os="linux", architecture="amd64"),
                runtime=RuntimeConfig(
                    labels={}, env=tuple(self.env), working_dir=self.working_dir, user=self.user
                ),
                diff_ids=(digest,) * len(entries),
                history=(
                    HistoryEntry(created_by="base"),
                    *(
                        HistoryEntry(created_by=each.instruction.line, comment=self.comment)
                        for each in bound
                    ),
                ),
            ),
            layer=lambda number: LayerEvidence(
                entries=entries[number], before=trees[number], size=_LAYER_SIZE
            ),
        )


def assert_in_order(graph: StageGraph) -> None:
    """The search for an order takes the steps' own order as one that keeps to the edges."""
    assert all(edge.earlier < edge.later < len(graph.steps) for edge in graph.edges)
