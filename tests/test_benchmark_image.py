"""The benchmarks' image generator, at a thousandth of its size."""

import hashlib
import json
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

MAKE_IMAGE = Path(__file__).parent / "benchmarks" / "make_image.py"
SOURCES = 12


def make(folder: Path, *more: str) -> tuple[Path, Path]:
    sources = folder / "sources"
    if not sources.exists():
        sources.mkdir()
        for number in range(SOURCES):
            (sources / f"source{number}").write_bytes(b"%d " % number * (100 * number))
    command = [sys.executable, str(MAKE_IMAGE), *more, "--megabytes", "2", "--files", "60"]
    command += ["--from", str(sources), "--into", str(folder / "images")]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    oci_archive, docker_archive = process.stdout.splitlines()[:2]
    return Path(oci_archive), Path(docker_archive)


def members(archive: Path) -> dict[str, bytes]:
    found = {}
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            stored = tar.extractfile(member)
            assert stored
            found[member.name] = stored.read()
    return found


def blob(found: dict[str, bytes], descriptor: dict[str, str | int]) -> bytes:
    algorithm, digits = str(descriptor["digest"]).split(":")
    data = found[f"blobs/{algorithm}/{digits}"]
    assert hashlib.sha256(data).hexdigest() == digits
    assert len(data) == descriptor["size"]
    return data


def test_both_archives_hold_the_layers_that_the_config_names(tmp_path: Path) -> None:
    oci_archive, docker_archive = make(tmp_path)
    oci, docker = members(oci_archive), members(docker_archive)
    manifest = json.loads(blob(oci, json.loads(oci["index.json"])["manifests"][0]))
    diff_ids = json.loads(blob(oci, manifest["config"]))["rootfs"]["diff_ids"]
    layers = [zlib.decompress(blob(oci, layer), 31) for layer in manifest["layers"]]
    assert [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers] == diff_ids

    listed = json.loads(docker["manifest.json"])[0]
    assert [docker[name] for name in listed["Layers"]] == layers
    assert json.loads(docker[listed["Config"]])["rootfs"]["diff_ids"] == diff_ids
    assert sum(map(len, layers)) >= 2_000_000


def test_layers_add_rewrite_and_remove(tmp_path: Path) -> None:
    _, docker_archive = make(tmp_path)
    docker = members(docker_archive)
    seen: set[str] = set()
    rewritten = removed = emptied = files = 0
    for name in json.loads(docker["manifest.json"])[0]["Layers"]:
        layer = tmp_path / "layer.tar"
        layer.write_bytes(docker[name])
        with tarfile.open(layer, "r:") as tar:
            paths = [member.name for member in tar]
            assert len(paths) == len(set(paths))
        for path in paths:
            folder, _, last = path.rpartition("/")
            if last == ".wh..wh..opq":
                emptied += 1
                assert any(old.startswith(f"{folder}/") for old in seen)
            elif last.startswith(".wh."):
                removed += 1
                assert f"{folder}/{last.removeprefix('.wh.')}" in seen
            else:
                files += last.startswith(("f", "source"))
                rewritten += path in seen and last.startswith(("f", "source"))
        seen.update(paths)
    assert files >= 60
    assert rewritten
    assert removed
    assert emptied
    assert sum("source" in path.rpartition("/")[2] for path in seen) >= SOURCES


def test_an_image_that_is_there_is_used_again_and_its_facts_hold(tmp_path: Path) -> None:
    oci_archive, docker_archive = make(tmp_path)
    facts = json.loads((oci_archive.parent / "facts.json").read_text())
    with tarfile.open(docker_archive, "r:") as tar:
        sizes = [member.size for member in tar if member.name.endswith(".tar")]
    assert facts["plain_size"] == sum(sizes)
    assert facts["layers"] == len(sizes) == 10
    oci_archive.write_bytes(b"not made again")
    assert make(tmp_path)[0].read_bytes() == b"not made again"
    assert make(tmp_path, "--seed", "2")[0] != oci_archive
