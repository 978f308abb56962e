import pytest

from layerlens.oci.media_types import declared_compression, is_layer, is_tar_layer


@pytest.mark.parametrize(
    ("media_type", "compression"),
    [
        ("application/vnd.oci.image.layer.v1.tar", "none"),
        ("application/vnd.oci.image.layer.v1.tar+gzip", "gzip"),
        ("application/vnd.oci.image.layer.v1.tar+zstd", "zstd"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", "none"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "gzip"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "zstd"),
        ("application/vnd.docker.image.rootfs.diff.tar", "none"),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip"),
        ("application/vnd.docker.image.rootfs.diff.tar.zstd", "zstd"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar", "none"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip"),
    ],
)
def test_tar_layers_declare_their_compression(media_type: str, compression: str) -> None:
    assert is_layer(media_type)
    assert is_tar_layer(media_type)
    assert declared_compression(media_type) == compression


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "application/vnd.oci.image.layer.v1.tar+encrypted",
        "application/vnd.oci.image.layer.v1.tar+br",
        "application/vnd.oci.image.layer.v1.erofs",
    ],
)
def test_a_layer_that_cannot_be_read_is_still_a_layer(media_type: str) -> None:
    assert is_layer(media_type)
    assert not is_tar_layer(media_type)
    assert declared_compression(media_type) is None


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "application/vnd.in-toto+json",
        "application/vnd.oci.image.config.v1+json",
        "text/vnd.oci.image.layer.v1.tar",
        "x application/vnd.oci.image.layer.v1.tar",
    ],
)
def test_other_blobs_are_no_layers(media_type: str) -> None:
    assert not is_layer(media_type)
    assert not is_tar_layer(media_type)


def test_a_media_type_is_matched_to_its_end() -> None:
    assert not is_tar_layer("application/vnd.oci.image.layer.v1.tar+gzip\n")
