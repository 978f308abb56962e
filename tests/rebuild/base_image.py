"""The base image of all builds: Debian by mmdebstrap, and what they install, to be had offline.

What comes from Debian, PyPI and npm is fetched once; builds then get the same bytes each time,
and no network is between them and a comparison.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import uuid
from pathlib import Path

from .tools import HERE, output_of, run

BASE = "localhost/layerlens-rebuild/base:1"

LABEL = "layerlens-rebuild"
"""A label that every image built here inherits."""

_SYSTEM = "python3,python3-pip,python3-venv,nodejs,npm,ca-certificates,make"
_WHEELS = ("numpy==1.26.4", "flask==3.0.3", "requests==2.32.3", "pillow==10.4.0", "rich==13.7.1")
_DEBS = ("jq", "libjq1", "libonig5", "tree", "iso-codes", "fonts-noto-color-emoji")
_STAND_INS = ("go", "cargo", "conda", "mvn", "bundle")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PIP = (
    "[global]\nno-index = true\nfind-links = /opt/wheels\nbreak-system-packages = true\n"
    "root-user-action = ignore\ndisable-pip-version-check = true\n"
)
_NPM = (
    "cache=/opt/npm-cache\noffline=true\naudit=false\nfund=false\nupdate-notifier=false\n"
    "logs-max=0\n"
)
DEPENDENCIES = {"express": "4.19.2", "lodash": "4.17.21", "typescript": "5.4.5"}


def prepare(work: Path) -> bytes:
    """Make the base image below ``work``, unless it is there; the lock of what npm finds in it."""
    _fetch_npm(work)
    _make(work)
    return (work / "lock" / "package-lock.json").read_bytes()


def _make(work: Path) -> None:
    known = subprocess.run(
        ["buildah", "inspect", "--type", "image", BASE], capture_output=True, check=False
    )
    if known.returncode == 0:
        return
    tar = work / "base.tar"
    if not tar.exists():
        include = f"--include={_SYSTEM}"
        part = tar.with_suffix(".part.tar")
        run("mmdebstrap", "--variant=minbase", include, "bookworm", str(part))
        part.rename(tar)
    _fetch_wheels(work / "wheels")
    _fetch_debs(work / "debs")
    container = output_of("buildah", "from", "scratch").strip()
    root = output_of("buildah", "mount", container).strip()
    run("tar", "-xf", str(tar), "-C", root)
    run("cp", "-r", str(work / "wheels"), f"{root}/opt/wheels")
    run("cp", "-r", str(work / "debs"), f"{root}/opt/debs")
    Path(f"{root}/etc/pip.conf").write_text(_PIP)
    Path(f"{root}/etc/npmrc").write_text(_NPM)
    Path(f"{root}/etc/apt/sources.list").write_text("deb [trusted=yes] file:/opt/debs ./\n")
    for directory in (f"{root}/etc/apt/sources.list.d",):
        for file in Path(directory).glob("*"):
            file.unlink()
    run("install", "-m755", str(HERE / "stand_ins" / "stand_in"), f"{root}/usr/local/bin/")
    for name in _STAND_INS:
        Path(f"{root}/usr/local/bin/{name}").symlink_to("stand_in")
    run("cp", "-r", str(work / "npm-cache"), f"{root}/opt/npm-cache")
    run("buildah", "umount", container)
    run(
        "buildah",
        "config",
        "--env",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        container,
    )
    run("buildah", "commit", "--quiet", "--rm", container, BASE)


def alike(name: str) -> str:
    """The name of another image with the same files: what was built on any other is no cache of
    what is built on it."""
    image = f"localhost/layerlens-rebuild/base-{name}:1"
    container = output_of("buildah", "from", "--pull-never", BASE).strip()
    run("buildah", "config", "--label", f"{LABEL}={uuid.uuid4()}", container)
    run("buildah", "commit", "--quiet", "--rm", container, image)
    return image


def _fetch_npm(work: Path) -> None:
    lock = work / "lock"
    if (lock / "package-lock.json").exists():
        return
    lock.mkdir(parents=True)
    package = {"name": "app", "version": "1.0.0", "private": True, "dependencies": DEPENDENCIES}
    (lock / "package.json").write_text(json.dumps(package))
    cache = f"--cache={work / 'npm-cache'}"
    resolved = "--omit-lockfile-registry-resolved=false"  # to find each tarball in the cache
    run("npm", "install", "--silent", "--no-audit", "--no-fund", resolved, cache, cwd=lock)


def _fetch_wheels(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    run(
        "python3",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--only-binary=:all:",
        "--python-version=3.11",
        f"--dest={directory}",
        *_WHEELS,
    )


def _fetch_debs(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    run("apt-get", "download", "-q", *_DEBS, cwd=directory)
    index: list[str] = []
    for deb in sorted(directory.glob("*.deb")):
        fields = output_of("dpkg-deb", "--field", str(deb)).strip()
        digest = output_of("sha256sum", str(deb)).split()[0]
        index.append(
            f"{fields}\nFilename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
        )
    text = "\n".join(index)
    (directory / "Packages").write_text(text)
    (directory / "Packages.gz").write_bytes(gzip.compress(text.encode()))
