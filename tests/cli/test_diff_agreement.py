"""The forms of ``diff`` held against each other and against the trees they speak of."""

import base64
import json
import os
import re
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from archive_forms import archive, docker_skopeo
from filesystem.layers import images, tree_of
from hypothesis import given
from image_builder import file, image, layer

from layerlens.analysis.change_filter import ChangeFilter
from layerlens.analysis.layer_changes import layer_changes, tree_differences
from layerlens.errors import LayerlensError
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.image import open_image
from layerlens.layer.entry import LayerEntry
from layerlens.report.diff_names import raw_status_and_path

from .golden import ROOT
from .running import Run, runner

FIXTURES = [
    ["fixtures/demo.tar"],
    ["fixtures/demo-2.tar"],
    ["fixtures/tour-layout"],
    ["fixtures/odd.tar"],
    ["fixtures/sparse.tar"],
    ["fixtures/sparse-gnu.tar"],
    ["fixtures/rootfs.tar"],
    ["fixtures/two-images.tar:localhost/hello:1.0"],
    ["fixtures/demo.tar", "fixtures/demo-2.tar"],
    ["fixtures/demo-2.tar", "fixtures/tour-layout"],
    ["fixtures/tour-layout", "fixtures/odd.tar"],
    ["fixtures/two-images.tar:localhost/hello:1.0", "fixtures/two-images.tar:localhost/hej:1.0"],
]
CHOICES = [[], ["--mtime"], ["--rewritten"], ["--only", "A,D"], ["--path", "*e*"]]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("names", FIXTURES, ids=" ".join)
@pytest.mark.parametrize("choice", CHOICES, ids=" ".join)
def test_all_forms_tell_the_same_changes(names: list[str], choice: list[str], run: Run) -> None:
    words = ("diff", *names, *choice)
    document = json.loads(run(*words, "--json").text())
    sections = [document] if "changes" in document else document["layers"]
    changes = [change for section in sections for change in section["changes"]]
    told = [(change["change"], _exact(change)) for change in changes]

    fields = run(*words, "--name-status", "-z").out.split(b"\0")
    assert [*zip(map(bytes.decode, fields[::2]), fields[1::2], strict=False)] == told
    assert run(*words, "--name-only", "-z").out.split(b"\0") == [path for _, path in told] + [b""]
    by_line = run(*words, "--name-status").text().splitlines()
    assert [line.partition("\t")[0] for line in by_line] == [letter for letter, _ in told]

    text = run(*words, "--bytes").text()
    letters = re.findall(r"^  ([AMDR]) +[-+\d]+  /", text, re.MULTILINE)
    assert letters == [letter for letter, _ in told]
    totals = [section["totals"] for section in sections]
    letter_of = {"added": "A", "changed": "M", "removed": "D", "rewritten": "R"}
    counts = Counter(letter for letter, _ in told)
    for word, letter in letter_of.items():
        assert sum(map(int, re.findall(rf"\b(\d+) {word} \(", text))) == counts[letter]
        assert sum(total[word] for total in totals) == counts[letter]

    for section in sections:
        sums = Counter[str]()
        for change in section["changes"]:
            sums[f"{change['change']} before"] += change["bytes_before"]
            sums[f"{change['change']} after"] += change["bytes_after"]
        total = section["totals"]
        assert (sums["A after"], sums["D before"], sums["R after"]) == (
            total["added_bytes"],
            total["removed_bytes"],
            total["rewritten_bytes"],
        )
        assert (sums["M before"], sums["M after"]) == (
            total["changed_bytes_before"],
            total["changed_bytes_after"],
        )

    statistics = json.loads(run(*words, "--stat", "--json").text())
    rows = [statistics] if "changes" in statistics else statistics["layers"]
    assert [section["totals"] for section in rows] == totals
    for section, total in zip(rows, totals, strict=True):
        for key, value in total.items():
            assert sum(row["totals"][key] for row in section["changes"]) == value
    table = run(*words, "--stat", "--bytes").text()
    growth = sum(map(int, re.findall(r"^  /.* ([-+]?\d+)$", table, re.MULTILINE)))
    assert growth == sum(total["growth"] for total in totals)

    files = changes if len(names) == 1 else [*changes, *document["config"]]
    assert run(*words, "--quiet").status == bool(files)


def _exact(change: dict[str, str]) -> bytes:
    encoded = change.get("path_base64")
    return base64.b64decode(encoded) if encoded else change["path"].encode()


def paths_of(tree: FileTree) -> set[str]:
    return {item.path for item in tree.walk()}


def assert_applied(statuses: str, lower: FileTree, upper: FileTree) -> None:
    """``A`` and ``D`` make the paths of *upper* out of those of *lower*; ``M`` are in both."""
    paths = paths_of(lower)
    fields = statuses.split("\0")
    assert fields.pop() == ""
    for letter, path in zip(fields[::2], fields[1::2], strict=True):
        assert (path in paths) == (letter != "A"), (letter, path)
        if letter == "A":
            paths.add(path)
        elif letter == "D":
            paths.remove(path)
    assert paths == paths_of(upper)


@given(image=images())
def test_names_and_letters_lead_from_one_tree_to_the_next(image: list[list[LayerEntry]]) -> None:
    try:
        trees = [EMPTY_TREE, *(tree_of(image[: end + 1]) for end in range(len(image)))]
    except LayerlensError:
        return  # no runtime could apply it
    every = ChangeFilter(mtime=True)
    for lower, upper in pairwise(trees):
        names = "".join(map(raw_status_and_path, every.apply(layer_changes(lower, upper))))
        assert_applied(names, lower, upper)
    back = "".join(map(raw_status_and_path, every.apply(tree_differences(trees[-1], trees[0]))))
    assert_applied(back, trees[-1], trees[0])


@pytest.mark.parametrize("names", FIXTURES, ids=" ".join)
def test_the_command_leads_from_one_real_tree_to_the_next(names: list[str], run: Run) -> None:
    trees = []
    for name in names:
        with open_image(str(ROOT / name)) as opened:
            trees.append(opened.tree())
    lower, upper = (EMPTY_TREE, trees[0]) if len(names) == 1 else trees
    words = ["--layers", ".."] if len(names) == 1 else []
    ran = run("diff", *names, *words, "--name-status", "-z")
    assert_applied(os.fsdecode(ran.out), lower, upper)


def test_every_path_is_one_line_whatever_is_in_it(
    run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hostile = [chr(code) for code in [*range(1, 47), *range(48, 0x250), *range(0x2000, 0x2100)]]
    built = image(layer(*(file(f"/{character}x") for character in hostile)))
    path = tmp_path_factory.mktemp("hostile") / "image.tar"
    path.write_bytes(archive(docker_skopeo(built)))
    for form in ("--name-only", "--name-status", "--bytes"):
        text = run("diff", str(path), form).text()
        lines = text.split("\n")[1:-2] if form == "--bytes" else text.split("\n")[:-1]
        assert len(lines) == len(hostile)
        acted_on = {
            character
            for line in lines
            for character in line.removeprefix("A\t")
            if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        }
        assert acted_on == {"\u200c", "\u200d"}  # the joiners that many scripts are written with
