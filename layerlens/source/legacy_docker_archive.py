"""What docker before 1.10 saved: ``repositories`` and a directory a layer, with no manifest."""

from __future__ import annotations

from layerlens.errors import LimitExceeded, MalformedInput
from layerlens.oci.digest import sha256_digest
from layerlens.oci.image_config import HistoryEntry, ImageConfig, RuntimeConfig
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.oci.platform import Platform
from layerlens.oci.quoting import quoted
from layerlens.source.member_store import MemberStore, missing
from layerlens.source.stored_image import StoredImage, StoredLayer

REPOSITORIES_NAME = "repositories"

_DOCUMENT_LIMIT = 1 << 20
_MAX_LAYERS = 10_000
_MAX_REPOSITORIES = 1_000


def read_legacy_docker_archive(store: MemberStore) -> tuple[StoredImage, ...]:
    """The images of ``repositories``, a group each; no digests are known of their layers.

    Raises MalformedInput for a loop of parents, NotFound for a missing layer.
    """
    where = f"{store.where}: {REPOSITORIES_NAME}"
    data = store.read(REPOSITORIES_NAME, _DOCUMENT_LIMIT)
    repositories = parse_object(data, where, limit=_DOCUMENT_LIMIT)
    if len(repositories.names()) > _MAX_REPOSITORIES:
        raise LimitExceeded(f"{where}: has more than {_MAX_REPOSITORIES} repositories")
    names: dict[str, list[str]] = {}
    for repository in repositories.names():
        for tag, image_id in repositories.string_map(repository).items():
            names.setdefault(image_id, []).append(f"{repository}:{tag}")
    return tuple(
        _image(store, image_id, tuple(sorted(tags)), group)
        for group, (image_id, tags) in enumerate(names.items())
    )


def _image(store: MemberStore, image_id: str, names: tuple[str, ...], group: int) -> StoredImage:
    chain = _chain(store, image_id)
    top = chain[-1][1]
    history = tuple(_history(document) for _, document in chain)
    config = ImageConfig(
        platform=Platform.from_json(top),
        created=top.optional_string("created"),
        author=top.optional_string("author"),
        runtime=RuntimeConfig.from_json(top.optional_object("config")),
        diff_ids=(),
        history=history,
    )
    return StoredImage(
        group=group,
        names=names,
        config=config,
        config_digest=sha256_digest(store.read(f"{image_id}/json", _DOCUMENT_LIMIT)),
        manifest_digest=None,
        index_digest=None,
        media_type=None,
        annotations={},
        layers=tuple(_layer(store, layer_id, number) for number, (layer_id, _) in enumerate(chain)),
    )


def _chain(store: MemberStore, image_id: str) -> list[tuple[str, JsonObject]]:
    """The image's layers by following ``parent``, lowest first."""
    chain: list[tuple[str, JsonObject]] = []
    visited: set[str] = set()
    layer_id: str | None = image_id
    while layer_id:
        if layer_id in visited or len(visited) > _MAX_LAYERS:
            raise MalformedInput(f"{store.where}: layer {quoted(layer_id)} is its own ancestor")
        visited.add(layer_id)
        name = f"{layer_id}/json"
        data = store.read(name, _DOCUMENT_LIMIT)
        document = parse_object(data, f"{store.where}: {name}", limit=_DOCUMENT_LIMIT)
        chain.append((layer_id, document))
        layer_id = document.optional_string("parent")
    return chain[::-1]


def _history(document: JsonObject) -> HistoryEntry:
    container = document.optional_object("container_config")
    command = container.optional_strings("Cmd") if container else None
    return HistoryEntry(
        created=document.optional_string("created"),
        created_by=" ".join(command) if command else None,
        author=document.optional_string("author"),
        comment=document.optional_string("comment"),
    )


def _layer(store: MemberStore, layer_id: str, number: int) -> StoredLayer:
    name = f"{layer_id}/layer.tar"
    location = store.find(name)
    if location is None:
        raise missing(store.where, name)
    return StoredLayer(
        blob_digest=None,
        diff_id=None,
        media_type=None,
        size=location.size,
        location=location,
        where=f"{store.where}: layer {number} ({quoted(name)})",
    )
