import re

import pytest
from analysis.reported_images import reported
from image_builder import BuiltLayer, file, layer, whiteout

from layerlens.analysis.image_report import image_report
from layerlens.report.bounded_markdown import BoundedMarkdown
from layerlens.report.report_markdown import LIMIT, report_markdown

from .judgements import ALL_SORTS, HOSTILE

BASE = layer(file("/etc/conf", b"abc"), file("/usr/lib/big", b"x" * 50), created_by="ADD base")


def hostile_layers(count: int, files: int, name: str) -> list[BuiltLayer]:
    """Layers that write the same files again and again, under names as long as may be."""
    return [
        layer(
            *[file(f"/{name}{n}/{name * 3}/{n}", bytes([number]) * (n + 9)) for n in range(files)],
            created_by=f"RUN {number} {name * 20}",
        )
        for number in range(count)
    ]


def test_the_sections_of_a_comparison() -> None:
    old = reported(BASE, layer(file("/srv/app", b"y" * 20), created_by="COPY app"), name="old.tar")
    new = reported(
        BASE,
        layer(file("/srv/app", b"y" * 2000), created_by="COPY app"),
        layer(whiteout("/usr/lib/big"), created_by="RUN rm"),
        name="new.tar",
    )
    text = report_markdown(image_report(new, old, ALL_SORTS))
    headings = re.findall(r"^#+ .*$", text, re.MULTILINE)
    assert headings[0].startswith("## `new.tar`: 10.2 kB → 15.4 kB compressed, +5.1 kB (+50.0 %)")
    assert headings[1:] == [
        "### Rules",
        "### What grew most",
        "### What shrank most",
        "### By top-level directory",
        "### Layers",
        "### New dead bytes: 50 B",
        "### Findings",
    ]
    assert "| Files in all layers | 73 B | 2.1 kB | +2.0 kB (+2,712.3 %) |" in text
    assert "| Layers | 2 | 3 | +1 |" in text
    assert "Compared with `old.tar`. Paths: 1 changed, 1 removed." in text
    assert "The same as before: 0." in text
    assert "| 1 | rebuilt | `COPY app` | 2.0 kB |" in text
    assert "| `/usr/lib/big` | +50 B | 0 | 2 |" in text
    assert "**FAIL: 3 of 6 rules failed, 2 skipped**" in text


def test_a_report_on_one_image_compares_nothing() -> None:
    text = report_markdown(image_report(reported(BASE), None, None))
    assert text.startswith("## `image`: 5.1 kB compressed\n\n|  | Bytes |\n")
    assert "### Rules" not in text
    assert "grew" not in text
    assert "| 0 |  | `ADD base` | 53 B | 5.1 kB |  |" in text


def test_nothing_changed() -> None:
    image = reported(BASE)
    text = report_markdown(image_report(image, image, None))
    assert "No path differs." in text
    assert "### What grew most" not in text
    assert "Pulling it where that image is: 0 B of 5.1 kB, 100.0 % is there already." in text


@pytest.mark.parametrize("name", ["x" * 30, "`|\\" * 10, "\u0301" * 30, "\U0001f600" * 20])
def test_it_stays_under_its_limit_whatever_the_image(name: str) -> None:
    old = reported(*hostile_layers(3, 40, name), name=name * 200)
    new = reported(*hostile_layers(30, 40, name), name=name * 200)
    lengths = []
    for report in (image_report(new, old, ALL_SORTS), image_report(new, None, None)):
        text = report_markdown(report)
        assert len(text) < LIMIT
        assert text.count("<details>") == text.count("</details>")
        last = text.rstrip().splitlines()[-1]
        if "Cut to stay" in text:
            assert last.startswith("*Cut to stay under 60,000 characters: ")
            assert re.search(r"rows of '|the changes of \d+ layers", last)
        else:
            assert text.count("<summary>Layer ") >= 27  # three are the same as before
        lengths.append(len(text))
    assert max(lengths) > LIMIT // 2


def is_row(line: str) -> bool:
    return line.startswith("| ")


def test_hostile_names_make_no_markup() -> None:
    clean = HOSTILE.replace("\ud800", "")  # no tar can hold it
    old = reported(*hostile_layers(2, 3, "a"), name=HOSTILE)
    new = reported(
        *hostile_layers(2, 3, "a"),
        layer(file(f"/{clean}", b"x" * 700), created_by=f"RUN {HOSTILE}"),
        env=(f"{HOSTILE}=1",),
        name=HOSTILE,
    )
    text = report_markdown(image_report(new, old, ALL_SORTS))
    assert not set(text) & {"\x1b", "\r", "\u202e", "\ud800"}
    assert "<b>" not in text
    assert "<!--@" not in text
    assert "@me" not in text.replace("<!-- -->&#64;me", "").replace("<code>&#64;</code>me", "")
    widths: list[int] = []
    for line, following in zip(text.splitlines(), [*text.splitlines()[1:], ""], strict=True):
        if is_row(line):
            widths.append(line.count("|"))
            if not is_row(following):
                assert len(set(widths)) == 1, widths
                widths.clear()


def test_a_table_that_does_not_fit_is_cut_with_a_note() -> None:
    document = BoundedMarkdown(2400)
    document.add("begin")
    rows = [(f"row {number}", "x" * 20) for number in range(100)]
    document.add_table("things", ("A", "B"), rows, most=50)
    text = document.text()
    assert len(text) <= 2400
    shown = text.count("| row ")
    assert 5 < shown < 50
    assert f"… and {100 - shown} more." in text
    assert text.endswith(f"*Cut to stay under 2,400 characters: {100 - shown} rows of 'things'.*\n")


def test_a_table_of_which_nothing_fits_is_left_out() -> None:
    document = BoundedMarkdown(1600)
    document.add_table("wide", ("A",), [("x" * 500,)], most=50)
    assert document.text() == "\n*Cut to stay under 1,600 characters: all 1 rows of 'wide'.*\n"


def test_rows_beyond_what_is_shown_are_counted_without_a_cut() -> None:
    document = BoundedMarkdown(10_000)
    document.add_table("t", ("A",), [("1",), ("2",), ("3",)], most=2, total=9)
    assert document.text() == "\n| A |\n| --- |\n| 1 |\n| 2 |\n\n… and 7 more.\n"
