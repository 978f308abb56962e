from image_builder import directory, file, layer, whiteout

from layerlens.analysis.image_report import ImageReport, image_report, new_dead, removed_layers
from layerlens.analysis.layer_changes import layer_changes
from layerlens.analysis.top_changes import tallied
from layerlens.filesystem.file_tree import EMPTY_TREE

from .reported_images import reported
from .written_layers import built

BASE = layer(file("/etc/conf", b"abc"), file("/usr/lib/big", b"x" * 50), created_by="ADD base")
APP = layer(file("/srv/app", b"y" * 20), created_by="COPY app")
OLD = reported(BASE, APP, env=("A=1", "B=2"))
NEW = reported(
    BASE,
    layer(file("/srv/app", b"y" * 25), file("/etc/conf", b"abcd"), created_by="COPY app"),
    layer(whiteout("/usr/lib/big"), file("/var/lib/apt/lists/x", b"z" * 9), created_by="RUN apt"),
    env=("A=1", "B=3", "C=4"),
)


def test_an_image_by_itself() -> None:
    report = image_report(OLD, None, None)
    assert (report.sizes.files, report.sizes.live, report.sizes.dead) == (73, 73, 0)
    assert report.sizes.compressed == sum(len(each.tar) // 2 for each in (BASE, APP))
    assert [(row.path, row.before, row.after) for row in report.directories] == [
        ("/usr", 0, 50),
        ("/srv", 0, 20),
        ("/etc", 0, 3),
    ]
    assert [(each.number, each.bytes, each.dead) for each in report.layers] == [
        (0, 53, 0),
        (1, 20, 0),
    ]
    assert [change.path for change in report.layers[0].largest] == ["/usr/lib/big", "/etc/conf"]
    assert report.comparison is None
    assert new_dead(report) == []


def test_what_changed_since_a_baseline() -> None:
    report = image_report(NEW, OLD, None)
    comparison = report.comparison
    assert comparison is not None
    assert (comparison.sizes.files, report.sizes.files) == (73, 91)
    assert (report.sizes.live, report.sizes.dead) == (38, 53)
    assert [(row.path, row.growth) for row in report.directories] == [
        ("/usr", -50),
        ("/var", 9),
        ("/srv", 5),
        ("/etc", 1),
    ]
    assert [change.path for change in comparison.grown] == [
        "/var/lib/apt/lists/x",
        "/srv/app",
        "/etc/conf",
    ]
    assert [change.path for change in comparison.shrunk] == ["/usr/lib/big"]
    assert [(dead.path, dead.growth, dead.killers) for dead in new_dead(report)] == [
        ("/usr/lib/big", 50, (2,)),
        ("/etc/conf", 3, (1,)),
    ]
    assert [pair.relation.value for pair in comparison.pairs] == ["same", "rebuilt", "only-b"]
    assert list(removed_layers(comparison)) == []
    assert comparison.pull.compressed == sum(
        each.stored_size or 0 for each in NEW.checked.identities.layers[1:]
    )
    assert [(each.field, each.key) for each in comparison.config] == [("env", "B"), ("env", "C")]


def test_only_what_is_dead_anew_is_new() -> None:
    twice = reported(BASE, layer(file("/etc/conf", b"abcd")))
    thrice = reported(BASE, layer(file("/etc/conf", b"abcd")), layer(file("/etc/conf", b"ab")))
    (dead,) = new_dead(image_report(thrice, twice, None))
    assert (dead.before, dead.after, dead.layers) == (3, 7, (0, 1))
    assert new_dead(image_report(twice, twice, None)) == []


def test_layers_that_are_gone() -> None:
    comparison = image_report(reported(BASE), OLD, None).comparison
    assert comparison is not None
    assert [each.number for each in removed_layers(comparison)] == [1]


def test_findings_that_the_baseline_has_too_are_not_new() -> None:
    report = image_report(NEW, OLD, None)
    found = {(row.finding.kind.value, row.new) for row in report.findings}
    assert ("apt-lists", True) in found
    again = image_report(NEW, NEW, None)
    assert again.findings
    assert not any(row.new for row in again.findings)


def test_secrets_come_first() -> None:
    leaking = reported(
        layer(file("/var/lib/apt/lists/x", b"z" * 900), file("/root/.ssh/id_rsa", b"-----BEGIN"))
    )
    first, *_ = image_report(leaking, None, None).findings
    assert first.finding.kind.value == "secret-file"


def test_changes_are_added_up_and_the_largest_kept() -> None:
    (only,) = built(
        layer(*[file(f"/{number}", b"x" * number) for number in range(20)], directory("/d"))
    )
    found = tallied(layer_changes(EMPTY_TREE, only.tree), 5)
    assert [change.path for change in found.largest] == ["/19", "/18", "/17", "/16", "/15"]
    assert found.grown == found.largest
    assert (found.grown_paths, found.shrunk_paths) == (19, 0)
    assert found.shrunk == ()
    assert (found.statistics.added, found.statistics.added_bytes) == (21, sum(range(20)))
    gone = tallied(layer_changes(only.tree, EMPTY_TREE), 2)
    assert [change.path for change in gone.shrunk] == ["/19", "/18"]


def test_an_image_without_layers() -> None:
    report: ImageReport = image_report(reported(), OLD, None)
    assert (report.sizes.files, report.layers, report.dead) == (0, (), ())
    assert {row.path for row in report.directories} == {"/etc", "/usr", "/srv"}
