"""layerlens held against real images: what other tools make of them, and what their recipes did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from optional_codecs import needs_zstd
from tree_facts import TreeFacts, facts_of, parse_tree_facts, read_tree_facts

from layerlens.analysis.layer_changes import Change, ChangeKind
from layerlens.image import Image, open_image
from layerlens.opening import Access

FIXTURES = Path(__file__).parent.parent / "fixtures"

IMAGES = [
    ("demo.tar", None, "demo"),
    ("demo-2.tar", None, "demo-2"),
    pytest.param("demo-chunked.tar", None, "demo", marks=needs_zstd),
    ("odd.tar", None, "odd"),
    ("sparse.tar", None, "sparse"),
    ("sparse-gnu.tar", None, "sparse-gnu"),
    ("two-images.tar:localhost/hello:1.0", None, "hello"),
    ("two-images.tar:hello", None, "hello"),
    ("two-images.tar:@0", None, "hello"),
    ("two-images.tar:hej:1.0", None, "hej"),
    ("two-images.tar:@1", None, "hej"),
    ("platforms.tar", "linux/amd64", "platforms-amd64"),
    ("platforms.tar", "linux/arm64", "platforms-arm64"),
    ("platforms.tar:1.0", "linux/aarch64", "platforms-arm64"),
    ("platforms.tar", "linux/arm/v7", "platforms-arm"),
    ("rootfs.tar", None, "rootfs"),
]

PLAIN_TOUR = ["tour-oci.tar", "tour-docker.tar", "tour-podman.tar"]
TOUR_ARCHIVES = [
    *PLAIN_TOUR,
    "tour-docker.tar.gz",
    "tour-docker.tar.bz2",
    "tour-docker.tar.xz",
    pytest.param("tour-docker.tar.zst", marks=needs_zstd),
    pytest.param("tour-zstd.tar", marks=needs_zstd),
]


def same_tree(found: TreeFacts, expected: TreeFacts) -> bool:
    """Whether they agree; a root that no layer lists is not compared (tools differ about it)."""
    if b"/" not in expected:
        found = {path: facts for path, facts in found.items() if path != b"/"}
    return found == expected


@pytest.mark.parametrize(("name", "platform", "tree"), IMAGES)
def test_the_tree_is_what_other_tools_unpack(name: str, platform: str | None, tree: str) -> None:
    with open_image(str(FIXTURES / name), platform) as image:
        found = facts_of(image.tree())
    expected = read_tree_facts(FIXTURES / "trees" / f"{tree}.json")
    assert expected
    assert same_tree(found, expected)


@contextmanager
def piped(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input is a pipe that ``path`` is written to."""
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(path.read_bytes())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with open(reading, "rb") as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            yield
    finally:
        writer.join()


def everything(image: Image) -> list[object]:
    """What an image holds, whatever form it is stored in."""
    return [
        image.config,
        facts_of(image.tree()),
        *((layer.diff_id, layer.chain_id, layer.index, layer.summary) for layer in image.layers),
        *(
            [(change.kind, change.path, change.aspects) for change in layer.changes]
            for layer in image.layers
        ),
    ]


@pytest.fixture(scope="module")
def tour() -> list[object]:
    with open_image(str(FIXTURES / "tour-layout")) as image:
        return everything(image)


def test_tour_is_what_umoci_unpacks(tour: list[object]) -> None:
    assert tour[1] == read_tree_facts(FIXTURES / "trees" / "tour.json")


@pytest.mark.parametrize("name", TOUR_ARCHIVES)
@pytest.mark.parametrize("access", Access)
def test_every_form_of_tour_holds_the_same(name: str, access: Access, tour: list[object]) -> None:
    with open_image(str(FIXTURES / name), access=access) as image:
        assert everything(image) == tour


