from pathlib import Path

import pytest
from audit.recorded import HOST, digest

from layerlens.oci.digest import chain_ids
from layerlens.report.audit_holders import HOLDERS_HEADER

from .audit_running import DB, audit_runner, demo_in, document_of, table_of
from .demo_registry import (
    APP,
    EMPTY,
    NEW_PACKAGES,
    OLD_PACKAGES,
    OS,
    RECOMPRESSED,
    WEB,
    WHEELS,
)
from .golden import assert_golden
from .running import Run

HOLDERS = ("audit", "holders")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    demo_in(tmp_path)
    return audit_runner(monkeypatch, capfdbinary, tmp_path)


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("audit-holders.txt", [str(OS.diff_id)]),
        ("audit-holders.json", [str(RECOMPRESSED.digest), "--json"]),
        ("audit-holders.csv", [str(WHEELS.diff_id), "--csv"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run(*HOLDERS, *DB, *words)
    assert ran.status == 0, ran.err
    assert_golden(golden, ran.out)


def holders_of(run: Run, asked: object) -> dict[str, set[str]]:
    """The tags that hold a digest, by what it is."""
    return {
        meaning.string("by"): {
            f"{each.string('repository')}:{each.string('tag')}"
            for each in meaning.objects("holders")
        }
        for meaning in document_of(run, *HOLDERS, str(asked)).objects("meanings")
    }


APPS = {"team/app:1.0", "team/app:1.1", "team/app:1.2", "team/app:latest"}


def test_every_identity_has_its_own_holders(run: Run) -> None:
    assert holders_of(run, WHEELS.digest) == {"blob_digest": APPS}
    assert holders_of(run, RECOMPRESSED.digest) == {"blob_digest": {"team/batch:nightly"}}
    assert holders_of(run, WHEELS.diff_id) == {"diff_id": {*APPS, "team/batch:nightly"}}
    # The lowest layer's DiffID is its ChainID.
    everywhere = {*APPS, "team/batch:nightly", "base/debian:12", "web:2"}
    assert holders_of(run, OS.diff_id) == {"diff_id": everywhere, "chain_id": everywhere}


def test_a_chain_id_is_of_the_layer_and_all_below(run: Run) -> None:
    def chain(*layers: object) -> str:
        diff_ids = [each.diff_id for each in (OS, OLD_PACKAGES, EMPTY) if each in layers]
        return str(chain_ids([each for each in diff_ids if each is not None])[-1])

    assert holders_of(run, chain(OS, OLD_PACKAGES)) == {"chain_id": {*APPS, "team/batch:nightly"}}


def test_a_config_is_a_blob_too(run: Run) -> None:
    assert APP[0].config is not None
    (meaning,) = document_of(run, *HOLDERS, str(APP[0].config.digest)).objects("meanings")
    (holder,) = meaning.objects("holders")
    assert holder.string("tag") == "1.0"
    assert holder.optional_integer("layer") is None
    assert "config" in run(*HOLDERS, *DB, str(APP[0].config.digest)).text()


def test_the_first_digits_are_enough(run: Run) -> None:
    whole = run(*HOLDERS, *DB, str(WHEELS.digest)).text()
    for digits in (9, 12, 13, 64):
        start = WHEELS.digest.hex[:digits]
        for asked in (start, start.upper(), f"sha256:{start}"):
            assert run(*HOLDERS, *DB, asked).text() == whole


def test_what_no_tag_leads_to_any_more_holds_nothing(run: Run) -> None:
    code = digest("blob code app 0")
    assert holders_of(run, code) == {"blob_digest": {"team/app:1.0"}}
    gone = run("audit", "holders", *DB, str(digest("config base 1"))).text()
    assert "held by nothing that a tag leads to" in gone


def test_an_image_of_an_index_is_held_by_its_tag(run: Run) -> None:
    rows = table_of(run, *HOLDERS, str(WEB.layers[-1].digest))
    assert tuple(rows[0]) == HOLDERS_HEADER
    assert [(row["tag"], row["platform"], row["layer"]) for row in rows] == [
        ("2", "linux/amd64", "4"),
        ("2", "linux/arm64", "1"),
    ]


def test_table_csv_and_json_agree(run: Run) -> None:
    rows = table_of(run, *HOLDERS, str(NEW_PACKAGES.digest))
    (meaning,) = document_of(run, *HOLDERS, str(NEW_PACKAGES.digest)).objects("meanings")
    found = meaning.objects("holders")
    assert [row["manifest_digest"] for row in rows] == [
        each.string("manifest_digest") for each in found
    ]
    shown = run(*HOLDERS, *DB, str(NEW_PACKAGES.digest), "--bytes").text().splitlines()[4:]
    assert [line.split()[:4] for line in shown] == [
        [f"{row['repository']}:{row['tag']}", row["platform"], row["layer"], row["size"]]
        for row in rows
    ]


def test_top_shortens_the_list_and_says_so(run: Run) -> None:
    assert "… and 3 more" in run(*HOLDERS, *DB, str(WHEELS.digest), "--top", "1").text()
    assert len(table_of(run, *HOLDERS, str(WHEELS.digest), "--top", "2")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["latest"], "'latest' is not a digest"),
        (["sha256:"], "is not a digest"),
        (["f" * 129], "is not a digest"),
        (["f" * 64], "no blob, DiffID or ChainID in the catalogue starts so"),
        (["f" * 128], "no blob, DiffID or ChainID in the catalogue starts so"),
        (["0"], "several digests start so: sha256:0"),
        (["0", "--top", "0"], "--top: the number must be 1 or more"),
        (["0", "--registry", "other.example.com"], "nothing of other.example.com"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run(*HOLDERS, *DB, *words)
    assert ran.status == 2
    assert ran.out == b""
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: ")
    assert message in line


def test_the_registry_can_be_named(run: Run) -> None:
    words = (*HOLDERS, *DB, str(WHEELS.digest))
    assert run(*words, "--registry", HOST).text() == run(*words).text()
