"""Images gathered into what rules and reports are made from."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from layerlens.analysis.findings_variables import redacted
from layerlens.analysis.rules_image import BaseLayers, CheckedImage, base_layers
from layerlens.analysis.sharing import ImageLayers, LayerIdentity
from layerlens.cli.image_options import limits_of, opened_image, registries_of, warn_of_stacking
from layerlens.errors import UsageError
from layerlens.image import Image, open_image
from layerlens.image_layer import Layer
from layerlens.loading import LoadSettings
from layerlens.oci.base_annotations import base_name
from layerlens.oci.created_by import instruction
from layerlens.oci.history import pair_history
from layerlens.oci.platform import Platform
from layerlens.opening import Access
from layerlens.surveying import LookInside, survey_image

if TYPE_CHECKING:
    from argparse import Namespace

    from layerlens.analysis.titles import ImageTitle
    from layerlens.analysis.waste_survey import WasteSurvey
    from layerlens.cli.output import Output
    from layerlens.oci.digest import Digest
    from layerlens.oci.image_config import HistoryEntry
    from layerlens.source.stored_image import StoredLayer


def checked_image(image: Image) -> CheckedImage:
    """All of an image that rules look at; its layers are read and stacked.

    Instructions are without what looks like a secret in them: reports are read by many.
    """
    held = image.held_layers()
    return CheckedImage(
        title=image.title,
        layers=tuple(
            replace(
                layer,
                title=replace(layer.title, instruction=_redacted(layer.title.instruction)),
            )
            for layer in image.written_layers()
        ),
        identities=replace(
            held,
            layers=tuple(
                replace(layer, instruction=_redacted(layer.instruction)) for layer in held.layers
            ),
        ),
    )


def _redacted(instruction: str | None) -> str | None:
    return None if instruction is None else redacted(instruction)


@contextlib.contextmanager
def opened_to_check(name: str, arguments: Namespace, output: Output) -> Iterator[Image]:
    """The image *name*, read and stacked, with what is odd in it said on stderr."""
    access = Access.CONTENT if arguments.look == LookInside.ALWAYS.value else Access.LISTING
    opened = opened_image(name, arguments, output, access, _lay_on_those_below)
    with opened as image:
        warn_of_stacking(image, len(image.layers) - 1, output)
        yield image


def _lay_on_those_below(layer: Layer) -> object:
    return layer.changes  # to be iterated over later


def surveyed(image: Image, arguments: Namespace, output: Output) -> WasteSurvey:
    """The image's waste and findings; what could not be looked into is said on stderr."""
    survey = survey_image(image, LookInside(arguments.look), limits_of(arguments))
    left = survey.not_looked_into
    if left:
        files = "1 file" if len(left) == 1 else f"{len(left)} files"
        output.note(
            f"{image.name}: {files} may be secrets and could not be looked into, the first "
            f"{left[0].entry.path} in layer {left[0].layer} (--look always reads them)"
        )
    return survey


def for_platform_of(image: ImageTitle, arguments: Namespace) -> Namespace:
    """The arguments to open an image with that is compared to *image*: of the same platform."""
    settings = copy.copy(arguments)
    if settings.platform is None:
        with contextlib.suppress(UsageError):  # a config may say anything
            settings.platform = str(Platform.parse(image.platform))
    return settings


def image_by_its_documents(
    name: str, arguments: Namespace, note: Callable[[str], object]
) -> CheckedImage:
    """An image of which no layer is read: what a pull would find there, and no files.

    *note* is given what a person should know of how it was read. Raises LayerlensError, and
    OSError where a file can't be read.
    """
    with _opened_documents(name, arguments) as image:
        for text in image.notes:
            note(text)
        history = pair_history(image.config.history, len(image.stored.layers)).layers
        layers = tuple(map(_stored_identity, image.stored.layers, history))
        return CheckedImage(
            title=image.title,
            layers=(),
            identities=ImageLayers(title=image.title, layers=layers),
        )


def found_base(image: Image, name: str | None, arguments: Namespace) -> BaseLayers:
    """How many layers of *image* are those of its base, of which no layer is read.

    *name*: what the base is called; without one nothing is opened, and what the image itself
    says of its base is told. Raises LayerlensError, and OSError where a file can't be read.
    """
    if name is None:
        annotated = base_name(image.annotations)
        hint = f", perhaps {annotated}, as its annotation says" if annotated else ""
        why = f"the base image is not known: name it with --base{hint}"
        return BaseLayers(name=None, count=None, why=why)
    with _opened_documents(name, arguments) as base:
        return base_layers(
            name,
            [_text(layer.diff_id) for layer in image.layers],
            [_text(layer.diff_id) for layer in base.stored.layers],
        )


@contextlib.contextmanager
def _opened_documents(name: str, arguments: Namespace) -> Iterator[Image]:
    settings = LoadSettings(limits=limits_of(arguments), registries=registries_of(arguments))
    with open_image(name, arguments.platform, settings=settings) as image:
        yield image


def _stored_identity(layer: StoredLayer, history: HistoryEntry | None) -> LayerIdentity:
    made_by = instruction(history).text if history else ""
    return LayerIdentity(
        blob_digest=_text(layer.blob_digest),
        diff_id=_text(layer.diff_id),
        chain_id=None,
        stored_size=layer.size if layer.blob_digest is not None else None,
        size=None,
        instruction=_redacted(made_by or None),
    )


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)
