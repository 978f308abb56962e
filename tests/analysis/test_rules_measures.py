"""What rules measure, on images of a few bytes that can be added up by hand."""

import math
from fractions import Fraction

import pytest
from image_builder import BuiltLayer, directory, file, hard_link, layer, symlink, whiteout

from layerlens.analysis.dive_figures import dive_figures
from layerlens.analysis.rules import RULE_KINDS, Limit, Rule, Status, Verdict
from layerlens.analysis.rules_image import BaseLayers, CheckedImage, Subject, base_layers
from layerlens.analysis.rules_measures import judge_rules
from layerlens.analysis.sharing import ImageLayers, LayerIdentity
from layerlens.analysis.waste import measure_waste
from layerlens.analysis.waste_survey import survey_waste
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.filesystem.file_tree import EMPTY_TREE

from .sharing_images import stored
from .sharing_images import title as image_title
from .written_layers import FIXTURE_IMAGES, built, of_fixture, title

NO_BASE = BaseLayers(name=None, count=None, why="no base")


def checked(layers: tuple[WrittenLayer, ...], *identities: LayerIdentity) -> CheckedImage:
    name = image_title("image")
    return CheckedImage(
        title=name, layers=layers, identities=ImageLayers(title=name, layers=identities)
    )


def verdict(
    name: str,
    limit: Limit | int,
    image: CheckedImage,
    *exclude: str,
    baseline: CheckedImage | None = None,
    base: BaseLayers = NO_BASE,
) -> Verdict:
    rule = Rule(
        kind=RULE_KINDS[name],
        limit=Fraction(limit) if isinstance(limit, int) else limit,
        exclude=exclude,
        source="test",
    )
    survey = survey_waste(image.layers)
    subject = Subject(
        image=image,
        waste=measure_waste(image.layers),
        findings=survey.findings,
        unsure=survey.not_looked_into,
        baseline=baseline,
        base=base,
    )
    (found,) = judge_rules([rule], subject).verdicts
    return found


def value(name: str, image: CheckedImage, *exclude: str) -> Fraction | None:
    limit: Limit | int = Fraction(0) if RULE_KINDS[name].lowest else 10**18
    found = verdict(name, limit, image, *exclude)
    assert found.status is Status.PASS, found
    return found.value


def outcome(found: Verdict) -> tuple[object, object]:
    return found.status, found.value


def app(*more: BuiltLayer) -> CheckedImage:
    """3 + 50 bytes, then 7 over the 3, then the 50 deleted: 60 in all, 53 dead."""
    return checked(
        built(
            layer(file("/etc/conf", b"abc"), file("/srv/big", b"x" * 50)),
            layer(file("/etc/conf", b"abcdefg"), created_by="RUN configure"),
            layer(whiteout("/srv/big")),
            *more,
        )
    )


def test_sizes_in_bytes() -> None:
    assert value("max-image-size", app()) == 60
    assert value("max-layer-size", app()) == 53
    assert value("max-dead-bytes", app()) == 53
    assert value("min-live-share", app()) == Fraction(7, 60)


def test_excluded_paths_do_not_count() -> None:
    assert value("max-image-size", app(), "/srv") == 10
    assert value("max-layer-size", app(), "big") == 7
    assert value("max-dead-bytes", app(), "/srv/*") == 3
    assert value("min-live-share", app(), "/srv", "nothing") == Fraction(7, 10)
    assert value("highest-wasted-bytes", app()) == 60  # 3 + 7, and 50 whose whiteout is a path too
    assert value("highest-wasted-bytes", app(), "/srv") == 10
    assert value("lowest-efficiency", app(), "conf") == 0  # of 50 and a whiteout of 0


def test_hard_links_count_once() -> None:
    linked = checked(built(layer(file("/a", b"12345"), hard_link("/b", "/a"))))
    assert value("max-image-size", linked) == 5
    assert value("max-dead-bytes", linked) == 0


