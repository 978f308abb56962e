"""An image surveyed: its history told, and a look into files where the source allows it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_forms import archive, docker_skopeo, oci_layout
from image_builder import BuiltImage, file, image, layer, whiteout

from layerlens.analysis.findings import Evidence, Finding, FindingKind
from layerlens.errors import UnsupportedInput
from layerlens.file_content import small_files
from layerlens.image import open_image
from layerlens.index_cache import IndexCache
from layerlens.layer.entry import Entry
from layerlens.loading import LoadSettings
from layerlens.surveying import LookInside, survey_image

TOKEN = b"//registry.npmjs.org/:_authToken=word\n"
SECRETS = image(
    layer(
        file("/app/.npmrc", b"registry=https://example.com/\n"),
        file("/app/package.json", b"{}"),
        file("/root/.npmrc", TOKEN),
        file("/root/.ssh/id_rsa", b"key"),
        created_by="COPY . /",
    ),
    layer(whiteout("/root/.npmrc"), created_by="RUN rm /root/.npmrc"),
    config={"Env": ["PATH=/bin", "API_TOKEN=abcdefgh"]},
    overrides={
        "history": [
            {"created_by": "COPY . /"},
            {"created_by": "ENV API_TOKEN=abcdefgh", "empty_layer": True},
            {"created_by": "|1 NPM_TOKEN=abcdefgh /bin/sh -c rm /root/.npmrc"},
        ]
    },
)
Save = Callable[[bytes], str]


def secrets(findings: tuple[Finding, ...]) -> list[tuple[str, Evidence]]:
    return [
        (place.path, place.evidence)
        for finding in findings
        if finding.kind is FindingKind.EXPOSED_FILE
        for place in finding.places
    ]


@pytest.mark.parametrize("form", [docker_skopeo, oci_layout])
def test_files_are_looked_into_where_names_do_not_tell(
    form: Callable[[BuiltImage], dict[str, object]], save: Save
) -> None:
    with open_image(save(archive(form(SECRETS)))) as opened:  # type: ignore[arg-type]
        survey = survey_image(opened)
    assert secrets(survey.findings) == [
        ("/root/.npmrc", Evidence.CONTENT),
        ("/root/.ssh/id_rsa", Evidence.PATH),
    ]
    assert survey.not_looked_into == ()


def test_files_that_may_not_be_read_are_named(save: Save) -> None:
    name = save(archive(docker_skopeo(SECRETS)))
    with open_image(name) as opened:
        survey = survey_image(opened, LookInside.NEVER)
    assert secrets(survey.findings) == [("/root/.ssh/id_rsa", Evidence.PATH)]
    assert [each.entry.path for each in survey.not_looked_into] == ["/app/.npmrc", "/root/.npmrc"]


@pytest.mark.parametrize("look", LookInside)
def test_what_went_by_in_a_stream_cannot_be_read(look: LookInside, save: Save) -> None:
    name = save(gzip.compress(archive(docker_skopeo(SECRETS))))
    with open_image(name) as opened:
        survey = survey_image(opened, look)
    assert len(survey.not_looked_into) == 2


def test_variables_are_told_with_the_instructions_that_set_them(save: Save) -> None:
    with open_image(save(archive(docker_skopeo(SECRETS)))) as opened:
        findings = survey_image(opened).findings
    told = [each for each in findings if each.kind is FindingKind.EXPOSED_VARIABLE]
    assert [(each.layer, each.instruction, each.subject) for each in told] == [
        (None, "ENV API_TOKEN=***", ("API_TOKEN",)),
        (1, "RUN rm /root/.npmrc", ("NPM_TOKEN",)),
    ]


def test_small_files_are_read_in_one_pass_that_ends_with_the_last(save: Save) -> None:
    twice = layer(
        file("/a", b"first"), file("/b", b"b"), file("/a", b"second"), file("/c", b"never read")
    )
    with open_image(save(archive(docker_skopeo(image(twice))))) as opened:
        (read,) = opened.layers
        entries = [entry for entry in read.entries if isinstance(entry, Entry)]
        first, b, second, _ = entries
        assert list(small_files([second, b], read)) == [(b, b"b"), (second, b"second")]
        assert list(small_files([first], read)) == [(first, b"first")]
        changed = first._replace(content=bytes(32))
        assert list(small_files([changed], read)) == []
        assert list(small_files([], read)) == []


def test_small_files_of_a_stream_are_refused(save: Save) -> None:
    with open_image(save(gzip.compress(archive(docker_skopeo(SECRETS))))) as opened:
        first = opened.layers[0]
        entry = first.entries[0]
        assert isinstance(entry, Entry)
        with pytest.raises(UnsupportedInput, match="was read as a stream"):
            list(small_files([entry], first))


def test_a_second_look_reads_nothing(save: Save, tmp_path: Path) -> None:
    settings = LoadSettings(cache=IndexCache(tmp_path / "cache"))
    archived = archive(docker_skopeo(SECRETS))
    with open_image(save(archived), settings=settings) as opened:
        first = survey_image(opened)
    with open_image(save(gzip.compress(archived)), settings=settings) as opened:  # a stream
        second = survey_image(opened)
        never = survey_image(opened, LookInside.NEVER)
    assert secrets(second.findings) == secrets(first.findings)
    assert second.not_looked_into == ()
    assert len(never.not_looked_into) == 2


def test_one_content_under_two_names_is_looked_at_under_both(save: Save) -> None:
    settings = b"//registry.npmjs.org/:_authToken=word\n"
    both = image(layer(file("/a/settings.xml", settings), file("/b/.npmrc", settings)))
    with open_image(save(archive(docker_skopeo(both)))) as opened:
        survey = survey_image(opened)
    assert ("/b/.npmrc", Evidence.CONTENT) in secrets(survey.findings)
