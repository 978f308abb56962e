"""The HTML report in a browser: that it loads nothing, and that its treemap can be walked."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from analysis.reported_images import reported
from chromium import Browser, Page, open_browser, open_page
from image_builder import BuiltLayer, file, layer, whiteout

from layerlens.analysis.image_report import ImageReport, image_report
from layerlens.cli.main import main
from layerlens.report.report_html import report_html

from .judgements import ALL_SORTS, HOSTILE

FIXTURES = Path(__file__).parents[2] / "fixtures"
HIDDEN = HOSTILE.replace("\ud800", "").replace("/", "")

TILES = "[...document.querySelectorAll('#map > .tile')]"
LABELS = f"{TILES}.map(tile => tile.getAttribute('aria-label'))"
CRUMBS = "document.getElementById('crumbs').textContent.replaceAll('\\u203a', ' > ')"


def layers() -> list[BuiltLayer]:
    return [
        layer(
            file("/usr/lib/big", b"x" * 5000),
            file("/usr/lib/deep/er/file", b"x" * 3000),
            file("/usr/bin/tool", b"x" * 2000),
            file("/etc/conf", b"x" * 1500),
            file("/top", b"x" * 500),
            created_by="ADD base",
        ),
        layer(
            file(f"/etc/<img src=x onerror=alert(1)>{HIDDEN}", b"x" * 800),
            whiteout("/usr/bin/tool"),
            created_by="RUN <script>alert(2)</script>",
        ),
    ]


def report() -> ImageReport:
    old = reported(layers()[0], name="old.tar")
    return image_report(reported(*layers(), name=f"new {HIDDEN}"), old, ALL_SORTS)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    with path.open("w", encoding="utf-8", newline="\n") as page:
        page.writelines(report_html(report()))
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with open_page(browser) as opened:
        opened.load(address)
        opened.wait_for(f"{TILES}.length")
        yield opened
        assert opened.complaints() == []


def test_it_loads_nothing_but_itself(page: Page, address: str) -> None:
    assert set(page.requests()) == {address}
    assert page.value("performance.getEntriesByType('resource').length") == 0


def test_the_policy_stops_what_is_not_the_pages_own(page: Page) -> None:
    page.value(
        "(() => { const script = document.createElement('script');"
        " script.textContent = 'window.foreign = true'; document.body.append(script);"
        " const image = new Image(); image.src = 'https://layerlens.invalid/x.png';"
        " document.body.append(image); })()"
    )
    assert page.value("window.foreign === undefined") is True
    page.wait_for("true")
    blocked = [text for text in page.complaints() if "Content Security Policy" in text]
    assert len(blocked) == 2
    page._browser.events.clear()


def test_tiles_fill_the_map_by_their_bytes(page: Page) -> None:
    assert page.value(LABELS) == [
        "usr, directory, 8.0 kB, 74.1 %, 2 files",
        "etc, directory, 2.3 kB, 21.3 %, 2 files",
        "top, file, 500 B, 4.6 %",
    ]
    areas = f"{TILES}.map(tile => parseFloat(tile.style.width) * parseFloat(tile.style.height))"
    whole = page.number("document.getElementById('map').clientWidth")
    whole *= page.number("document.getElementById('map').clientHeight")
    found = page.value(areas)
    assert isinstance(found, list)
    shares = [area / whole for area in found if isinstance(area, int | float)]
    assert shares == pytest.approx([8000 / 10800, 2300 / 10800, 500 / 10800], rel=0.01)


def test_a_tile_is_clicked_into_and_crumbs_lead_back(page: Page) -> None:
    page.value(f"{TILES}[0].click()")
    page.wait_for("location.hash === '#d.0'")
    page.wait_for(f"{CRUMBS} === '/ > usr (8.0 kB)'")
    assert page.value(LABELS) == ["lib, directory, 8.0 kB, 100.0 %, 2 files"]
    page.value(f"{TILES}[0].click()")
    page.wait_for(f"{CRUMBS}.startsWith('/ > usr > lib')")
    page.value("document.querySelector('#crumbs button').click()")
    page.wait_for(f"{CRUMBS} === '/ (10.8 kB)'")
    page.value("history.back()")
    page.wait_for(f"{CRUMBS}.startsWith('/ > usr > lib')")


def test_it_is_walked_with_the_keyboard(page: Page) -> None:
    page.value(f"{TILES}[0].focus()")
    assert page.text("document.getElementById('about').textContent").startswith("usr, directory")
    page.press("ArrowRight", 39)
    page.press("Enter", 13)
    page.wait_for(f"{CRUMBS}.startsWith('/ > etc')")
    assert page.value("document.activeElement.classList.contains('tile')") is True
    page.press("Escape", 27)
    page.wait_for(f"{CRUMBS} === '/ (10.8 kB)'")
    assert page.text("document.activeElement.getAttribute('aria-label')").startswith("etc,")
    page.press("ArrowLeft", 37)
    assert page.text("document.activeElement.getAttribute('aria-label')").startswith("usr,")
    tabbable = f"{TILES}.every(tile => tile.tabIndex === 0 && tile.tagName === 'BUTTON')"
    assert page.value(tabbable) is True


def test_layers_show_what_is_dead_in_them(page: Page) -> None:
    page.value("document.querySelector('[data-mode=l]').click()")
    page.wait_for("location.hash === '#l'")
    page.wait_for(f"{CRUMBS}.startsWith('all layers')")
    labels = page.value(LABELS)
    assert isinstance(labels, list)
    assert labels[0] == "0 ADD base, layer, 12.0 kB, 93.8 %, 5 files, 2.0 kB dead"
    assert page.number("document.querySelectorAll('#map .dead').length") == 1
    rows = "[...document.querySelectorAll('#list tr')].map(row => row.lastChild.textContent)"
    assert page.value(rows) == ["2.0 kB", ""]


def test_an_address_leads_into_the_map(browser: Browser, address: str) -> None:
    for fragment, crumbs in (
        ("#d.0.0", "/ > usr > lib (8.0 kB)"),
        ("#l.0", "all layers > 0 ADD base (12.0 kB)"),
        ("#d.99.x", "/ (10.8 kB)"),
        ("#constructor.0", "/ (10.8 kB)"),
        ("#%00<script>", "/ (10.8 kB)"),
    ):
        with open_page(browser) as page:
            page.load(address + fragment)
            page.wait_for(f"{TILES}.length")
            assert page.text(CRUMBS) == crumbs
            assert page.complaints() == []


def test_hostile_names_are_text(page: Page) -> None:
    assert page.number("document.querySelectorAll('img, iframe, object, b.x').length") == 0
    assert page.number("document.scripts.length") == 2
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    shown = page.text("document.body.innerText")
    assert "<img src=x onerror=alert(1)>\\x1b[31m`|*_<b>&amp;" in shown
    assert "RUN <script>alert(2)</script>" in shown
    assert not set(shown) & {"\x1b", "\r", "\u202e"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(scheme: str, browser: Browser, address: str) -> None:
    contrast = """(() => {
      const parse = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
      const light = (rgb) => {
        const [r, g, b] = rgb.map((part) => { const c = part / 255;
          return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (one, two) => { const [a, b] = [light(one), light(two)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05); };
      const style = (selector) => getComputedStyle(document.querySelector(selector));
      const page = parse(style('body').backgroundColor);
      const kinds = ['body', '.faint', '.bad', 'summary .size', 'th'];
      const texts = kinds.map((kind) => ratio(parse(style(kind).color), page));
      const tiles = [...document.querySelectorAll('#map > .tile')].map((tile) => ratio(
        parse(getComputedStyle(tile).color), parse(getComputedStyle(tile).backgroundColor)));
      return [light(page), Math.min(...texts, ...tiles)];
    })()"""
    with open_page(browser, scheme=scheme) as page:
        page.load(address)
        page.wait_for(f"{TILES}.length")
        found = page.value(contrast)
        assert isinstance(found, list)
        background, least = found
        assert isinstance(background, int | float)
        assert isinstance(least, int | float)
        assert (background > 0.5) == (scheme == "light")
        assert least >= 4.5  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("width", [340, 800, 1600])
def test_no_page_is_wider_than_its_window(width: int, browser: Browser, address: str) -> None:
    with open_page(browser, width=width) as page:
        page.load(address)
        page.wait_for(f"{TILES}.length")
        page.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert page.number("document.documentElement.scrollWidth") <= width
        right = f"Math.max(...{TILES}.map(tile => tile.getBoundingClientRect().right))"
        assert page.number(right) <= width


def test_the_map_is_drawn_anew_in_another_size(page: Page) -> None:
    before = page.number(f"parseFloat({TILES}[0].style.width)")
    page.ask(
        "Emulation.setDeviceMetricsOverride",
        width=500,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )
    page.wait_for(f"parseFloat({TILES}[0].style.width) < {before}")


@pytest.mark.parametrize("words", [["tour-docker.tar", "odd.tar"], ["rootfs.tar"]])
def test_pages_of_real_images(words: list[str], browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    images = [str(FIXTURES / word) for word in words]
    assert main(["report", *images, "--html", str(path), "--no-config"]) == 0
    with open_page(browser) as opened:
        for fragment in ("#d", "#l.0"):
            opened.load(path.as_uri() + fragment)
            opened.wait_for(f"{TILES}.length")
        assert opened.complaints() == []
        assert set(opened.requests()) == {path.as_uri()}


def test_an_image_without_bytes_says_so(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    with path.open("w", encoding="utf-8", newline="\n") as page:
        page.writelines(report_html(image_report(reported(layer(file("/empty"))), None, None)))
    with open_page(browser) as opened:
        opened.load(path.as_uri())
        opened.wait_for("document.getElementById('map').textContent === 'No bytes here.'")
        assert opened.complaints() == []


def test_a_page_of_a_large_image_stays_small(browser: Browser, tmp_path: Path) -> None:
    many = [
        layer(
            *[file(f"/d{n % 97}/e{n % 31}/file-{part}-{n}", b"x" * (n % 50)) for n in range(1500)]
        )
        for part in range(3)
    ]
    path = tmp_path / "large.html"
    with path.open("w", encoding="utf-8", newline="\n") as page:
        page.writelines(report_html(image_report(reported(*many), None, None)))
    assert os.path.getsize(path) < 2_000_000
    with open_page(browser) as opened:
        opened.load(path.as_uri())
        opened.wait_for(f"{TILES}.length")
        labels = opened.value(LABELS)
        assert isinstance(labels, list)
        assert 90 < len(labels) <= 101
        assert opened.complaints() == []
