"""Projects with a history, each a Dockerfile as people write them and files as they change.

Nothing here is suggested: what is expected is only whether anything should be, and for some that
nothing may be, because the obvious change of order would break them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .base_image import BASE, DEPENDENCIES

Files = dict[str, bytes | None]
"""What a commit writes, and (None) removes."""

COMMITS = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """``start``: the first commit's files beside the Dockerfile. ``changes``: what a commit
    changes, by its number. ``target``: the stage to build. ``expected``: whether a suggestion of
    tier A or B should stand. ``per_commit``: a build argument that is the commit's id."""

    name: str
    dockerfile: str
    start: Files
    changes: Callable[[int, random.Random], Files]
    expected: bool
    target: str | None = None
    per_commit: str | None = None

    def commits(self) -> Iterator[Files]:
        """The files of each commit, the first one first."""
        draw = random.Random(self.name)
        yield {
            "Dockerfile": self.dockerfile.replace("BASE", BASE).encode(),
            ".dockerignore": b".git\n",
            "README.md": b"# " + self.name.encode() + b"\n",
            **self.start,
        }
        for number in range(1, COMMITS):
            yield self.changes(number, draw)


def _code(draw: random.Random, size: int = 3000) -> bytes:
    """Text about as hard to compress as code."""
    words = [f"name_{draw.randrange(400)} = call_{draw.randrange(90)}()" for _ in range(size // 24)]
    return "\n".join(words).encode() + b"\n"


def _tree(name: str, directory: str, suffix: str, count: int, size: int = 3000) -> Files:
    draw = random.Random(f"{name} {directory}")
    return {f"{directory}/file_{number}{suffix}": _code(draw, size) for number in range(count)}


def _blobs(name: str, directory: str, count: int, size: int) -> Files:
    draw = random.Random(f"{name} {directory}")
    return {f"{directory}/blob_{number}.bin": draw.randbytes(size) for number in range(count)}


def _often(
    directory: str, suffix: str, seldom: Callable[[int], Files] | None = None, every: int = 9
) -> Callable[[int, random.Random], Files]:
    """Code changes in nearly every commit, the lists of dependencies in one of ``every``, the
    README in one of ten and then alone."""

    def changes(number: int, draw: random.Random) -> Files:
        if number % 10 == 5:
            return {"README.md": f"# at {number}\n".encode()}
        files: Files = {
            f"{directory}/file_{draw.randrange(12)}{suffix}": _code(draw)
            for _ in range(draw.randrange(1, 4))
        }
        if seldom is not None and number % every == 3:
            files.update(seldom(number))
        return files

    return changes


def _pinned(*packages: str) -> Callable[[int], Files]:
    """A list of packages, of which only a comment changes: the wheels there are of one version."""
    return lambda number: {"requirements.txt": "\n".join([f"# {number}", *packages, ""]).encode()}


_requirements = _pinned("flask==3.0.3", "requests==2.32.3", "pillow==10.4.0")
_science = _pinned("numpy==1.26.4", "pillow==10.4.0")


def _npm(lock: bytes, **more: object) -> Callable[[int], Files]:
    """package.json and its lock; what changes is the application's own version."""

    def manifests(number: int) -> Files:
        version = f"1.0.{number}"
        package = {
            "name": "app",
            "version": version,
            "private": True,
            "dependencies": DEPENDENCIES,
            **more,
        }
        return {
            "package.json": json.dumps(package, indent=2).encode() + b"\n",
            "package-lock.json": lock.replace(
                b'"version": "1.0.0"', f'"version": "{version}"'.encode(), 2
            ),
        }

    return manifests


def _go(number: int) -> Files:
    return {
        "go.mod": f"module app\n\ngo 1.22\n\nrequire example.com/lib v1.0.{number}\n".encode(),
        "go.sum": f"example.com/lib v1.0.{number} h1:abc=\n".encode(),
    }


def _named(name: str) -> Callable[[int], Files]:
    return lambda number: {name: f"# version {number}\n".encode()}


def _several(*names: str) -> Callable[[int], Files]:
    return lambda number: {name: f"# version {number}\n".encode() for name in names}


def _crate(number: int) -> Files:
    """A manifest that names its target, so that fetching need not look for one in the sources."""
    manifest = '[package]\nname = "app"\n\n[[bin]]\nname = "app"\npath = "src/file_0.rs"\n'
    lock = f"# version {number}\n"
    return {"Cargo.toml": f"{manifest}{lock}".encode(), "Cargo.lock": lock.encode()}


_PIP = """\
FROM BASE
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python3", "-m", "src"]
"""

_APT_AND_PIP = """\
FROM BASE

ENV PYTHONUNBUFFERED=1
COPY . /srv/app
WORKDIR /srv/app

# what the application calls
RUN apt-get update && \\
    apt-get install -y --no-install-recommends jq fonts-noto-color-emoji && \\
    rm -rf /var/lib/apt/lists/*

RUN pip install --no-cache-dir -r requirements.txt
EXPOSE 8000
CMD python3 -m src
"""

_IN_ORDER = """\
FROM BASE
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
CMD ["python3", "-m", "src"]
"""

_NODE = """\
FROM BASE
WORKDIR /usr/src/app
COPY . .
RUN npm ci --omit=dev
EXPOSE 3000
CMD ["node", "src/file_0.js"]
"""

_NODE_BUILD = """\
FROM BASE
WORKDIR /app
COPY . /app
RUN npm ci
RUN mkdir -p dist && cat src/*.js > dist/bundle.js
CMD ["node", "dist/bundle.js"]
"""

_GO = """\
FROM BASE AS build
WORKDIR /src
COPY . .
RUN go mod download
RUN go build -o /out/app ./...

FROM BASE
COPY --from=build /out /usr/local/app
ENTRYPOINT ["/usr/local/app/app"]
"""

_CONDA = """\
FROM BASE
COPY . /opt/project
WORKDIR /opt/project
RUN conda env create -f environment.yml
ENV PATH=/opt/conda/envs/app/bin:$PATH
CMD ["python3", "src/file_0.py"]
"""

_MAVEN = """\
FROM BASE
WORKDIR /build
COPY . .
RUN mvn -B dependency:go-offline
RUN mvn -B package
"""

_CARGO = """\
FROM BASE
WORKDIR /build
COPY . .
RUN cargo fetch --locked
RUN cargo build --release
"""

_BUNDLE = """\
FROM BASE
WORKDIR /app
COPY . .
RUN bundle install
CMD ["ruby", "src/file_0.rb"]
"""

_COPIES = """\
FROM BASE
COPY src /app/src
COPY config /app/config
COPY models /app/models
COPY static /app/static
CMD ["python3", "/app/src/file_0.py"]
"""

_ARGUMENT = """\
FROM BASE
ARG GIT_SHA
RUN apt-get update && apt-get install -y --no-install-recommends iso-codes && \\
    rm -rf /var/lib/apt/lists/*
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir -r /tmp/requirements.txt
COPY src /app/src
LABEL revision=$GIT_SHA
"""

_USERS = """\
FROM BASE
COPY --chown=1000:1000 src /home/app/src
RUN apt-get update && apt-get install -y --no-install-recommends tree iso-codes && \\
    rm -rf /var/lib/apt/lists/*
USER 1000
CMD ["tree", "/home/app"]
"""

_DATA = """\
FROM BASE
WORKDIR /work
COPY src src
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY data data
COPY notebooks notebooks
"""

_EDITABLE = """\
FROM BASE
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir --no-build-isolation --no-deps -r requirements.txt
"""

_MAKE = """\
FROM BASE
WORKDIR /app
COPY . .
RUN make install
"""


def projects(lock: bytes) -> tuple[Project, ...]:
    """All of them. ``lock``: package-lock.json of what npm finds in the base image."""
    npm = _npm(lock)
    copying = _npm(lock, scripts={"postinstall": "cp src/file_0.js /installed.js"})
    return (
        Project(
            name="pip",
            dockerfile=_PIP,
            start=_tree("pip", "src", ".py", 12) | _requirements(0),
            changes=_often("src", ".py", _requirements),
            expected=True,
        ),
        Project(
            name="apt-pip",
            dockerfile=_APT_AND_PIP,
            start=_tree("apt-pip", "src", ".py", 12) | _requirements(0),
            changes=_often("src", ".py", _requirements),
            expected=True,
        ),
        Project(
            name="pip-in-order",
            dockerfile=_IN_ORDER,
            start=_tree("pip-in-order", "src", ".py", 12) | _requirements(0),
            changes=_often("src", ".py", _requirements),
            expected=False,
        ),
        Project(
            name="npm",
            dockerfile=_NODE,
            start=_tree("npm", "src", ".js", 12) | npm(0),
            changes=_often("src", ".js", npm),
            expected=True,
        ),
        Project(
            name="npm-build",
            dockerfile=_NODE_BUILD,
            start=_tree("npm-build", "src", ".js", 12) | npm(0),
            changes=_often("src", ".js", npm),
            expected=True,
        ),
        Project(
            name="go-stages",
            dockerfile=_GO,
            start=_tree("go-stages", "cmd", ".go", 12) | _go(0),
            changes=_often("cmd", ".go", _go),
            expected=True,
            target="build",
        ),
        Project(
            name="conda",
            dockerfile=_CONDA,
            start=_tree("conda", "src", ".py", 12) | _named("environment.yml")(0),
            changes=_often("src", ".py", _named("environment.yml")),
            expected=True,
        ),
        Project(
            name="maven",
            dockerfile=_MAVEN,
            start=_tree("maven", "src", ".java", 12) | _named("pom.xml")(0),
            changes=_often("src", ".java", _named("pom.xml")),
            expected=True,
        ),
        Project(
            name="cargo",
            dockerfile=_CARGO,
            start=_tree("cargo", "src", ".rs", 12) | _crate(0),
            changes=_often("src", ".rs", _crate),
            expected=True,
        ),
        Project(
            name="bundle",
            dockerfile=_BUNDLE,
            start=_tree("bundle", "src", ".rb", 12) | _several("Gemfile", "Gemfile.lock")(0),
            changes=_often("src", ".rb", _several("Gemfile", "Gemfile.lock")),
            expected=True,
        ),
        Project(
            name="copies",
            dockerfile=_COPIES,
            start=_tree("copies", "src", ".py", 12)
            | _tree("copies", "config", ".toml", 3)
            | _blobs("copies", "models", 3, 6_000_000)
            | _blobs("copies", "static", 10, 200_000),
            changes=_often("src", ".py", _named("config/file_1.toml"), every=6),
            expected=True,
        ),
        Project(
            name="argument",
            dockerfile=_ARGUMENT,
            start=_tree("argument", "src", ".py", 12) | _requirements(0),
            changes=_often("src", ".py", _requirements),
            expected=True,
            per_commit="GIT_SHA",
        ),
        Project(
            name="users",
            dockerfile=_USERS,
            start=_tree("users", "src", ".py", 12),
            changes=_often("src", ".py"),
            expected=True,
        ),
        Project(
            name="data",
            dockerfile=_DATA,
            start=_tree("data", "src", ".py", 12)
            | _tree("data", "notebooks", ".ipynb", 4, 40_000)
            | _blobs("data", "data", 4, 5_000_000)
            | _science(0),
            changes=_often("src", ".py", _science),
            expected=True,
        ),
        Project(
            name="editable",
            dockerfile=_EDITABLE,
            start=_tree("editable", "src", ".py", 12)
            | {
                "requirements.txt": b"numpy==1.26.4\n-e .\n",
                "setup.py": b"from setuptools import setup\nsetup(name='app', version='1')\n",
            },
            changes=_often("src", ".py"),
            expected=False,
        ),
        Project(
            name="modules-in-context",
            dockerfile=_NODE,
            start=_tree("modules", "src", ".js", 12)
            | npm(0)
            | {"node_modules/lodash/local.js": b"// patched here\n"},
            changes=_often("src", ".js", npm),
            expected=False,
        ),
        Project(
            name="postinstall",
            dockerfile=_NODE,
            start=_tree("postinstall", "src", ".js", 12) | copying(0),
            changes=_often("src", ".js"),
            expected=False,
        ),
        Project(
            name="make",
            dockerfile=_MAKE,
            start=_tree("make", "src", ".py", 12)
            | {"Makefile": b"install:\n\tcat src/*.py > /usr/local/bin/app\n"},
            changes=_often("src", ".py"),
            expected=False,
        ),
    )
