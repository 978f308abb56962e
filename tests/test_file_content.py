import base64
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from layerlens.errors import DigestMismatch, LayerlensError, MalformedInput, UnsupportedInput
from layerlens.file_content import file_content
from layerlens.image import open_image
from layerlens.opening import Access

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.mark.parametrize(
    ("archive", "tree"),
    [
        ("demo.tar", "demo"),
        ("tour-oci.tar", "tour"),
        ("tour-zstd.tar", "tour"),
        ("tour-podman.tar", "tour"),
        ("odd.tar", "odd"),
        ("sparse.tar", "sparse"),
        ("sparse-gnu.tar", "sparse-gnu"),
    ],
)
def test_every_file_of_a_real_image_has_the_bytes_that_another_tool_unpacks(
    archive: str, tree: str
) -> None:
    entries = json.loads((FIXTURES / "trees" / f"{tree}.json").read_text())["entries"]
    with open_image(str(FIXTURES / archive), access=Access.CONTENT) as image:
        for entry in entries:
            if entry["kind"] != "f":
                continue
            encoded = entry.get("path_base64")
            path = os.fsdecode(base64.b64decode(encoded)) if encoded else entry["path"]
            node = image.tree().find(path)
            assert node is not None
            content = b"".join(file_content(node.inode, image.layers[: node.layer + 1]))
            assert (len(content), sha256(content).hexdigest()) == (entry["size"], entry["sha256"])


def _copied(archive: str, directory: Path) -> Path:
    copy = directory / "image.tar"
    copy.write_bytes((FIXTURES / archive).read_bytes())
    return copy


def test_bytes_that_changed_since_they_were_listed_are_an_error(tmp_path: Path) -> None:
    path = _copied("tour-docker.tar", tmp_path)
    with open_image(str(path), access=Access.CONTENT) as image:
        inode = image.tree().resolve("/etc/hostname").node.inode
        data = path.read_bytes()
        at = data.index(b"tour\n")
        path.write_bytes(data[:at] + b"torn\n" + data[at + 5 :])
        content = file_content(inode, image.layers)
        assert next(content) == b"torn\n"
        with pytest.raises(DigestMismatch, match=r"/etc/hostname.*they were listed as sha256:"):
            next(content)


def test_an_archive_that_was_cut_since_is_an_error(tmp_path: Path) -> None:
    path = _copied("tour-docker.tar", tmp_path)
    with open_image(str(path), access=Access.CONTENT) as image:
        inode = image.tree().resolve("/etc/hostname").node.inode
        os.truncate(path, 4096)
        with pytest.raises(LayerlensError):
            list(file_content(inode, image.layers))


def test_a_file_that_is_no_longer_there_is_an_error(tmp_path: Path) -> None:
    path = _copied("tour-docker.tar", tmp_path)
    with open_image(str(path), access=Access.CONTENT) as image:
        inode = image.tree().resolve("/etc/hostname").node.inode
        location = image.layers[0].stored.location
        assert location is not None
        data = bytearray(path.read_bytes())
        start = data.index(b"etc/hostname") - data.index(b"etc/hostname") % 512
        data[start : start + 10240] = bytes(10240)
        path.write_bytes(data)
        with pytest.raises(DigestMismatch, match=r"no longer holds '/etc/hostname'"):
            list(file_content(inode, image.layers))


def test_a_layer_that_went_by_in_a_stream_can_not_be_read_again() -> None:
    with open_image(str(FIXTURES / "tour-docker.tar.gz"), access=Access.LISTING) as image:
        inode = image.tree().resolve("/etc/hostname").node.inode
        with pytest.raises(UnsupportedInput, match="was read as a stream"):
            file_content(inode, image.layers)


def test_a_directory_has_no_content() -> None:
    with open_image(str(FIXTURES / "demo.tar"), access=Access.CONTENT) as image:
        directory = image.tree().resolve("/etc").node.inode
        with pytest.raises(MalformedInput, match=r"'/etc' has no content"):
            file_content(directory, image.layers)
