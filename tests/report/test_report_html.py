"""The HTML report as text: what it is made of, without a browser."""

import base64
import json
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from analysis.reported_images import reported
from image_builder import BuiltLayer, file, layer, whiteout

from layerlens.analysis.image_report import image_report
from layerlens.oci.json_document import JsonValue
from layerlens.report.report_html import report_html

from .judgements import ALL_SORTS, HOSTILE

NAME = HOSTILE.replace("\ud800", "").replace("/", "")
VOID = {"meta", "br"}
ELEMENTS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "p",
        "ul",
        "li",
        "span",
        "section",
        "div",
        "nav",
        "button",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "bdi",
        "b",
        "script",
        "noscript",
    ]
)
ATTRIBUTES = frozenset(  # none that loads anything, and none that a policy would have to allow
    [
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "id",
        "class",
        "hidden",
        "type",
        "data-mode",
        "aria-pressed",
        "aria-label",
        "aria-live",
        "role",
        "scope",
    ]
)


@dataclass
class Parsed(HTMLParser):
    """A page taken apart; AssertionError for elements that do not nest or were not expected."""

    open: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    metas: dict[str, str] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS, tag
        assert {name for name, _ in attrs} <= ATTRIBUTES, attrs
        self.seen.add(tag)
        if tag == "meta":
            values = dict(attrs)
            key = values.get("http-equiv") or values.get("name") or "charset"
            self.metas[key] = values.get("content") or values.get("charset") or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag]


def page_of(*layers: BuiltLayer, name: str = "image", rules: bool = False) -> str:
    old = reported(layer(file("/a", b"x")), name=name)
    new = reported(*layers, env=(f"{NAME}=1",), name=name)
    return "".join(report_html(image_report(new, old, ALL_SORTS if rules else None)))


def parsed(page: str) -> Parsed:
    parser = Parsed()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


SOME = (
    layer(file("/usr/a", b"x" * 900), file("/b", b"y" * 100), created_by="ADD x"),
    layer(whiteout("/b"), file("/usr/c", b"z" * 50), created_by="RUN y"),
)


@pytest.mark.parametrize("name", ["image.tar", NAME])
def test_it_is_made_of_known_elements_alone(name: str) -> None:
    hostile = layer(file(f"/{NAME}/{NAME}", b"k"), created_by=f"RUN {NAME}")
    page = page_of(*SOME, hostile, name=name, rules=True)
    parser = parsed(page)
    assert {"script", "style", "table", "details"} <= parser.seen
    assert not set(page) & {"\x1b", "\r", "\u202e", "\udcff"}
    assert "@import" not in page
    assert "url(" not in page


def test_the_policy_knows_its_own_script_and_style_and_nothing_else() -> None:
    parser = parsed(page_of(*SOME))
    policy = dict(
        part.strip().split(" ", 1) for part in parser.metas["Content-Security-Policy"].split(";")
    )
    (style,) = parser.of("style")
    data, script = parser.of("script")
    assert policy == {
        "default-src": "'none'",
        "script-src": digest_source(script),
        "style-src": digest_source(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert json.loads(data)["directories"]
    assert parser.metas["referrer"] == "no-referrer"


def digest_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def test_the_data_are_the_two_trees() -> None:
    data, _ = parsed(page_of(*SOME)).of("script")
    trees: dict[str, JsonValue] = json.loads(data)
    assert trees["directories"] == [
        "/",
        950,
        0,
        2,
        [["usr", 950, 0, 2, [["a", 900, 0, 1, 0], ["c", 50, 0, 1, 0]]]],
    ]
    assert trees["layers"] == [
        "layers",
        1050,
        100,
        3,
        [
            [
                "0 ADD x",
                1000,
                100,
                2,
                [["usr", 900, 0, 1, [["a", 900, 0, 1, 0]]], ["b", 100, 100, 1, 0]],
            ],
            ["1 RUN y", 50, 0, 1, [["usr", 50, 0, 1, [["c", 50, 0, 1, 0]]]]],
        ],
    ]


def test_no_name_ends_the_data() -> None:
    nasty = "</script><script>alert(1)</script><!--"
    page = page_of(layer(file(f"/{nasty.replace('/', chr(0x2215))}", b"x"), created_by=nasty))
    parser = parsed(page)
    assert len(parser.of("script")) == 2
    assert page.count("<script") == 2
    assert nasty in json.loads(parser.of("script")[0])["layers"][4][0][0]


def test_what_can_be_read_without_the_script() -> None:
    words = " ".join(text for _, text in parsed(page_of(*SOME, rules=True)).texts)
    for expected in (
        "FAIL: 3 of 6 rules failed, 2 skipped",
        "What grew most",
        "By top-level directory",
        "New dead bytes: 100 B",
        "Pulling it where that image is",
        "ADD x",
        "/usr/a",
        "3 added, 1 removed.",
    ):
        assert expected in words


def test_a_deep_path_is_no_recursion() -> None:
    path = "/a" * 290
    parsed(page_of(layer(file(f"{path}/b", b"x"))))


def test_many_layers_and_changes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerlens.report.html_sections._LAYERS", 5)
    monkeypatch.setattr("layerlens.report.html_sections._CHANGE_ROWS", 30)
    many = [layer(*[file(f"/{n}/{m}", b"x" * (m + 1)) for m in range(20)]) for n in range(9)]
    page = page_of(*many)
    assert page.count("<summary>") == 5 + 1  # layers, and the map's list
    assert "… and 4 more layers." in page
    assert page.count("<td>A</td><td>") == 30 + 20 + 1  # layers; what grew; a variable
    parsed(page)
