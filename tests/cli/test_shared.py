import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from layerlens.analysis.sharing_files import FileTally
from layerlens.analysis.sharing_findings import SharingFindings, sharing_findings
from layerlens.cli.image_options import cache_for_several
from layerlens.cli.output import open_output
from layerlens.cli.shared_images import ImageReader, read_images
from layerlens.layer.read_layer import Expected, LayerReading, read_layer
from layerlens.loading import LoadSettings
from layerlens.oci.json_fields import JsonObject, parse_object
from layerlens.report.colour import PLAIN
from layerlens.report.safe_text import cells
from layerlens.report.shared_csv import CSV_TABLES
from layerlens.report.shared_text import shared_lines
from layerlens.report.sizes import human_size
from layerlens.report.table_style import TableStyle
from layerlens.streams.limits import Limits

from .golden import ROOT, assert_golden
from .running import Run, runner
from .small_images import docker_archive, file, oci_layout, tar

DEMO = ["fixtures/demo.tar", "fixtures/demo-2.tar"]
TOUR = ["fixtures/tour-docker.tar", "fixtures/tour-oci.tar", "fixtures/tour-zstd.tar"]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capfdbinary, str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("shared-demo.txt", [*DEMO, "--files"]),
        ("shared-demo.json", [*DEMO, "--files", "--top", "3", "--json"]),
        ("shared-demo-layers.csv", [*DEMO, "--csv"]),
        ("shared-tour.txt", TOUR),
        ("shared-tour-blobs.txt", [*TOUR[1:], "--bytes", "--top", "2"]),
        ("shared-tour-pulls.csv", [*TOUR, "--csv", "--table", "pulls"]),
        ("shared-two-images.txt", ["fixtures/two-images.tar", "--files"]),
    ],
)
def test_it_says_what_it_said_before(golden: str, words: list[str], run: Run) -> None:
    ran = run("shared", *words)
    assert ran.status == 0, ran.err
    assert_golden(golden, ran.out)


@pytest.mark.parametrize("width", [80, 160])
def test_it_fits_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    style = TableStyle(format_size=human_size, palette=PLAIN, width=width, top=5)
    text = "".join(shared_lines(findings_of([*DEMO, *TOUR]), style))
    assert max(map(cells, text.splitlines())) <= width
    assert_golden(f"shared-all-{width}.txt", text.encode())


def findings_of(names: Sequence[str]) -> SharingFindings:
    """What images share, files included."""
    tally = FileTally()
    with open_output(None) as output, cache_for_several(keep=False) as cache:
        settings = LoadSettings(cache=cache)
        reader = ImageReader(output=output, settings=settings, platform=None, tally=tally)
        return sharing_findings(read_images(names, reader), None, tally, 5)


def document_of(run: Run, *words: str) -> JsonObject:
    text = run("shared", *words, "--json").text()
    assert text.startswith('{\n  "schema_version": 1,\n')
    return parse_object(text.encode(), "shared --json", limit=1 << 24)


def sharing_by(document: JsonObject, by: str, unit: str) -> JsonObject:
    (found,) = (
        each
        for each in document.objects("sharing")
        if (each.string("by"), each.string("unit")) == (by, unit)
    )
    return found


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("names", [DEMO, TOUR, ["fixtures/two-images.tar"], [*DEMO, *TOUR]])
def test_amortised_bytes_sum_up_to_what_is_stored(names: list[str], run: Run) -> None:
    for measure in document_of(run, *names).objects("sharing"):
        images = measure.objects("images")
        assert sum(image.integer("amortised") for image in images) == measure.integer("stored")
        assert sum(image.integer("own") for image in images) == measure.integer("logical")
        for image in images:
            parts = image.integer("exclusive") + image.integer("shared")
            assert parts == image.integer("own")


def test_one_content_compressed_differently_is_shared_by_diff_id_alone(run: Run) -> None:
    document = document_of(run, *TOUR[1:])
    by_blob = sharing_by(document, "blob_digest", "compressed")
    once = sharing_by(document, "diff_id", "compressed")
    assert by_blob.objects("shared_layers") == ()
    assert by_blob.integer("saved") == 0
    assert len(once.objects("shared_layers")) == 6  # and the empty one
    gap = by_blob.integer("stored") - once.integer("stored")
    told = sum(layer.integer("excess") for layer in document.objects("recompressed_layers"))
    assert gap == told == 5479


def test_images_of_one_config_are_told(run: Run) -> None:
    (duplicate,) = document_of(run, *DEMO, *TOUR).objects("duplicates")
    assert duplicate.string("config_digest").startswith("sha256:a75da658016b4")
    assert "Images 0-2 are one and the same" in run("shared", *TOUR).text()


