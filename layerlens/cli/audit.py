"""``layerlens audit``: a registry read as a whole into a catalogue, which other commands ask.

The commands that ask it (``audit report`` and so on) have modules of their own beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerlens.cli.commands import find_command
from layerlens.cli.exit_code import ExitCode
from layerlens.cli.image_options import add_image_options, limits_of, registries_of
from layerlens.cli.numbers import whole_number
from layerlens.errors import AmbiguousImage, NotFound, RegistryUnavailable, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from contextlib import AbstractContextManager
    from pathlib import Path

    from layerlens.audit.crawl import Phase
    from layerlens.audit.crawl_desk import CrawlProgress
    from layerlens.audit.crawl_files import FilesSettings
    from layerlens.audit.crawl_outcome import CrawlOutcome
    from layerlens.audit.crawl_targets import CrawlRequest, Target
    from layerlens.cli.output import Output

_DEFAULT_JOBS = 8
_MOST_JOBS = 64

_DESCRIPTION = """\
Read what a registry holds into a catalogue: repositories, tags, manifests,
configs, layers and who has them. No layer is downloaded, unless --files asks
for the files in them. What cannot be read is listed, and stops nothing else.
A crawl that was interrupted is gone on with by the same command; one that was
not asks again only what can have changed. Without a WHAT, nothing is asked: the
last crawl is summed up."""

_PARTS = """\
The catalogue is then asked, without a network, by the commands that follow;
each has its own --help.
"""

_EPILOG = """\
a WHAT is a registry (its repositories are taken from its _catalog: a host with
a dot or localhost, or any host with a slash at its end), a repository, or an
image by tag or digest. Docker Hub and some others list no repositories: name
them.

--newest N takes of each repository the N tags whose images were created last,
by their configs; tags without a date count as the oldest, equally old ones go
by name. To learn the dates every tag is resolved, and of each index one image
is read.

examples:
  layerlens audit registry.example.com
  layerlens audit localhost:5000/team/app localhost:5000/team/base --tags 'v*'
  layerlens audit docker.io/library/python --newest 10 --platform linux/amd64
  layerlens audit --from images.txt --db images.sqlite --files

exit status: 0 all was read, 1 some of it could not be read (it is listed, and
asked for again the next time), 2 an error, 130 interrupted
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of ``audit``."""
    parts = [f"  {part.name:<15} {part.help}" for part in find_command("audit").parts]
    parser.description = "\n".join((_DESCRIPTION, *(("", _PARTS, *parts) if parts else ())))
    parser.epilog = _EPILOG
    parser.add_argument(
        "targets", metavar="WHAT", nargs="*", help="a registry, a repository or an image in one"
    )
    group = parser.add_argument_group("what to read")
    group.add_argument(
        "--from",
        dest="from_file",
        metavar="FILE",
        help="also what stands in FILE, one WHAT a line (- for stdin)",
    )
    group.add_argument(
        "--tags", metavar="GLOB", help="of the tags that are listed, only those like 'v1.*'"
    )
    group.add_argument(
        "--newest", metavar="N", type=whole_number, help="of each repository only the N newest tags"
    )
    group.add_argument(
        "--files",
        action="store_true",
        help="also download each distinct layer once, to count the files in it",
    )
    crawl = parser.add_argument_group("how to crawl")
    crawl.add_argument(
        "--db",
        metavar="FILE",
        help="the catalogue; by default one for each registry in the user's data directory",
    )
    crawl.add_argument(
        "--jobs",
        metavar="N",
        type=whole_number,
        default=_DEFAULT_JOBS,
        help=f"how many requests at a time; by default {_DEFAULT_JOBS}",
    )
    form = parser.add_argument_group("how to show it")
    form.add_argument("--json", action="store_true", help="the summary as a JSON document")
    add_image_options(parser)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Crawl, and say what came of it; or what came of the last crawl, if nothing is named."""
    _check(arguments)
    if not arguments.targets and arguments.from_file is None:
        return _show_last(arguments, output)
    request = _request(arguments)
    path = _path(arguments, request)
    outcome = _crawl(arguments, output, request, path)
    _show(arguments, output, outcome, path)
    if outcome.silent:
        raise RegistryUnavailable(
            f"{outcome.silent[0]}; the crawl is not over: the same command goes on with it"
        )
    return ExitCode.DIFFERENT if outcome.failures else ExitCode.DONE


def _check(arguments: Namespace) -> None:
    """Raise UsageError for arguments that make no sense, alone or together."""
    if not 1 <= arguments.jobs <= _MOST_JOBS:
        raise UsageError(f"--jobs: expected a number from 1 to {_MOST_JOBS}")
    if arguments.newest is not None and arguments.newest < 1:
        raise UsageError("--newest: the number must be 1 or more")
    if (arguments.limit or arguments.no_cache) and not arguments.files:
        raise UsageError("--limit and --no-cache are about reading layers: they go with --files")


