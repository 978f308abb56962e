"""A project to suggest for: a repository with a history, and the image its Dockerfile built."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from archive_forms import archive, oci_layout
from dockerfile.git_repository import Repository
from image_builder import BuiltLayer, directory, file, image, layer

DOCKERFILE = b"""\
FROM base
WORKDIR /app
COPY . /app
RUN pip install -r requirements.txt
CMD ["python3", "main.py"]
"""

BETTER = b"""\
FROM base
WORKDIR /app
COPY requirements.txt /app/
RUN pip install -r requirements.txt
COPY . /app
CMD ["python3", "main.py"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """Where the repository and the image are."""

    repository: Path
    image: str

    @property
    def dockerfile(self) -> Path:
        """The Dockerfile in the work tree."""
        return self.repository / "Dockerfile"

    @property
    def words(self) -> tuple[str, str, str]:
        """What names both on the command line."""
        return self.image, "-f", str(self.dockerfile)


def suggested(path: Path, *, commits: int = 24, dockerfile: bytes = DOCKERFILE) -> Suggested:
    """Below ``path``; the code changes in each commit, what is installed in every eighth."""
    repository = Repository(path / "repository")
    repository.commit(
        {
            "Dockerfile": dockerfile,
            ".dockerignore": b".git\n",
            "requirements.txt": b"flask==3.0.0\n",
            "main.py": b"0\n",
        }
    )
    for number in range(1, commits):
        changed: dict[str, bytes | None] = {"main.py": f"{number}\n".encode()}
        if number % 8 == 5:
            changed["requirements.txt"] = f"flask==3.0.{number}\n".encode()
        repository.commit(changed, days=0.1)
    repository.check_out()
    made = path / "image.tar"
    made.write_bytes(archive(oci_layout(image(*layers()))))
    return Suggested(repository=repository.path, image=str(made))


def layers(code: bytes = b"0\n", installed: int = 400_000) -> tuple[BuiltLayer, ...]:
    """What the Dockerfile builds."""
    suffix = "# buildkit"
    return (
        layer(
            directory("/usr"),
            directory("/usr/lib"),
            directory("/etc"),
            file("/etc/passwd", b"root:x:0:0::/:/bin/sh\n"),
            created_by="ADD rootfs.tar / # buildkit",
        ),
        layer(directory("/app"), created_by=f"WORKDIR /app {suffix}"),
        layer(
            directory("/app"),
            file("/app/Dockerfile", DOCKERFILE),
            file("/app/.dockerignore", b".git\n"),
            file("/app/requirements.txt", b"flask==3.0.0\n"),
            file("/app/main.py", code),
            created_by=f"COPY . /app {suffix}",
        ),
        layer(
            directory("/usr/lib"),
            file("/usr/lib/flask.bin", random.Random(1).randbytes(installed)),
            created_by=f"RUN /bin/sh -c pip install -r requirements.txt {suffix}",
        ),
    )
