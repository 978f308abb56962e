"""A registry crawled, changed, and crawled again: what the reports make of it, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from image_builder import BuiltImage, file, image, layer
from registry_content import RegistryContent
from registry_server import RegistryServer, serve
from source.registry.asking import isolated

from layerlens.source.registry.clients import forget_clients

from .audit_running import DB, audit_runner, document_of, table_of
from .running import Run

OLD_LAYERS = (layer(file("/os", b"os" * 99)), layer(file("/libssl", b"old")))
NEW_LAYERS = (OLD_LAYERS[0], layer(file("/libssl", b"new")))
OLD, NEW = image(*OLD_LAYERS), image(*NEW_LAYERS)


def app(base: BuiltImage, name: str) -> BuiltImage:
    return image(*base.layers, layer(file("/app", name.encode())))


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """Two apps on a base."""
    content = RegistryContent()
    content.add_image("base", OLD, "1")
    content.add_image("apps/one", app(OLD, "one"), "1")
    content.add_image("apps/two", app(OLD, "two"), "1", "latest")
    with serve(content) as served:
        yield served


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Iterator[Run]:
    isolated(tmp_path / "home", monkeypatch)
    forget_clients()
    yield audit_runner(monkeypatch, capfdbinary, tmp_path)
    forget_clients()


def test_a_base_that_moved_makes_images_stale_until_they_are_rebuilt(
    run: Run, registry: RegistryServer
) -> None:
    report = ("audit", "report", "--table", "stale")
    run("audit", registry.host, *DB).text()
    assert table_of(run, *report) == []
    (base,) = document_of(run, "audit", "report").object("base_images").objects("bases")
    assert (base.integer("images"), base.integer("nearest")) == (2, 2)

    registry.content.add_image("base", NEW, "1")
    registry.content.add_image("apps/two", app(NEW, "two"), "latest")
    run("audit", registry.host, *DB).text()
    found = {row["image"]: (row["base"], row["evidence"]) for row in table_of(run, *report)}
    assert found == {
        "apps/one:1": ("base:1", "layers"),
        "apps/two:1": ("base:1", "layers"),
    }


def test_a_tag_that_is_gone_holds_nothing_any_more(run: Run, registry: RegistryServer) -> None:
    run("audit", registry.host, *DB).text()
    before = document_of(run, "audit", "freed", "apps/two:1", "apps/two:latest")
    both = document_of(run, "audit", "freed", "apps/two:1")
    assert both.integer("freed_bytes") == 0

    del registry.content.repositories["apps/two"].tags["latest"]
    run("audit", registry.host, *DB).text()
    after = document_of(run, "audit", "freed", "apps/two:1")
    assert after.integer("freed_bytes") == before.integer("freed_bytes") > 0
    assert document_of(run, "audit", "report").object("scope").integer("removed_tags") == 1
