"""JUnit XML, SARIF and GitHub's annotations: that each holds to what its readers expect."""

import json
import re
from datetime import UTC, datetime

import pytest

from layerlens.analysis.rules import Judgement, Status
from layerlens.report import check_junit, check_sarif
from layerlens.report.check_github import annotation_lines
from layerlens.report.check_junit import junit_text
from layerlens.report.check_sarif import sarif_text

from .judgements import ALL_SORTS, HOSTILE, place, verdict
from .junit_schema import checked_junit
from .sarif_schema import checked_sarif

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def junit(judgement: Judgement, image: str = "image.tar") -> str:
    return junit_text(judgement, image, NOW)


def sarif(judgement: Judgement, rules_file: str | None = None) -> str:
    return sarif_text(judgement, "dir/image.tar", version="1.2.3", rules_file=rules_file)


def test_junit_has_a_case_a_rule() -> None:
    suite = checked_junit(junit(ALL_SORTS)).find("testsuite")
    assert suite is not None
    assert suite.attrib["timestamp"] == "2024-05-06T07:08:09"
    cases = {case.attrib["name"]: case for case in suite.findall("testcase")}
    assert list(cases) == [verdict.rule.kind.name for verdict in ALL_SORTS.verdicts]
    assert list(cases["max-image-size"]) == []
    (failure,) = cases["max-layer-size"]
    assert failure.attrib["message"] == "12.3 MB, where the limit is at most 10.0 MB"
    assert failure.text == "layer 3 (1.5 kB, note of None)"
    (skipped,) = cases["lowest-efficiency"]
    assert skipped.attrib["message"] == "switched off"


@pytest.mark.parametrize("judgement", [ALL_SORTS, Judgement(verdicts=())])
def test_the_written_files_hold_to_their_schemas(judgement: Judgement) -> None:
    for text in (junit(judgement, HOSTILE), sarif(judgement), sarif(judgement, HOSTILE)):
        assert text.isascii()
        assert not set(text) & {"\x1b", "\r"}
    checked_junit(junit(judgement, HOSTILE))
    checked_sarif(sarif(judgement))
    checked_sarif(sarif(judgement, HOSTILE))


def test_hostile_names_are_text_in_junit() -> None:
    document = checked_junit(junit(ALL_SORTS, HOSTILE))
    (failure,) = (each for each in document.iter("failure") if "app/.env" in (each.text or ""))
    lines = (failure.text or "").splitlines()
    assert len(lines) == 3
    assert "\\x1b[31m`|*_<b>&amp;" in lines[1]
    assert "\\u202e\\ufffe]]>--><!--" in lines[1]


def test_a_result_a_place_in_sarif() -> None:
    run = checked_sarif(sarif(ALL_SORTS, "conf/layerlens.toml"))
    results = run.objects("results")
    assert [result.string("ruleId") for result in results] == [
        "max-layer-size",
        "min-live-share",
        *["forbidden-files"] * 3,
    ]
    uris = [
        result.objects("locations")[0]
        .object("physicalLocation")
        .object("artifactLocation")
        .string("uri")
        for result in results
    ]
    assert uris[:3] == ["conf/layerlens.toml", "conf/layerlens.toml", "app/.env"]
    assert uris[4] == "caf%E9%3Ax/%2541"
    message = results[0].object("message").string("text")
    assert message.endswith("at most 10.0 MB. Most of it: layer 3 (1.5 kB, note of None)")
    (invocation,) = run.objects("invocations")
    skipped = invocation.objects("toolConfigurationNotifications")
    assert [each.object("associatedRule").string("id") for each in skipped] == [
        "max-growth",
        "lowest-efficiency",
    ]


def test_the_image_stands_in_where_no_file_sets_the_rules() -> None:
    run = checked_sarif(sarif(ALL_SORTS))
    location = run.objects("results")[0].objects("locations")[0].object("physicalLocation")
    assert location.object("artifactLocation").string("uri") == "dir/image.tar"


def test_fingerprints_tell_results_apart_and_stay() -> None:
    def prints(judgement: Judgement) -> list[str]:
        results = checked_sarif(sarif(judgement)).objects("results")
        return [each.string_map("partialFingerprints")["layerlensRulePath/v1"] for each in results]

    first = prints(ALL_SORTS)
    assert len(set(first)) == len(first) == 5
    larger = verdict("max-layer-size", Status.FAIL, 99_000_000, 10_000_000, place(layer=4))
    assert prints(Judgement(verdicts=(larger,))) == first[:1]


def test_a_million_places_do_not_make_a_file_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_junit, "PLACES", 5)
    monkeypatch.setattr(check_sarif, "PLACES", 5)
    places = [place(f"/{number}", 0) for number in range(12)]
    many = Judgement(verdicts=(verdict("forbidden-files", Status.FAIL, 12, ("*",), *places),))
    (failure,) = checked_junit(junit(many)).iter("failure")
    assert (failure.text or "").splitlines()[-1] == "and 7 more"
    assert len((failure.text or "").splitlines()) == 6
    results = checked_sarif(sarif(many)).objects("results")
    assert len(results) == 5
    assert results[-1].object("message").string("text").endswith("(and 7 more files)")


_COMMAND = re.compile(r"::(error|notice) title=[^:,\r\n]+::([^\r\n]+)\n")


def test_an_annotation_is_one_line_and_nothing_in_it_is_a_command() -> None:
    lines = list(annotation_lines(ALL_SORTS))
    matches = [_COMMAND.fullmatch(line) for line in lines]
    assert [match[1] for match in matches if match] == ["error", "error", "notice", "error"]
    for match in matches:
        assert match is not None
        assert re.fullmatch(r"(?:[^%]|%25|%0A|%0D)*", match[2])
        shown = match[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        assert "\x1b" not in shown
        assert "\r" not in shown
        assert not any(line.startswith("::") for line in shown.splitlines())
    assert "57.0 %25, where the limit is at least 90 %25" in lines[1]


def test_a_rule_that_was_switched_off_is_no_news() -> None:
    assert not any("lowest-efficiency" in line for line in annotation_lines(ALL_SORTS))


def test_the_validators_find_mistakes() -> None:
    good = junit(ALL_SORTS)
    for old, new in [
        (' hostname="localhost"', ""),
        ("<system-err/>", ""),
        ('failures="3"', 'failures="2"'),
        (' time="0"/>', ' time="0" status="x"/>'),
        ("T07:08:09", "T07:08:09Z"),
        ("<system-out/>\n    <system-err/>", "<system-err/>\n    <system-out/>"),
    ]:
        assert old in good
        with pytest.raises(AssertionError):
            checked_junit(good.replace(old, new))
    document = sarif(ALL_SORTS)
    for old, new in [
        ('"version": "2.1.0"', '"version": "2.0.0"'),
        ('"level": "error"', '"level": "fatal"'),
        ('"ruleId"', '"ruleID"'),
        ('"uri": "app/.env"', '"uri": "app/.e nv"'),
        ('"startLine": 1', '"startLine": 0'),
        ('"ruleIndex": 2', '"ruleIndex": 3'),
        ('"IMAGEROOT": {', '"ROOT": {'),
    ]:
        assert old in document, old
        json.loads(document.replace(old, new))
        with pytest.raises(AssertionError):
            checked_sarif(document.replace(old, new))
