"""What a tag leads to, read as far as the catalogue does not have it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from layerlens.audit.crawl_desk import Visit
from layerlens.audit.crawl_questions import (
    ConfigQuestion,
    ManifestQuestion,
    ReadManifest,
    read_config,
    read_manifest,
)
from layerlens.audit.crawl_records import NO_PLATFORM, finished_image
from layerlens.audit.crawl_schedule import Group, Job, Question
from layerlens.audit.records import (
    ConfigFacts,
    ImageRecord,
    IndexRecord,
    ManifestKind,
    TagRecord,
    UnreadManifest,
)
from layerlens.errors import LayerlensError, LimitExceeded, RegistryError, UsageError
from layerlens.oci.digest import Digest
from layerlens.oci.media_types import INDEX_TYPES, MANIFEST_TYPES, SCHEMA1_TYPES
from layerlens.oci.platform import Platform

MAX_MANIFESTS = 10_000
"""Below one tag."""

_KNOWN_TYPES = INDEX_TYPES | MANIFEST_TYPES | SCHEMA1_TYPES
_LEAVES = frozenset({ManifestKind.IMAGE, ManifestKind.ARTIFACT})
_READ_MANIFEST = Question(read_manifest)
_READ_CONFIG = Question(read_config)


def read_found(
    visit: Visit, found: Digest | ReadManifest, platform: Platform | None, tag: TagRecord
) -> Generator[Job | Group, object, Digest]:
    """Write what a tag was found to lead to, and all below it that the catalogue lacks.

    What can't be read is written down at the tag. Raises RegistrySilent.
    """
    digest = found.digest if isinstance(found, ReadManifest) else found
    if digest == tag.digest and tag.kind in _LEAVES:
        return digest
    if (
        isinstance(found, ReadManifest)
        and digest not in visit.failed
        and not visit.desk.catalogue.is_read(digest)
    ):
        try:
            yield from keep(visit, found, None, tag)
        except LayerlensError as error:
            visit.failed[digest] = error
        else:
            if isinstance(found.record, ImageRecord):
                return digest
    yield from _read_below(visit, digest, platform, tag)
    return digest


def _read_below(
    visit: Visit, digest: Digest, platform: Platform | None, tag: TagRecord
) -> Generator[Job | Group, object, None]:
    asked: set[Digest] = set()
    count = 0
    while True:
        wanted = [
            each
            for each in visit.desk.catalogue.unread(digest)
            if each.digest not in asked and is_wanted(each, platform)
        ]
        if not wanted:
            return
        for each in wanted:
            count += 1
            if count > MAX_MANIFESTS:
                where = f"{visit.place}:{tag.name}"
                visit.fail(LimitExceeded(f"{where}: more than {MAX_MANIFESTS} manifests"), tag=tag)
                return
            asked.add(each.digest)
            try:
                yield from read_one(visit, each, tag)
            except LayerlensError as error:
                visit.fail(error, tag=tag, digest=each.digest)


def is_wanted(manifest: UnreadManifest, platform: Platform | None) -> bool:
    """Whether a manifest is to be read: not where an index says that it is something else, or for
    another platform than the one that is asked for."""
    if manifest.media_type is not None and manifest.media_type not in _KNOWN_TYPES:
        return False
    if platform is None or manifest.platform is None or manifest.media_type in INDEX_TYPES:
        return True
    try:
        return Platform.parse(manifest.platform).matches(platform)
    except UsageError:
        return False


def read_one(
    visit: Visit, manifest: UnreadManifest, tag: TagRecord | None
) -> Generator[Job | Group, object, None]:
    """Read a manifest or index, and write it; raises as ``keep``, the same for the same again."""
    digest = manifest.digest
    if digest in visit.failed:
        raise visit.failed[digest]
    try:
        found = visit.found.get(digest)
        if found is None:
            found = yield from visit.ask(_READ_MANIFEST, ManifestQuestion(visit.place, digest))
            visit.found[digest] = found
        yield from keep(visit, found, manifest.platform, tag)
    except LayerlensError as error:
        visit.failed[digest] = error
        raise
    finally:
        visit.found.pop(digest, None)


def keep(
    visit: Visit, found: ReadManifest, platform: str | None, tag: TagRecord | None
) -> Generator[Job | Group, object, None]:
    """Write a manifest that was read; an image with what its config says.

    *platform*: as an index has it. Where a config is not there, or not as it should be, that is
    written down, and the image without it: its layers are there all the same, and another crawl
    asks for it again. Raises RegistryError where the registry does not answer as it should, and
    RegistrySilent.
    """
    catalogue = visit.desk.catalogue
    record = found.record
    if isinstance(record, IndexRecord):
        catalogue.record_index(record)
        return
    if record.kind is ManifestKind.ARTIFACT or platform == NO_PLATFORM:
        artifact = replace(record, kind=ManifestKind.ARTIFACT, platform=platform)
        catalogue.record_image(artifact)
        return
    assert record.config is not None
    try:
        facts = catalogue.facts_of_config(record.config.digest)
        if facts is None:
            facts = yield from _config(visit, record)
        image = finished_image(record, facts, platform)
    except RegistryError:
        raise
    except LayerlensError as error:
        image = replace(record, platform=platform)
        visit.failed[record.digest] = error
        visit.without_config.add(record.digest)
        visit.fail(error, tag=tag, digest=record.config.digest)
    catalogue.record_image(image)


def _config(visit: Visit, image: ImageRecord) -> Generator[Job | Group, object, ConfigFacts]:
    config = image.config
    assert config is not None
    question = ConfigQuestion(visit.place, config.digest, config.size)
    return (yield from visit.ask(_READ_CONFIG, question))
