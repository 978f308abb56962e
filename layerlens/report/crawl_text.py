"""What a crawl did, in lines for people: what there is, what is new, what could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from layerlens.audit.crawl_outcome import Asked, CrawlOutcome, FilesOutcome
from layerlens.audit.records import DIGEST_MARK, FailureRecord
from layerlens.report.colour import Palette, Style
from layerlens.report.safe_text import escape
from layerlens.report.sizes import human_size

_FAILURES_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlStyle:
    """``catalogue``: its path; ``next_commands``: what to ask of it now, as a shell takes them."""

    palette: Palette
    catalogue: str
    next_commands: tuple[str, ...]


def crawl_lines(outcome: CrawlOutcome, style: CrawlStyle) -> Iterator[str]:
    """The summary, each line with its end."""
    paint = style.palette.paint
    yield f"{paint(Style.HEADING, escape(outcome.title))}\n"
    for name, value in _facts(outcome):
        yield f"  {name:<10} {value}\n"
    yield f"  {'catalogue':<10} {escape(style.catalogue)}\n"
    failures = outcome.failures
    if failures:
        yield f"\n{paint(Style.HEADING, 'Failures')}\n"
        for failure in failures[:_FAILURES_SHOWN]:
            yield f"  {escape(failure_text(failure))}\n"
        if len(failures) > _FAILURES_SHOWN:
            yield f"  and {len(failures) - _FAILURES_SHOWN} more, which --json lists\n"
    yield f"\n{paint(Style.HEADING, 'Next')}\n"
    for command in style.next_commands:
        yield f"  {command}\n"


def failure_text(failure: FailureRecord) -> str:
    """One failure on a line, not escaped: what, and why."""
    what = failure.registry
    if failure.repository is not None:
        what = f"{what}/{failure.repository}"
    named = f"{what}:{failure.tag}" if failure.tag is not None else what
    if failure.tag is not None and failure.tag.startswith(DIGEST_MARK):
        named = f"{what}{failure.tag}"
    # Most reasons begin with the place themselves.
    if failure.reason.startswith(named):
        return failure.reason
    return f"{named}: {failure.reason}"


def _facts(outcome: CrawlOutcome) -> Iterator[tuple[str, str]]:
    counts, changes, asked = outcome.counts, outcome.changes, outcome.asked
    if asked is None:
        yield "crawled", _when(outcome)
    yield (
        "looked at",
        f"{_counted(counts.repositories_done, 'repository', 'repositories')}, "
        f"{_counted(counts.tags_done, 'tag', 'tags')}",
    )
    if changes.earlier:
        yield "new", f"{_counted(changes.tags_added, 'tag', 'tags')} since the last crawl"
        yield "moved", _counted(changes.tags_moved, "tag", "tags")
        gone = _counted(changes.tags_removed, "tag", "tags")
        if changes.repositories_removed:
            lost = _counted(changes.repositories_removed, "repository", "repositories")
            gone = f"{gone}, {lost} as a whole"
        yield "gone", gone
    if asked is not None:
        yield "asked", _asked(asked)
    if outcome.rate_limit is not None:
        limit = outcome.rate_limit
        window = "" if limit.window_seconds is None else f", counted over {limit.window_seconds} s"
        yield "limit", f"{_counted(limit.remaining, 'request', 'requests')} left{window}"
    if outcome.files is not None:
        yield "files", _files(outcome.files)
    if outcome.failures:
        yield "failures", f"{len(outcome.failures):,}"


def _asked(asked: Asked) -> str:
    return (
        f"{_counted(asked.tag_lists, 'list of tags', 'lists of tags')}, "
        f"{_counted(asked.tags, 'tag', 'tags')}, "
        f"{_counted(asked.manifests, 'further manifest', 'further manifests')}, "
        f"{_counted(asked.configs, 'config', 'configs')}"
    )


def _when(outcome: CrawlOutcome) -> str:
    run = outcome.run
    if run.finished is None:
        return f"begun at {_utc(run.started)}, and not over: the same command goes on with it"
    return f"from {_utc(run.started)} to {_utc(run.finished)}"


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _files(files: FilesOutcome) -> str:
    text = (
        f"{_counted(files.layers, 'layer', 'layers')} read for their files, "
        f"{human_size(files.stored_bytes)}"
    )
    if files.opaque:
        text = f"{text}; {files.opaque:,} are no tars or not kept in the registry"
    return text


def _counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