def test_where_a_rule_was_broken_is_told() -> None:
    dead = verdict("max-dead-bytes", 52, app())
    assert dead.status is Status.FAIL
    assert [(place.path, place.layer, place.bytes, place.note) for place in dead.places] == [
        ("/srv/big", 0, 50, "deleted by layer 2"),
        ("/etc/conf", 0, 3, "overwritten by layer 1"),
    ]
    large = verdict("max-layer-size", 6, app())
    assert [(place.layer, place.bytes, place.note) for place in large.places] == [
        (0, 53, "test builder"),
        (1, 7, "RUN configure"),
    ]
    assert [place.layer for place in verdict("max-layer-size", 52, app()).places] == [0]


def test_user_layers_are_those_above_the_base() -> None:
    base = BaseLayers(name="base", count=1)
    assert verdict("max-user-size", 7, app(), base=base).status is Status.PASS
    failed = verdict("max-user-size", 6, app(), base=base)
    assert outcome(failed) == (Status.FAIL, 7)
    unknown = verdict("max-user-size", 6, app())
    assert (unknown.status, unknown.why) == (Status.SKIP, "no base")


def test_a_base_is_all_of_its_layers() -> None:
    found = base_layers("b", ["1", "2", "3"], ["1", "2"])
    assert (found.count, found.why) == (2, None)
    assert base_layers("b", ["1", "2"], ["1", "2"]).count == 2
    assert base_layers("b", ["1"], []).count == 0
    stale = base_layers("b", ["1", "2"], ["1", "x", "y"])
    assert stale.count is None
    assert stale.why == "the image does not stand on b: it has 1 of its 3 layers"
    assert base_layers("b", ["1", None], ["1", None]).count is None


def test_growth_against_a_baseline() -> None:
    grown = app(layer(file("/srv/new", b"y" * 30), file("/srv/skip", b"z" * 6)))
    failed = verdict("max-growth", 35, grown, baseline=app())
    assert outcome(failed) == (Status.FAIL, 36)
    assert [(place.path, place.layer, place.bytes, place.note) for place in failed.places] == [
        ("/srv/new", 3, 30, "added"),
        ("/srv/skip", 3, 6, "added"),
    ]
    assert verdict("max-growth", 36, grown, baseline=app()).status is Status.PASS
    assert verdict("max-growth", 30, grown, "skip", baseline=app()).value == 30
    percent = verdict("max-growth-percent", 59, grown, baseline=app())
    assert outcome(percent) == (Status.FAIL, 60)
    shrunk = verdict("max-growth", 0, app(), baseline=grown)
    assert outcome(shrunk) == (Status.PASS, -36)


@pytest.mark.parametrize("name", ["max-growth", "max-growth-percent", "max-pull-cost"])
def test_nothing_is_measured_without_a_baseline(name: str) -> None:
    found = verdict(name, 1, app())
    assert found.status is Status.SKIP
    assert found.why == "no baseline to compare with: name one with --baseline"


def test_growth_of_nothing_has_no_percentage() -> None:
    found = verdict("max-growth-percent", 1, app(), baseline=checked(built(layer())))
    assert found.why == "the baseline has no bytes to take a percentage of"


BASE = stored("base", size=1000, compressed=100)
OLD = stored("old", size=70, compressed=7)
NEW = stored("new", size=90, compressed=9)
PLAIN = stored("plain", size=40)


def pulled(*identities: LayerIdentity) -> CheckedImage:
    return checked((), *identities)


def test_compressed_size_and_pull_cost() -> None:
    assert value("max-compressed-size", pulled(BASE, NEW)) == 109
    assert value("max-compressed-size", pulled(BASE, NEW, NEW)) == 109  # stored once
    cost = verdict("max-pull-cost", 8, pulled(BASE, NEW), baseline=pulled(BASE, OLD))
    assert outcome(cost) == (Status.FAIL, 9)
    assert [(place.layer, place.bytes) for place in cost.places] == [(1, 9)]
    assert cost.places[0].note == "RUN new"