def test_the_layers_of_a_docker_archive_have_no_blob_digest(run: Run) -> None:
    document = document_of(run, "fixtures/two-images.tar")
    by_blob = sharing_by(document, "blob_digest", "compressed")
    assert (by_blob.integer("left_out"), by_blob.integer("distinct_layers")) == (6, 0)
    for image in document.objects("images"):
        assert image.optional_integer("compressed_size") is None
        assert image.integer("uncompressed_size") == 7680
    for pull in document.objects("pulls"):
        assert pull.integer("bytes") == 0
    (whole, _, missing, _) = document.objects("pulls")
    assert (whole.integer("uncompressed_bytes"), missing.integer("by_diff_id")) == (7680, 2)
    text = run("shared", "fixtures/two-images.tar", "--by", "blob").text()
    assert "6 layers without a blob digest or without known compressed bytes: left out" in text


def test_the_same_content_on_other_layers_is_not_one_on_a_disk(run: Run) -> None:
    document = document_of(run, "fixtures/two-images.tar")
    by_diff_id = sharing_by(document, "diff_id", "uncompressed")
    by_chain_id = sharing_by(document, "chain_id", "uncompressed")
    assert len(by_diff_id.objects("shared_layers")) == 2
    assert len(by_chain_id.objects("shared_layers")) == 1


def test_a_path_of_several_images_stands_for_all_of_them(run: Run, tmp_path: Path) -> None:
    both = "fixtures/two-images.tar"
    all_of_it = run("shared", both, "--csv").text()
    assert len(rows_of(all_of_it)) == 3
    assert run("shared", f"{both}:@0", f"{both}:@1", "--csv").text() == all_of_it
    assert run("shared", f"{both}:hello:1.0", f"{both}:hej:1.0", "--csv").text() == all_of_it
    wrapped = tmp_path / "both.tar.gz"
    wrapped.write_bytes(gzip.compress((ROOT / both).read_bytes()))
    assert run("shared", str(wrapped), "--csv").text() == all_of_it


def test_images_of_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with (ROOT / "fixtures/two-images.tar").open() as archive:
        monkeypatch.setattr("sys.stdin", archive)
        text = run("shared", "-", "--csv", "--table", "images").text()
    assert [row[1:3] for row in rows_of(text)[1:]] == [
        ["-:@0", "localhost/hello:1.0"],
        ["-:@1", "localhost/hej:1.0"],
    ]


def test_a_platform_is_chosen_for_every_image(run: Run) -> None:
    words = ["fixtures/platforms.tar", "fixtures/two-images.tar:@0", "--platform"]
    document = document_of(run, *words, "linux/amd64")
    platforms = [image.object("title").string("platform") for image in document.objects("images")]
    assert platforms == ["linux/amd64"] * 2
    assert "has no image for linux/arm64" in run("shared", *words, "linux/arm64").err


def test_a_base_image_is_told(run: Run, tmp_path: Path) -> None:
    lower, upper = tar(file("a", b"x")), tar(file("b", b"y"))
    base = str(docker_archive(tmp_path / "base.tar", lower))
    app = str(oci_layout(tmp_path / "app", lower, upper))
    (relation,) = document_of(run, base, app).objects("base_images")
    numbers = [relation.integer(key) for key in ("image", "base", "layers")]
    assert numbers == [1, 0, 1]
    assert relation.boolean("nearest", default=False)
    line = run("shared", base, app).text().splitlines()[-1]
    assert line.split()[:6] == ["1", "0", "1", "of", "2", "yes"]
    assert line.endswith("base.tar (made:1.0)")
    assert "No image derives from another" in run("shared", *DEMO).text()


def test_the_table_and_csv_agree_cell_for_cell(run: Run) -> None:
    shown = run("shared", *DEMO, "--bytes").text().splitlines()
    start = next(at for at, line in enumerate(shown) if line.startswith("SAVED"))
    header, *rows = rows_of(run("shared", *DEMO, "--csv").text())
    for line, row in zip(shown[start + 1 :], rows, strict=False):
        fields = dict(zip(header, row, strict=True))
        expected = [fields["saved"], fields["size"], *fields["images"].replace(" ", ", ").split()]
        assert line.split()[:4] == expected
        assert fields["digest"].removeprefix("sha256:")[:12] in line
        assert line.endswith(fields["instruction"])
    assert shown[start + 1 + len(rows)] == ""


