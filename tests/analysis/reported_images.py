"""Images as reports take them, from a few words."""

from __future__ import annotations

from dataclasses import replace

from image_builder import BuiltLayer

from layerlens.analysis.comparison import ComparedImage
from layerlens.analysis.image_report import ReportedImage
from layerlens.analysis.rules_image import CheckedImage
from layerlens.analysis.sharing import ImageLayers, LayerIdentity
from layerlens.analysis.waste_survey import survey_waste
from layerlens.filesystem.file_tree import EMPTY_TREE
from layerlens.oci.digest import sha256_digest
from layerlens.oci.image_config import ImageConfig, RuntimeConfig
from layerlens.oci.platform import Platform

from .sharing_images import title
from .written_layers import built


def reported(*layers: BuiltLayer, env: tuple[str, ...] = (), name: str = "image") -> ReportedImage:
    """An image whose layers have their DiffIDs, and half their tars' bytes as blobs."""
    own_title = title(name, ascii(name))
    written = built(*layers)
    identities = tuple(
        LayerIdentity(
            blob_digest=str(sha256_digest(b"blob of " + each.tar)),
            diff_id=each.diff_id,
            chain_id=None,
            stored_size=len(each.tar) // 2,
            size=len(each.tar),
            instruction=each.created_by,
        )
        for each in layers
    )
    survey = survey_waste(written)
    titles = tuple(
        replace(layer.title, diff_id=built_layer.diff_id)
        for layer, built_layer in zip(written, layers, strict=True)
    )
    return ReportedImage(
        checked=CheckedImage(
            title=own_title,
            layers=written,
            identities=ImageLayers(title=own_title, layers=identities),
        ),
        compared=ComparedImage(
            title=own_title,
            config=ImageConfig(
                platform=Platform.parse("linux/amd64"),
                runtime=RuntimeConfig(labels={}, env=env),
                diff_ids=(),
            ),
            layers=titles,
            tree=written[-1].tree if written else EMPTY_TREE,
        ),
        waste=survey.waste,
        findings=survey.findings,
    )