def test_layers_that_are_there_by_their_diff_id_alone_are_no_places() -> None:
    saved = pulled(stored("base", size=1000), stored("new", size=90))  # as docker save has them
    cost = verdict("max-pull-cost", 10, saved, baseline=pulled(BASE, OLD))
    assert cost.status is Status.SKIP
    recompressed = stored("base", size=1000, compressed=90, blob="another")
    cost = verdict("max-pull-cost", 10, pulled(recompressed, NEW), baseline=pulled(BASE, NEW))
    assert [place.layer for place in cost.places] == [0]
    plain = verdict("max-pull-cost", 8, pulled(NEW), baseline=pulled(stored("new", size=90)))
    assert outcome(plain) == (Status.PASS, 0)


def test_an_unknown_compressed_size_is_enough_to_pass_and_not_to_fail() -> None:
    image = pulled(BASE, PLAIN)
    passed = verdict("max-compressed-size", 140, image)
    assert outcome(passed) == (Status.PASS, 140)
    assert passed.why == "layers whose compressed size is not known are counted uncompressed"
    doubtful = verdict("max-compressed-size", 139, image)
    assert doubtful.status is Status.SKIP
    assert doubtful.why is not None
    assert doubtful.why.startswith("the compressed size of layers is not known")
    assert verdict("max-compressed-size", 99, image).status is Status.FAIL


def test_a_layer_that_is_no_tar_leaves_sizes_in_doubt() -> None:
    layers = built(layer(file("/a", b"12345")))
    secret = WrittenLayer(title=title(1), index=None, tree=layers[0].tree)
    image = checked((*layers, secret))
    why = "layer 1 is no tar: what it holds is not known"
    for name in ("max-image-size", "max-layer-size", "max-dead-bytes", "min-live-share"):
        limit: Limit | int = Fraction(0) if name == "min-live-share" else 5
        assert (verdict(name, limit, image).status, verdict(name, limit, image).why) == (
            Status.SKIP,
            why,
        )
    assert verdict("max-image-size", 4, image).status is Status.FAIL
    assert verdict("forbidden-files", ("zzz",), image).status is Status.SKIP
    assert verdict("max-growth", 100, app(), baseline=image).why == f"in the baseline {why}"


def test_forbidden_files_are_found_even_where_a_later_layer_deletes_them() -> None:
    image = checked(
        built(
            layer(directory("/app/.git"), file("/app/.git/HEAD", b"ref"), file("/k.pem", b"1")),
            layer(file("/app/.git/index", b"12"), file("/k.pem", b"2"), symlink("/x.pem", "k")),
            layer(whiteout("/app/.git")),
        )
    )
    found = verdict("forbidden-files", (".git", "*.pem"), image)
    assert outcome(found) == (Status.FAIL, 4)
    assert [(place.path, place.layer, place.bytes, place.note) for place in found.places] == [
        ("/app/.git/HEAD", 0, 3, "deleted later, and still in the image"),
        ("/k.pem", 0, 1, "written again later"),
        ("/app/.git/index", 1, 2, "deleted later, and still in the image"),
        ("/x.pem", 1, None, None),
    ]
    kept = verdict("forbidden-files", (".git", "*.pem"), image, "/app", "/x.pem")
    assert [place.path for place in kept.places] == ["/k.pem"]
    assert verdict("forbidden-files", ("app", ".git"), image, "/app").status is Status.PASS


def test_a_directory_alone_is_no_forbidden_file() -> None:
    image = checked(built(layer(directory("/.git"))))
    assert verdict("forbidden-files", (".git",), image).status is Status.PASS


def test_a_file_is_found_where_its_layer_lands() -> None:
    image = checked(
        built(
            layer(directory("/usr/lib"), symlink("/lib", "usr/lib")), layer(file("/lib/key", b"1"))
        )
    )
    (place,) = verdict("forbidden-files", ("/usr/lib/key",), image).places
    assert (place.path, place.layer) == ("/usr/lib/key", 1)


