"""A device that runs Python: QEMU in user mode, and a Python for its processor."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from edgeconv.caching import cache_folder
from edgeconv.errors import ProviderError
from edgeconv.evaluation.emulation.devices import ARM, X86, Device

OLDEST_QEMU = (7, 2)
"""The first that emulates AVX2 (wiki.qemu.org/ChangeLog/7.2), and one that knows Cortex-A76."""

INSTALL = (
    "Install it with `apt install qemu-user-static` (Debian, Ubuntu) or `dnf install qemu-user-static` (Fedora); "
    "macOS and Windows have none: run edgeconv in a Debian container there"
)

FOLDER_VARIABLE = "EDGECONV_DEVICES"
PYTHON = Path("usr/bin/python3")

MOST_LETTERS = 300


class EmulationError(Exception):
    """A program on a device failed, or took too long. The message is the last line that it wrote to stderr."""


@dataclass(frozen=True)
class Emulator:
    """A device that runs Python.

    Attributes:
        device: what is emulated.
        qemu: the program that does so.
        root: the folder of the device's own system; None where the Python of this process runs on it.
    """

    device: Device
    qemu: str
    root: Path | None

    def run(self, *arguments: str | Path, timeout_s: float) -> str:
        """Run Python with numpy and onnxruntime on the device, away from the present folder.

        Args:
            *arguments: of Python: a script or ``-c``, and what follows.
            timeout_s: seconds that it may take.

        Returns:
            What it wrote to stdout.

        Raises:
            EmulationError: it failed, or took too long.
        """
        # Our own scripts' folder is no place to import from, nor is anything of ours on another architecture.
        python = (sys.executable, "-P") if self.root is None else (self.root / PYTHON, "-I")
        environment = {**os.environ} if self.root is None else {"LC_ALL": "C.UTF-8"}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}
        with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
            system = Path(scratch) / "system"
            system.mkdir()
            self.device.disguise(system)
            for part in self.root.iterdir() if self.root else ():
                (system / part.name).symlink_to(part)
            # A file that lies in the folder behind -L is read from there, and any other from where it is.
            command = (self.qemu, "-cpu", self.device.cpu, "-L", system, *python, *arguments)
            # In a folder that goes: QEMU leaves a core file where a program crashed.
            return _output_of(command, timeout_s, Path(scratch), environment)


def arm_root() -> Path:
    """Return where the ARM system with our release of ONNX Runtime lies: below $EDGECONV_DEVICES, else in the cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    folder = Path(named).expanduser().resolve() if named else cache_folder("devices")
    return folder / f"arm64-onnxruntime-{ort.__version__}"


def emulator_of(device: Device) -> Emulator:
    """Return a device that can be run here.

    Raises:
        ProviderError: QEMU or the device's system is missing.
    """
    names = (f"qemu-{device.architecture}-static", f"qemu-{device.architecture}")
    qemu = next(filter(None, map(shutil.which, names)), None)
    if qemu is None:
        raise ProviderError(f"{device.title} requires qemu-{device.architecture}. Not installed. {INSTALL}.")
    _check_version(qemu)
    if device.architecture != ARM:
        if platform.machine().lower() not in {X86, "amd64"}:
            raise ProviderError(
                f"{device.title} runs the Python of this process, which must be one for x86-64. Received: "
                f"{platform.machine()}. Leave `{device.name}` out here."
            )
        return Emulator(device, qemu, None)
    root = arm_root()
    if not (root / PYTHON).exists():
        raise ProviderError(
            f"{device.title} requires an ARM system with Python and onnxruntime {ort.__version__}. Not found: {root}. "
            f"Make it with `make arm-root` in edgeconv's sources, or name the folder above it in {FOLDER_VARIABLE}."
        )
    return Emulator(device, qemu, root)


def _check_version(qemu: str) -> None:
    done = subprocess.run([qemu, "--version"], capture_output=True, text=True, errors="replace", check=False)
    said = " ".join(done.stdout.split())
    found = re.search(r"version (\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_QEMU:
        oldest = ".".join(map(str, OLDEST_QEMU))
        raise ProviderError(f"`{qemu}` must be of QEMU {oldest} or later. Received: {said[:80]}. Install a newer one.")


def _output_of(command: Sequence[str | Path], timeout_s: float, folder: Path, environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"nothing within {timeout_s:.0f} seconds") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = lines[-1][:MOST_LETTERS].rstrip(".") if lines else f"no words, and exit code {done.returncode}"
        raise EmulationError(said)
    return done.stdout