@pytest.mark.parametrize("name", TOUR_ARCHIVES)
@pytest.mark.parametrize("access", Access)
def test_every_form_of_tour_holds_the_same_on_stdin(
    name: str, access: Access, tour: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with piped(FIXTURES / name, monkeypatch), open_image("-", access=access) as image:
        assert everything(image) == tour


@pytest.mark.parametrize("name", ["tour-docker.tar", "tour-docker.tar.gz", "tour-oci.tar"])
def test_the_command_reads_a_pipe_as_it_reads_the_file(name: str) -> None:
    command = [sys.executable, "-m", "layerlens", "diff", "--name-status", "-z"]
    path = FIXTURES / name
    from_file = subprocess.run([*command, path], capture_output=True, check=True)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        from_pipe = subprocess.run(
            [*command, "-"], stdin=cat.stdout, capture_output=True, check=False
        )
    assert from_pipe.returncode == 0, from_pipe.stderr
    assert from_pipe.stdout == from_file.stdout
    assert b"A\0/etc/motd\0" in from_file.stdout


@pytest.mark.parametrize(("name", "names"), [("tour-docker.tar", "example.com/tour:1.0")])
def test_names_are_those_stored(name: str, names: str) -> None:
    with open_image(str(FIXTURES / name)) as image:
        assert image.names == (names,)


def lines(changes: Iterator[Change]) -> list[str]:
    """Each change as ``letter path aspects``, modification times left aside."""
    return [
        " ".join(
            [
                change.kind.value,
                change.path,
                *sorted(aspect.value for aspect in change.aspects if aspect.value != "mtime"),
            ]
        )
        for change in changes
        if not (change.kind is ChangeKind.REWRITTEN and change.is_directory)
    ]


# Read off fixtures/recipes/tour, whose files say layer by layer what is done.
TOUR_CHANGES = {
    1: """
        D /again/deleted-and-back
        D /gone/directory
        D /gone/directory/below
        D /gone/directory/below/leaf
        D /gone/file
        R /links/first
        M /links/left content
        M /links/right content
        D /links/second
        M /metadata/chmod mode
        M /metadata/chmod-directory mode
        M /metadata/chown owner
        M /metadata/content content
        M /metadata/retargeted link
        R /metadata/same-bytes
        R /metadata/touch
        D /names/new\\nline
        D /names/日本語
        D /names/\\xff\\xfe
        M /xattrs/changed xattrs
        M /xattrs/dropped xattrs
    """,
    2: """
        M /again/whiteout-and-file content
        M /opaque/by-hand/both content
        A /opaque/by-hand/new
        D /opaque/by-hand/old
        D /opaque/by-hand/old/leaf
        M /turn/directory-then-file mode type
        D /turn/directory-then-file/deep
        D /turn/directory-then-file/deep/leaf
        M /turn/file-then-directory mode type
        A /turn/file-then-directory/leaf
    """,
    3: """
        A /again/deleted-and-back
        M /turn/directory-then-file mode type
        A /turn/directory-then-file/new
        M /turn/file-then-directory mode type
        D /turn/file-then-directory/leaf
    """,
    4: """
        A /opaque/by-insert/new
        D /opaque/by-insert/old
        D /opaque/by-insert/old/leaf
    """,
    5: "D /sizes/513",
    6: "",
}

# Read off fixtures/recipes/odd: what lands below a link counts at the link's target.
ODD_CHANGES = {
    1: """
        A /run/odd.pid
        A /usr/lib/x.so
        D /usr/lib/y.so
    """,
    2: """
        A /links/to-gone
        A /links/to-kept
    """,
    3: "D /links/gone",
    4: """
        M /turn/directory-then-file mode type
        D /turn/directory-then-file/deep
        D /turn/directory-then-file/deep/leaf
        M /turn/file-then-directory mode type
        A /turn/file-then-directory/leaf
    """,
    5: """
        M /turn/directory-then-file mode type
        A /turn/directory-then-file/new
        M /turn/file-then-directory mode type
        D /turn/file-then-directory/leaf
    """,
}

# Read off fixtures/recipes/demo/Dockerfile.1 and the stand-ins for apt-get and pip. A RUN layer of
# buildah's also holds the directories and files of /etc that it mounts.
DEMO_CHANGES = {
    1: """
        A /dev
        A /etc/hostname
        A /etc/hosts
        A /etc/resolv.conf
        A /proc
        A /run
        A /sys
        A /usr/lib/libsqlite3.so.0
        A /usr/lib/libsqlite3.so.0.8.6
        A /usr/share/doc
        A /usr/share/doc/libsqlite3
        A /usr/share/doc/libsqlite3/copyright
        A /var/cache/apt
        A /var/cache/apt/archives
        A /var/cache/apt/archives/libsqlite3.deb
        A /var/lib/apt
        A /var/lib/apt/lists
        A /var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_Packages
        M /var/lib/dpkg/status content
        A /var/log/apt
        A /var/log/apt/history.log
    """,
    2: """
        A /srv/weather
        A /srv/weather/requirements.txt
    """,
    4: """
        A /srv/weather/data
        A /srv/weather/data/model.bin
        R /srv/weather/requirements.txt
        A /srv/weather/settings.ini
        A /srv/weather/static
        A /srv/weather/static/robots.txt
        A /srv/weather/static/site.css
        A /srv/weather/weather
        A /srv/weather/weather/__init__.py
        A /srv/weather/weather/__main__.py
        A /srv/weather/weather/base.css
        A /srv/weather/weather/forecast.css
    """,
    5: "M /srv/weather/settings.ini content",
    6: """
        A /srv/weather/static/.stamp
        D /srv/weather/static/robots.txt
        M /srv/weather/static/site.css content
    """,
    7: """
        D /root/.cache
        D /root/.cache/pip
        D /root/.cache/pip/wheels
        D /root/.cache/pip/wheels/numpy-1.26.4-py3-none-any.whl
        D /root/.cache/pip/wheels/requests-2.32.3-py3-none-any.whl
        D /root/.cache/pip/wheels/uvicorn-0.30.1-py3-none-any.whl
        D /var/cache/apt/archives
        D /var/cache/apt/archives/libsqlite3.deb
        D /var/lib/apt/lists
        D /var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_Packages
    """,
    8: """
        M /etc/passwd content
        M /srv/weather owner
        M /srv/weather/data owner
        M /srv/weather/data/model.bin owner
        M /srv/weather/requirements.txt owner
        M /srv/weather/settings.ini owner
        M /srv/weather/static owner
        M /srv/weather/static/.stamp owner
        M /srv/weather/static/site.css owner
        M /srv/weather/weather owner
        M /srv/weather/weather/__init__.py owner
        M /srv/weather/weather/__main__.py owner
        M /srv/weather/weather/base.css owner
        M /srv/weather/weather/forecast.css owner
    """,
}

CHANGES = [
    pytest.param(name, number, expected, id=f"{name}-{number}")
    for name, layers in [
        ("tour-layout", TOUR_CHANGES),
        ("odd.tar", ODD_CHANGES),
        ("demo.tar", DEMO_CHANGES),
    ]
    for number, expected in layers.items()
]


@pytest.mark.parametrize(("name", "number", "expected"), CHANGES)
def test_a_layer_did_what_its_recipe_says(name: str, number: int, expected: str) -> None:
    with open_image(str(FIXTURES / name)) as image:
        found = lines(image.layers[number].changes)
    assert found == [_unescaped(line.strip()) for line in expected.strip().splitlines()]


def _unescaped(line: str) -> str:
    return line.replace("\\n", "\n").replace("\\xff\\xfe", "\udcff\udcfe")


@pytest.mark.parametrize("name", ["tour-layout", "odd.tar", "demo.tar", "demo-2.tar"])
def test_layers_add_and_remove_what_the_last_tree_lacks_or_has(name: str) -> None:
    paths = {"/"}
    with open_image(str(FIXTURES / name)) as image:
        for layer in image.layers:
            for change in layer.changes:
                if change.kind is ChangeKind.ADDED:
                    assert change.path not in paths
                    paths.add(change.path)
                elif change.kind is ChangeKind.REMOVED:
                    paths.remove(change.path)
                else:
                    assert change.path in paths
        assert paths == {item.path for item in image.tree().walk()}


def test_what_a_range_of_layers_did_is_what_is_left_of_each() -> None:
    with open_image(str(FIXTURES / "tour-layout")) as image:
        found = lines(image.changes(2, 3))
    assert found == [
        "A /again/deleted-and-back",
        "M /again/whiteout-and-file content",
        "M /opaque/by-hand/both content",
        "A /opaque/by-hand/new",
        "D /opaque/by-hand/old",
        "D /opaque/by-hand/old/leaf",
        "D /turn/directory-then-file/deep",
        "D /turn/directory-then-file/deep/leaf",
        "A /turn/directory-then-file/new",
        "M /turn/file-then-directory content",
    ]


needs_umoci = pytest.mark.skipif(
    not shutil.which("umoci") or os.geteuid() != 0,
    reason="umoci is not installed, or this is not root, who alone can unpack devices and owners",
)


@needs_umoci
@pytest.mark.parametrize(
    ("archive", "image", "tree"),
    [
        (None, "tour-layout:tour", "tour"),
        ("odd.tar", "layout:odd", "odd"),
        ("sparse.tar", "layout:sparse", "sparse"),
        ("demo.tar", "layout:localhost/weather:1.0", "demo"),
    ],
)
def test_the_trees_that_are_kept_are_what_umoci_makes_today(
    archive: str | None, image: str, tree: str, tmp_path: Path
) -> None:
    base = FIXTURES
    if archive is not None:
        base = tmp_path
        with tarfile.open(FIXTURES / archive) as layout:
            layout.extractall(tmp_path / "layout", filter="data")
    bundle = tmp_path / "bundle"
    subprocess.run(
        ["umoci", "unpack", "--image", str(base / image), bundle], check=True, capture_output=True
    )
    listing = subprocess.run(
        [sys.executable, FIXTURES / "recipes" / "list_tree.py", bundle / "rootfs", "umoci"],
        check=True,
        capture_output=True,
    )
    assert same_tree(
        parse_tree_facts(listing.stdout), read_tree_facts(FIXTURES / "trees" / f"{tree}.json")
    )