def test_setuid_and_setgid_files_must_be_allowed() -> None:
    image = checked(
        built(
            layer(
                file("/bin/su", b"12", mode=0o4755),
                file("/bin/wall", b"1", mode=0o2755, owner=(0, 5)),
                file("/bin/gone", b"1", mode=0o4755),
                directory("/var/mail", mode=0o2775),
                file("/bin/plain", mode=0o1755),
                hard_link("/bin/su2", "/bin/su"),
            ),
            layer(whiteout("/bin/gone")),
        )
    )
    found = verdict("allowed-setuid", (), image)
    assert [(place.path, place.note) for place in found.places] == [
        ("/bin/su", "mode 4755, owner 0:0"),
        ("/bin/su2", "mode 4755, owner 0:0"),
        ("/bin/wall", "mode 2755, owner 0:5"),
    ]
    some = verdict("allowed-setuid", ("/bin/su*",), image)
    assert [place.path for place in some.places] == ["/bin/wall"]
    assert verdict("allowed-setuid", ("su*",), image, "wall").status is Status.PASS


def test_findings_of_a_kind_are_forbidden() -> None:
    image = checked(
        built(
            layer(
                file("/var/lib/apt/lists/x_Packages", b"x" * 9),
                file("/root/.cache/pip/wheel", b"y" * 5),
                file("/root/.ssh/id_rsa", b"-----BEGIN OPENSSH PRIVATE KEY-----"),
            ),
            layer(whiteout("/root/.ssh")),
        )
    )
    found = verdict("forbidden-findings", ("apt-lists", "secret"), image)
    assert outcome(found) == (Status.FAIL, 2)
    places = {(place.path, place.layer, place.bytes) for place in found.places}
    assert places == {("/var/lib/apt/lists", 0, 9), ("/root/.ssh/id_rsa", 0, 35)}
    assert all(place.note and ": " in place.note for place in found.places)
    assert verdict("forbidden-findings", ("npm-cache",), image).status is Status.PASS
    some = verdict("forbidden-findings", ("secret", "pip-cache"), image, ".ssh")
    assert [place.path for place in some.places] == ["/root/.cache/pip"]


def test_what_may_be_a_secret_is_no_reason_to_pass() -> None:
    image = checked(built(layer(file("/srv/app.pem", b"?"), file("/etc/other.pem", b"??"))))
    found = verdict("forbidden-findings", ("secret",), image)
    assert found.status is Status.SKIP
    assert found.why is not None
    assert "/srv/app.pem and 1 more (--look always)" in found.why
    assert verdict("forbidden-findings", ("apt-lists",), image).status is Status.PASS
    assert verdict("forbidden-findings", ("secret",), image, "*.pem").status is Status.PASS


def test_dives_rules_are_dives_figures() -> None:
    for name, platform in FIXTURE_IMAGES:
        layers = of_fixture(name, platform)
        figures = dive_figures([layer.entries for layer in layers])
        image = checked(layers)
        assert value("lowest-efficiency", image) == Fraction(figures.efficiency)
        assert value("highest-wasted-bytes", image) == figures.wasted_bytes
        found = verdict("highest-user-wasted-percent", Fraction(10**6), image)
        if math.isnan(figures.user_wasted_percent):
            assert found.status is Status.SKIP
        else:
            assert found.value == Fraction(figures.user_wasted_percent)


def test_dives_division_by_zero() -> None:
    single = verdict("highest-user-wasted-percent", 0, checked(built(layer(file("/a", b"1")))))
    assert (single.status, single.why) == (
        Status.SKIP,
        "no layer above the first has bytes to take a part of",
    )
    emptied = checked(built(layer(file("/a", b"1")), layer(file("/a"))))
    found = verdict("highest-user-wasted-percent", 1, emptied)
    assert outcome(found) == (Status.FAIL, None)  # infinity is more than any limit
    assert [place.path for place in found.places] == ["/a"]


def test_an_image_without_layers() -> None:
    empty = checked(())
    assert empty.tree is EMPTY_TREE
    assert value("max-layer-size", empty) == 0
    assert verdict("min-live-share", 1, empty).why == "the layers hold no bytes that could be live"
