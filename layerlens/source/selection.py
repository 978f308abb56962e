"""One image chosen from all that a source holds: by name or number, then by platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layerlens.errors import AmbiguousImage, LayerlensError, NotFound, UnsupportedInput
from layerlens.oci.platform import Platform, host_platform
from layerlens.oci.quoting import printable
from layerlens.oci.reference import same_name
from layerlens.source.stored_image import SourceContents, StoredImage

_MOST = 20
_LONGEST = 200
"""Of hostile text in one message: items, and characters of each."""


def select_image(
    contents: SourceContents, choice: str | None, platform: Platform | None
) -> StoredImage:
    """The image that ``choice`` (a name, ``@N`` counted from 0, or None) and ``platform`` mean.

    Without a platform an index's only image is taken, else that for this machine. Raises
    NotFound where nothing matches and AmbiguousImage where several do; both list what there is.
    """
    if not contents.images:
        raise UnsupportedInput(f"{contents.where}: holds no image that layerlens reads")
    candidates = _chosen(contents, choice)
    groups = {image.group for image in candidates}
    if len(groups) > 1:
        raise AmbiguousImage(
            f"{contents.where}: holds {len(groups)} images; choose one with "
            f"PATH:NAME or PATH:@N: {_listed(contents.images)}",
            images=tuple(_names_by_number(contents.images).items()),
        )
    return _for_platform(contents.where, candidates, platform)


def _chosen(contents: SourceContents, choice: str | None) -> Sequence[StoredImage]:
    if choice is None:
        return contents.images
    if choice.startswith("@"):
        number = int(choice[1:]) if choice[1:].isdigit() and len(choice) < 10 else -1
        chosen = [image for image in contents.images if image.group == number]
    else:
        chosen = [
            image
            for image in contents.images
            if any(_is_named(choice, name) for name in image.names)
            or choice in (str(image.manifest_digest), str(image.index_digest))
        ]
    if not chosen:
        raise NotFound(
            f"{contents.where}: holds no image {choice!r}; there are {_listed(contents.images)}"
        )
    return chosen


def _is_named(choice: str, name: str) -> bool:
    return choice == name or same_name(choice, name)


def _for_platform(
    where: str, candidates: Sequence[StoredImage], platform: Platform | None
) -> StoredImage:
    if platform is None and len(candidates) == 1:
        return candidates[0]
    wanted = platform or host_platform()
    for image in candidates:
        if image.config.platform.matches(wanted):
            return image
    raise no_such_platform(where, [image.config.platform for image in candidates], platform)


def no_such_platform(
    where: str, platforms: Sequence[Platform], wanted: Platform | None
) -> LayerlensError:
    """The error, for the caller to raise, that none of ``platforms`` is the wanted one: NotFound,
    or AmbiguousImage where it is this machine's because none was asked for."""
    shown = ", ".join(printable(str(platform)[:_LONGEST]) for platform in platforms[:_MOST])
    if wanted is None:
        return AmbiguousImage(
            f"{where}: has no image for this machine ({host_platform()}); "
            f"choose one with --platform: {shown}",
            platforms=tuple(dict.fromkeys(str(platform) for platform in platforms)),
        )
    return NotFound(f"{where}: has no image for {wanted}; there are: {shown}")


def _listed(images: Sequence[StoredImage]) -> str:
    groups = _names_by_number(images)
    shown = [f"{number} {names}" for number, names in groups.items()][:_MOST]
    more = f", and {len(groups) - len(shown)} more" if len(groups) > len(shown) else ""
    return ", ".join(shown) + more


def _names_by_number(images: Sequence[StoredImage]) -> Mapping[str, str]:
    """What each image goes by, under the ``@N`` that chooses it."""
    groups: dict[str, str] = {}
    for image in images:
        shown_names = " = ".join(printable(name[:_LONGEST]) for name in image.names[:_MOST])
        names = shown_names or str(image.manifest_digest or image.config_digest)
        groups.setdefault(f"@{image.group}", names)
    return groups