def _show_last(arguments: Namespace, output: Output) -> ExitCode:
    from layerlens.audit.catalogue import Catalogue
    from layerlens.audit.crawl import last_outcome
    from layerlens.cli.audit_catalogue import catalogue_path

    for name in ("tags", "newest", "files", "platform"):
        if getattr(arguments, name):
            raise UsageError(f"--{name}: of what? name a registry, repositories or --from FILE")
    try:
        path = catalogue_path(arguments.db, None)
    except AmbiguousImage as error:
        raise UsageError(f"{error}, or one of their files by --db") from error
    except NotFound as error:
        raise UsageError(f"name a registry, repositories or --from FILE; {error}") from error
    if not path.exists():
        raise NotFound(f"{path}: there is no such catalogue; name what to read into it")
    with Catalogue(path) as catalogue:
        outcome = last_outcome(catalogue)
    if outcome is None:
        raise NotFound(f"{path}: nothing was crawled into it yet")
    _show(arguments, output, outcome, path)
    return ExitCode.DONE


def _request(arguments: Namespace) -> CrawlRequest:
    from layerlens.audit.crawl_targets import CrawlRequest, check_listing, parse_target
    from layerlens.oci.platform import Platform

    targets = [parse_target(text) for text in arguments.targets]
    if arguments.from_file is not None:
        targets.extend(_targets_of_file(arguments.from_file))
    request = CrawlRequest(
        targets=tuple(dict.fromkeys(targets)),
        tags=arguments.tags,
        newest=arguments.newest,
        platform=Platform.parse(arguments.platform) if arguments.platform else None,
    )
    check_listing(request)
    return request


def _targets_of_file(name: str) -> list[Target]:
    import sys

    from layerlens.audit.crawl_targets import parse_targets

    try:
        if name == "-":
            return parse_targets(sys.stdin, "stdin")
        with open(name, encoding="utf-8") as file:
            return parse_targets(file, name)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is no list of names: it is not UTF-8") from error


def _path(arguments: Namespace, request: CrawlRequest) -> Path:
    from pathlib import Path

    from layerlens.audit.location import default_path

    if arguments.db is not None:
        if not arguments.db:
            raise UsageError("--db: the name of the file is empty")
        return Path(arguments.db)
    registries = request.registries
    if len(registries) > 1:
        raise UsageError(
            f"these are of {len(registries)} registries ({', '.join(registries[:3])}): "
            "name the catalogue with --db FILE"
        )
    return default_path(registries[0])


def _crawl(arguments: Namespace, output: Output, request: CrawlRequest, path: Path) -> CrawlOutcome:
    from layerlens.audit.catalogue import Catalogue
    from layerlens.audit.crawl import CrawlSettings, Phase, crawl
    from layerlens.cli.progress import counted_in

    def watch(phase: Phase) -> AbstractContextManager[CrawlProgress]:
        if phase is Phase.FILES:
            return output.progress("reading layers")
        return output.progress(f"auditing {request.title}", unit=counted_in("tags"))

    settings = CrawlSettings(
        options=registries_of(arguments),
        jobs=arguments.jobs,
        files=_files(arguments) if arguments.files else None,
        watch=watch,
    )
    existed = path.exists()
    with Catalogue(path) as catalogue:
        try:
            return crawl(request, catalogue, settings)
        finally:
            if not existed and catalogue.knows_nothing():  # its name was mistyped, say
                catalogue.remove()


def _files(arguments: Namespace) -> FilesSettings:
    import contextlib

    from layerlens.audit.crawl_files import FilesSettings
    from layerlens.index_cache import default_directory

    cache = None
    if not arguments.no_cache:
        with contextlib.suppress(RuntimeError):  # no home directory, as in some containers
            cache = default_directory()
    return FilesSettings(cache=cache, limits=limits_of(arguments))


def _show(arguments: Namespace, output: Output, outcome: CrawlOutcome, path: Path) -> None:
    if arguments.json:
        from layerlens.report.as_json import write_json
        from layerlens.report.crawl_document import CRAWL_SCHEMA_VERSION, crawl_document

        document = crawl_document(outcome, str(path))
        write_json(output.write, document, schema_version=CRAWL_SCHEMA_VERSION)
        return
    import shlex

    from layerlens.report.crawl_text import CrawlStyle, crawl_lines
    from layerlens.report.safe_text import escape

    if outcome.resumed:
        output.note("went on with a crawl that had been interrupted")
    where = path.stem if arguments.db is None else f"--db {escape(shlex.quote(str(path)))}"
    style = CrawlStyle(
        palette=output.palette,
        catalogue=str(path),
        next_commands=(f"layerlens audit report {where}",),
    )
    for line in crawl_lines(outcome, style):
        output.write(line)
