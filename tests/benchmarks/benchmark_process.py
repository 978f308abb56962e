"""One measured run of one command: wall time of the whole process, peak memory of the largest.

Knows how to run layerlens with and without isal, with an empty or a filled cache, and the floors;
judges nothing.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
WITHOUT_ISAL = HERE / "without_isal"
FLOOR = HERE / "floor.py"
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Sample(NamedTuple):
    """Wall time in seconds, and the largest resident size, in bytes, of the process or a worker.

    The kernel counts the launching process's own size as the least that a child can show.
    """

    seconds: float
    peak_bytes: int


class CommandError(Exception):
    """A measured command did not end with 0; the message is the last line it wrote to stderr."""


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Sample:
    """Run ``command`` to its end, output thrown away. Raises CommandError."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env=dict(environment)
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise CommandError(lines[-1] if lines else f"exit {process.returncode}")
    return Sample(seconds, usage.ru_maxrss * MAXRSS_UNIT)


def environment_with_isal() -> dict[str, str]:
    """This process's environment, as it is."""
    return dict(os.environ)


def environment_without_isal() -> dict[str, str]:
    """An environment in which isal cannot be imported, workers included."""
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(WITHOUT_ISAL), *([inherited] if inherited else [])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def has_isal(environment: Mapping[str, str]) -> bool:
    """Whether layerlens would find isal in ``environment``."""
    command = [sys.executable, "-c", "import isal.isal_zlib"]
    process = subprocess.run(command, env=dict(environment), check=False, capture_output=True)
    return process.returncode == 0


def inspect(archive: Path, environment: Mapping[str, str], cache: Path) -> Sample:
    """``layerlens inspect ARCHIVE`` with the cache directory ``cache``. Raises CommandError."""
    command = [sys.executable, "-P", "-m", "layerlens", "inspect", str(archive)]
    return measure(command, {**environment, "XDG_CACHE_HOME": str(cache)})


def inspect_cold_without_isal(archive: Path) -> Sample:
    """``layerlens inspect ARCHIVE``, its cache empty, inflating with zlib."""
    with tempfile.TemporaryDirectory() as cache:
        return inspect(archive, environment_without_isal(), Path(cache))


def inspect_cold_with_isal(archive: Path) -> Sample:
    """``layerlens inspect ARCHIVE``, its cache empty, with the ``fast`` extra."""
    if not has_isal(environment_with_isal()):
        raise CommandError("isal is not installed here")
    with tempfile.TemporaryDirectory() as cache:
        return inspect(archive, environment_with_isal(), Path(cache))


def inspect_warm(archive: Path) -> Sample:
    """``layerlens inspect ARCHIVE`` a second time, the first having filled the cache."""
    with tempfile.TemporaryDirectory() as cache:
        inspect(archive, environment_with_isal(), Path(cache))
        return inspect(archive, environment_without_isal(), Path(cache))


def floor_inflate(archive: Path) -> Sample:
    """The floor of inflating and hashing; its seconds leave the interpreter's start out."""
    return _floor("inflate", archive)


def floor_tarfile(archive: Path) -> Sample:
    """The bare tarfile loop; its seconds leave the interpreter's start out."""
    return _floor("tarfile", archive)


def _floor(what: str, archive: Path) -> Sample:
    command = [sys.executable, str(FLOOR), what, str(archive)]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    return Sample(float(process.stdout.split()[0]), 0)


def print_version() -> Sample:
    """``layerlens --version``, by the script beside the interpreter where there is one."""
    return measure([sys.executable, *_layerlens(), "--version"], environment_with_isal())


def python_pass() -> Sample:
    """``python -c pass``."""
    return measure([sys.executable, "-c", "pass"], environment_with_isal())


def print_version_without_site() -> Sample:
    """``layerlens --version`` with ``python -S``, which reads no .pth file.

    An editable install makes every start of its environment slower, that of ``python -c pass``
    too, and so flatters their ratio.
    """
    found = importlib.util.find_spec("layerlens")
    if found is None or found.origin is None:
        raise CommandError("layerlens is not installed here")
    environment = {**os.environ, "PYTHONPATH": str(Path(found.origin).parents[1])}
    return measure([sys.executable, "-S", *_layerlens(), "--version"], environment)


def python_pass_without_site() -> Sample:
    """``python -S -c pass``."""
    return measure([sys.executable, "-S", "-c", "pass"], environment_with_isal())


def _layerlens() -> list[str]:
    script = Path(sys.executable).with_name("layerlens")
    return [str(script)] if script.exists() else ["-P", "-m", "layerlens"]
