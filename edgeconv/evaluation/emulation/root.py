"""The folder of an ARM system: Python, numpy and ONNX Runtime. Made once, then used without a network."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import onnxruntime as ort

from edgeconv.caching import cache_folder
from edgeconv.errors import ProviderError
from edgeconv.evaluation.emulation.commands import CommandError, run_command
from edgeconv.evaluation.emulation.debian import unpack_packages
from edgeconv.progress import SILENT, Progress

FOLDER_VARIABLE = "EDGECONV_DEVICES"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
PYTHON = Path("usr/bin/python3")
SITE = Path("usr/lib/python3/dist-packages")
"""Where Debian's Python looks for packages, beside its own library."""

GLIBC = range(17, 37)
"""Minor versions of glibc 2 whose wheels run in Debian 12, which has 2.36."""

TIMEOUT_S = 900.0


def devices_folder() -> Path:
    """Return the folder that keeps the systems: $EDGECONV_DEVICES, else one in the user's cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    return cache_folder("devices")


def arm_root() -> Path:
    """Return where the ARM system with our release of ONNX Runtime lies, or would lie."""
    return devices_folder() / f"arm64-onnxruntime-{ort.__version__}"


def make_arm_root(check: Callable[[Path], None], progress: Progress = SILENT) -> Path:
    """Return the ARM system's folder; made, where it is not there.

    Args:
        check: raises where the new system does not run.
        progress: hears that it is made.

    Raises:
        ProviderError: apt, dpkg or pip is missing, or has no such packages.
    """
    root = arm_root()
    if (root / PYTHON).exists():
        return root
    progress.say(f"An ARM system is made in {root}, once: some 60 MB to download, 200 MB on the disk.")
    with _whole(root) as folder, tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
        unpack_packages(PACKAGES, "arm64", folder, Path(scratch))
        python = (folder / PYTHON).resolve().name
        _unpack_wheels(python.removeprefix("python"), folder / SITE, Path(scratch) / "wheels")
        check(folder)
    return root


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Make a folder whole or not at all: under another name beside it, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sibling = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield sibling
        sibling.chmod(0o755)
        try:
            sibling.rename(path)
        except OSError:
            if not path.is_dir():  # Otherwise another process was faster.
                raise
    finally:
        shutil.rmtree(sibling, ignore_errors=True)


def _unpack_wheels(python: str, site: Path, scratch: Path) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in reversed(GLIBC)]
    # Without dependencies: those of onnxruntime besides numpy are not needed to run a model.
    wheels = ["--only-binary=:all:", "--no-deps", f"--python-version={python}", *platforms, f"--dest={scratch}"]
    try:
        run_command(
            [sys.executable, "-m", "pip", "download", "-q", *wheels, f"onnxruntime=={ort.__version__}", "numpy>=2"],
            timeout_s=TIMEOUT_S,
        )
    except CommandError as error:
        raise ProviderError(
            f"An ARM device requires wheels of onnxruntime {ort.__version__} and numpy for Python {python}, aarch64. "
            f"Received: {error}. Look at the network, or install another release of onnxruntime."
        ) from error
    for wheel in sorted(scratch.glob("*.whl")):
        with ZipFile(wheel) as archive:
            archive.extractall(site)