@pytest.mark.parametrize("table", CSV_TABLES)
def test_every_csv_table_has_its_columns(table: str, run: Run) -> None:
    ran = run("shared", *DEMO, *TOUR[1:], "--files", "--csv", "--table", table)
    header, *rows = rows_of(ran.text())
    assert tuple(header) == CSV_TABLES[table].header
    assert bool(rows) == (table != "bases")
    assert ran.out.count(b"\r\n") == ran.out.count(b"\n") == len(rows) + 1


def test_top_shortens_lists_and_says_so(run: Run) -> None:
    text = run("shared", *DEMO, "--files", "--top", "2").text()
    assert text.count("… and 3 more") == 1
    assert text.count("… and 23 more") == 1
    assert len(rows_of(run("shared", *DEMO, "--top", "2", "--csv").text())) == 3


def test_the_second_look_decodes_no_index(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("shared", *DEMO).text()
    run("shared", *DEMO)

    def unwanted(*_: object) -> None:
        raise AssertionError("a layer was listed again")

    monkeypatch.setattr("layerlens.index_cache.decode_reading", unwanted)
    monkeypatch.setattr("layerlens.layer.tar_entries.EntryReader.__iter__", unwanted)
    assert run("shared", *DEMO).text() == first


@pytest.mark.parametrize("more", [[], ["--no-cache"], ["--files", "--no-cache"]])
def test_a_layer_that_images_share_is_read_once(
    more: list[str], run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = run("shared", *DEMO, *more).text()
    read: list[str] = []

    def counted(
        chunks: Iterator[bytes], expected: Expected, *, where: str, limits: Limits, threads: int = 1
    ) -> LayerReading:
        read.append(str(expected.blob_digest))
        return read_layer(chunks, expected, where=where, limits=limits, threads=threads)

    monkeypatch.setattr("layerlens.layer_jobs.read_layer", counted)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another cache"))
    assert run("shared", *DEMO, *more).text() == expected
    assert len(read) == len(set(read)) == 14
    assert (tmp_path / "another cache").exists() == ("--no-cache" not in more)


def test_a_note_or_warning_of_a_shared_layer_is_said_once(run: Run) -> None:
    err = run("shared", *TOUR).err
    assert err.count("no end-of-archive marker") == 2
    assert "tour-docker.tar: layer 4" in err


def test_a_layer_that_is_no_tar_is_shared_by_its_blob(run: Run, tmp_path: Path) -> None:
    secret = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    layer = tar(file("a", b"x"))
    names = [
        str(oci_layout(tmp_path / name, layer, media_type=secret, annotations={"is": name}))
        for name in ("a", "b")
    ]
    ran = run("shared", *names, "--files", "--json")
    document = parse_object(ran.out, "shared")
    by_blob = sharing_by(document, "blob_digest", "compressed")
    assert (by_blob.integer("left_out"), len(by_blob.objects("shared_layers"))) == (0, 1)
    assert sharing_by(document, "diff_id", "uncompressed").integer("left_out") == 2
    assert document.object("files").integer("layers") == 0
    assert ran.err.count("no tar: its files are not counted") == 1


def test_hostile_text_reaches_no_terminal(run: Run, tmp_path: Path) -> None:
    history: dict[str, object] = {"history": [{"created_by": "RUN \x1b[31mred\r\n"}]}
    path = "evil\x1b]0;title\x07\n"
    layer = tar(file(path, b"1" * 5), file("b", b"1" * 5))
    names = [
        str(docker_archive(tmp_path / name, layer, config=history)) for name in ("a.tar", "b.tar")
    ]
    for form in ([], ["--csv"], ["--csv", "--table", "files"], ["--json"]):
        out = run("shared", *names, "--files", *form).text()
        assert "\x1b" not in out
        assert "\x07" not in out
        assert "red" in out or "evil" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fixtures/demo.tar"], "fixtures/demo.tar: holds one image, and sharing takes two"),
        ([*DEMO, "--table", "pulls"], "--table goes with --csv"),
        ([*DEMO, "--csv", "--table", "files"], "--table files goes with --files"),
        ([*DEMO, "--top", "0"], "--top: the number must be 1 or more"),
        (["-", "-"], "stdin can be read once"),
        ([*DEMO, "--csv", "--json"], "not allowed with argument --csv"),
        ([*DEMO, "--by", "name"], "invalid choice: 'name'"),
        (["fixtures/demo.tar", "nowhere.tar"], "nowhere.tar: no such file or directory"),
        (["fixtures/demo.tar", "fixtures/two-images.tar:@7"], "holds no image '@7'"),
        ([*DEMO, "--limit", "entries=3"], "entries"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], message: str, run: Run) -> None:
    ran = run("shared", *words)
    assert ran.status == 2
    assert ran.out == b""
    (line,) = ran.err.splitlines()
    assert line.startswith("layerlens: error: ")
    assert message in line
