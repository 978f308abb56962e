"""The figures of a catalogue against a model that counts in plain loops."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import given, settings

from layerlens.analysis.sharing import Identity
from layerlens.audit.file_shares import duplicated_files, file_sharing
from layerlens.audit.holders import Meaning, count_holders, find_digest, holders
from layerlens.audit.near_duplicates import near_duplicate_totals, near_duplicates
from layerlens.audit.percentiles import spreads
from layerlens.audit.recompressed import recompressed_layers, recompressed_totals
from layerlens.audit.records import ImageRecord, LayerRecord
from layerlens.audit.repository_shares import ShareOrder, repository_shares
from layerlens.audit.scope import scope_of
from layerlens.audit.top_layers import (
    count_exclusive,
    count_shared,
    exclusive_layers,
    shared_layers,
)
from layerlens.audit.totals import sharing_totals
from layerlens.oci.digest import Digest

from .made_registries import (
    EMPTY_TAR,
    FOREIGN_TYPE,
    MadeRegistry,
    holdings_of,
    made_registries,
    stored_size,
    with_chains,
)

Held = dict[Digest, dict[Digest, int]]
"""Bytes by layer and by image."""


def key_of(identity: Identity, layer: LayerRecord, chain_id: Digest | None) -> Digest | None:
    if identity is Identity.BLOB_DIGEST:
        return layer.digest
    return layer.diff_id if identity is Identity.DIFF_ID else chain_id


def held_by(images: list[ImageRecord], identity: Identity) -> Held:
    held: Held = {}
    for image in images:
        for layer, chain_id in with_chains(image):
            key = key_of(identity, layer, chain_id)
            if key is not None:
                of_layer = held.setdefault(key, {})
                known = of_layer.get(image.digest, stored_size(layer))
                of_layer[image.digest] = min(known, stored_size(layer))
    return held


def empty_keys(images: list[ImageRecord], identity: Identity) -> set[Digest | None]:
    return {
        key_of(identity, layer, chain_id)
        for image in images
        for layer, chain_id in with_chains(image)
        if layer.diff_id == EMPTY_TAR
    }


@settings(max_examples=25)
@given(made_registries())
def test_the_scope_counts_what_tags_lead_to(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        scope = scope_of(holdings)
    live = made.live()
    images = made.live_images()
    assert scope.tags == len(made.tags)
    assert scope.repositories == len({name for name, _ in made.tags})
    assert scope.images == len(images)
    assert scope.indexes == len(live & made.indexes.keys())
    assert scope.artifacts == len(live) - scope.images - scope.indexes
    assert scope.is_whole
    assert scope.images_without_diff_ids == sum(
        any(layer.diff_id is None for layer in image.layers) for image in images
    )
    blobs = {
        layer.digest: stored_size(layer)
        for name in live & made.images.keys()
        for layer in made.images[name].layers
    }
    blobs |= {
        config.digest: config.size
        for name in live & made.images.keys()
        if (config := made.images[name].config)
    }
    layers = {layer.digest for image in images for layer in image.layers}
    others = [size for key, size in blobs.items() if key not in layers]
    foreign = {
        layer.digest: layer.size
        for image in images
        for layer in image.layers
        if layer.media_type == FOREIGN_TYPE
    }
    assert (scope.foreign_layers, scope.foreign_bytes) == (len(foreign), sum(foreign.values()))
    assert (scope.other_blobs, scope.other_blob_bytes) == (len(others), sum(others))


@settings(max_examples=25)
@given(made_registries())
def test_totals_and_references_by_each_identity(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        totals = list(sharing_totals(holdings))
    images = made.live_images()
    assert [each.identity for each in totals] == list(Identity)
    for each in totals:
        held = held_by(images, each.identity)
        empty = empty_keys(images, each.identity)
        stored = {key: min(sizes.values()) for key, sizes in held.items()}
        assert each.layers == len(held)
        assert each.logical == sum(sum(sizes.values()) for sizes in held.values())
        assert each.stored == sum(stored.values())
        assert each.ratio == (Fraction(each.logical, each.stored) if each.stored else None)
        listed = sum(len(image.layers) for image in images)
        known = sum(
            key_of(each.identity, *layer) is not None
            for image in images
            for layer in with_chains(image)
        )
        assert each.left_out == listed - known
        counts = {key: len(sizes) for key, sizes in held.items() if key not in empty}
        references = each.references
        for found, wanted in (
            (references.once, [key for key, count in counts.items() if count == 1]),
            (references.twice, [key for key, count in counts.items() if count == 2]),
            (references.up_to_25, [key for key, count in counts.items() if 2 < count <= 25]),
            (references.empty, [key for key in held if key in empty]),
        ):
            assert (found.layers, found.bytes) == (len(wanted), sum(stored[k] for k in wanted))
        assert references.most == max(counts.values(), default=0)


@settings(max_examples=25)
@given(made_registries())
def test_repositories_have_exactly_what_is_stored(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        for identity in Identity:
            shares = {
                share.repository: share
                for share in repository_shares(holdings, identity, ShareOrder.NAME, None)
            }
            assert list(shares) == sorted({name for name, _ in made.tags})
            in_repository = {
                repository: [
                    made.images[name]
                    for name in {
                        name
                        for (where, _), root in made.tags.items()
                        if where == repository
                        for name in made.reached(root)
                    }
                    if made.is_image(name)
                ]
                for repository in shares
            }
            held = {name: held_by(images, identity) for name, images in in_repository.items()}
            stored = {
                key: min(sizes.values())
                for key, sizes in held_by(made.live_images(), identity).items()
            }
            holders = {key: [name for name in shares if key in held[name]] for key in stored}
            for name, share in shares.items():
                own = {key: min(sizes.values()) for key, sizes in held[name].items()}
                alone = sum(own[key] for key in own if holders[key] == [name])
                part = sum(
                    stored[key] // len(holders[key])
                    + (holders[key].index(name) < stored[key] % len(holders[key]))
                    for key in own
                )
                assert share.images == len(in_repository[name])
                assert share.own == sum(own.values())
                assert (share.exclusive, share.shared) == (alone, share.own - alone)
                assert share.amortised == part
            assert sum(each.amortised for each in shares.values()) == sum(stored.values())


@settings(max_examples=25)
@given(made_registries())
def test_layers_are_ranked_with_their_holders(made: MadeRegistry) -> None:
    images = made.live_images()
    with holdings_of(made) as holdings:
        for identity in Identity:
            held = held_by(images, identity)
            empty = empty_keys(images, identity)
            ranked = [*shared_layers(holdings, identity, None)]
            alone = [*exclusive_layers(holdings, identity, None)]
            assert count_shared(holdings, identity) == len(ranked)
            assert count_exclusive(holdings, identity) == len(alone)
            assert list(shared_layers(holdings, identity, 2)) == ranked[:2]
            assert ranked == sorted(
                ranked, key=lambda layer: (-layer.saved, -layer.images, layer.digest)
            )
            assert alone == sorted(alone, key=lambda layer: (-layer.size, layer.digest))
            assert {layer.digest for layer in [*ranked, *alone]} == held.keys() - empty
            for layer in [*ranked, *alone]:
                sizes = held[layer.digest]
                assert layer.images == len(sizes)
                assert layer.size == min(sizes.values())
                assert layer.saved == sum(sizes.values()) - layer.size
                assert list(layer.repositories) == sorted(
                    {
                        repository
                        for (repository, _), root in made.tags.items()
                        if any(
                            made.is_image(name) and made.images[name].digest in sizes
                            for name in made.reached(root)
                        )
                    }
                )
                assert layer.image is not None
                root = made.tags[layer.image.repository, layer.image.tag]
                assert any(
                    made.is_image(name) and made.images[name].digest in sizes
                    for name in made.reached(root)
                )


@settings(max_examples=25)
@given(made_registries())
def test_near_duplicates_are_layers_of_one_instruction(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        found = list(near_duplicates(holdings, None))
        totals = near_duplicate_totals(holdings)
    variants: dict[tuple[str, str | None], dict[Digest, int]] = {}
    for image in made.live_images():
        for layer in image.layers:
            if layer.instruction is not None and layer.diff_id != EMPTY_TAR:
                sizes = variants.setdefault((layer.instruction, image.platform), {})
                key = layer.diff_id or layer.digest
                sizes[key] = min(sizes.get(key, stored_size(layer)), stored_size(layer))
    expected = {
        key: (len(sizes), sum(sizes.values()), sum(sizes.values()) - max(sizes.values()))
        for key, sizes in variants.items()
        if len(sizes) > 1
    }
    assert {
        (each.instruction, each.platform): (each.layers, each.bytes, each.at_stake)
        for each in found
    } == expected
    assert (totals.instructions, totals.at_stake) == (
        len(expected),
        sum(at_stake for _, _, at_stake in expected.values()),
    )


@settings(max_examples=25)
@given(made_registries())
def test_files_in_common_are_those_of_two_layers_at_least(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        found = {
            (each.instruction, each.platform): each.files
            for each in near_duplicates(holdings, None)
        }
    for (instruction, platform), files in found.items():
        layers = {
            layer.diff_id
            for image in made.live_images()
            if image.platform == platform
            for layer in image.layers
            if layer.instruction == instruction and layer.diff_id in made.files
        }
        listed = [made.files[diff_id] for diff_id in layers if diff_id is not None]
        having: dict[bytes, int] = {}
        for each in listed:
            for file in each.files:
                having[file.content] = having.get(file.content, 0) + 1
        every = [file for each in listed for file in each.files]
        assert files.layers == len(listed)
        assert files.bytes == sum(file.size * file.copies for file in every)
        assert files.common == sum(
            file.size * file.copies for file in every if having[file.content] > 1
        )


@settings(max_examples=25)
@given(made_registries())
def test_recompressed_is_what_lies_between_blobs_and_contents(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        found = list(recompressed_layers(holdings, None))
        totals = recompressed_totals(holdings)
    forms: dict[Digest, dict[Digest, int]] = {}
    for image in made.live_images():
        for layer in image.layers:
            if layer.diff_id is not None and layer.diff_id != EMPTY_TAR:
                forms.setdefault(layer.diff_id, {})[layer.digest] = stored_size(layer)
    expected = {
        diff_id: (len(sizes), min(sizes.values()), sum(sizes.values()) - min(sizes.values()))
        for diff_id, sizes in forms.items()
        if len(sizes) > 1
    }
    assert {each.diff_id: (each.blobs, each.size, each.excess) for each in found} == expected
    assert found == sorted(found, key=lambda each: (-each.excess, each.diff_id))
    assert (totals.layers, totals.excess) == (len(expected), sum(each.excess for each in found))


@settings(max_examples=25)
@given(made_registries())
def test_holders_are_all_tags_that_lead_to_a_layer(made: MadeRegistry) -> None:
    images = made.live_images()
    with holdings_of(made) as holdings:
        for identity, meaning in zip(Identity, Meaning, strict=True):
            for key, sizes in held_by(images, identity).items():
                (found,) = (
                    each for each in find_digest(holdings, str(key)) if each.meaning is meaning
                )
                tags = {
                    (repository, tag)
                    for (repository, tag), root in made.tags.items()
                    if any(
                        made.is_image(name) and made.images[name].digest in sizes
                        for name in made.reached(root)
                    )
                }
                rows = [each for each in holders(holdings, found, None) if each.manifest in sizes]
                assert {(each.name.repository, each.name.tag) for each in rows} == tags
                assert {each.manifest for each in rows} == sizes.keys()
                assert found.repositories >= len({repository for repository, _ in tags})
                assert count_holders(holdings, found) == len(list(holders(holdings, found, None)))


def nearest_rank(values: list[int], percent: int) -> int | None:
    ordered = sorted(values)
    return next(
        (value for place, value in enumerate(ordered, 1) if place * 100 >= percent * len(ordered)),
        None,
    )


@settings(max_examples=25)
@given(made_registries())
def test_percentiles_are_nearest_ranks(made: MadeRegistry) -> None:
    images = made.live_images()
    by_blob = held_by(images, Identity.BLOB_DIGEST)
    by_diff_id = held_by(images, Identity.DIFF_ID)
    empty = empty_keys(images, Identity.BLOB_DIGEST)
    listed = [made.files[key] for key in by_diff_id if key in made.files]
    expected = {
        "layer size": [min(sizes.values()) for key, sizes in by_blob.items() if key not in empty],
        "image size": [
            sum({layer.digest: stored_size(layer) for layer in image.layers}.values())
            for image in images
        ],
        "layers per image": [len(image.layers) for image in images],
        "layer size uncompressed": [each.size for each in listed],
        "files per layer": [
            sum(file.copies for file in each.files) + each.empty_files for each in listed
        ],
        "compression ratio": [
            each.size * 1000 // smallest
            for each in listed
            if (smallest := min(by_diff_id[each.diff_id].values()))
        ],
    }
    with holdings_of(made) as holdings:
        found = {spread.measure: spread for spread in spreads(holdings)}
    assert {name for name, values in expected.items() if values} <= found.keys()
    for name, spread in found.items():
        values = expected[name]
        assert spread.count == len(values)
        assert spread.p50 == nearest_rank(values, 50)
        assert spread.p90 == nearest_rank(values, 90)
        assert spread.largest == max(values, default=None)


@settings(max_examples=25)
@given(made_registries())
def test_files_are_counted_over_distinct_layers(made: MadeRegistry) -> None:
    held = held_by(made.live_images(), Identity.DIFF_ID)
    listed = [made.files[key] for key in held if key in made.files]
    with holdings_of(made) as holdings:
        sharing = file_sharing(holdings)
        duplicated = list(duplicated_files(holdings, None))
    if sharing is None:
        assert listed == []
        return
    copies: dict[bytes, int] = {}
    sizes: dict[bytes, int] = {}
    for each in listed:
        for file in each.files:
            copies[file.content] = copies.get(file.content, 0) + file.copies
            sizes[file.content] = file.size
    size_of: Callable[[Digest], int] = lambda key: sum(  # noqa: E731
        file.copies * file.size for file in made.files[key].files
    )
    assert (sharing.layers, sharing.unread_layers) == (len(listed), len(held) - len(listed))
    assert sharing.files == sum(copies.values())
    assert sharing.empty_files == sum(each.empty_files for each in listed)
    assert sharing.distinct == len(copies)
    assert sharing.singletons == sum(count == 1 for count in copies.values())
    assert sharing.bytes == sum(copies[key] * sizes[key] for key in copies)
    assert sharing.distinct_bytes == sum(sizes.values())
    assert sharing.logical_bytes == sum(
        size_of(key) * len(images) for key, images in held.items() if key in made.files
    )
    assert {each.content: each.copies for each in duplicated} == {
        key: count for key, count in copies.items() if count > 1
    }
    assert duplicated == sorted(duplicated, key=lambda each: (-each.excess, each.content))
