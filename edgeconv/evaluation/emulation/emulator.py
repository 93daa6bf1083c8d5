"""A device that runs Python: QEMU in user mode, and a Python for its processor."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeconv.errors import ProviderError
from edgeconv.evaluation.emulation.commands import CommandError, find_executable, run_command
from edgeconv.evaluation.emulation.devices import ARM, X86, Device
from edgeconv.evaluation.emulation.root import PYTHON, make_arm_root
from edgeconv.progress import SILENT, Progress

OLDEST_QEMU = (7, 2)
"""The first that emulates AVX2 (wiki.qemu.org/ChangeLog/7.2), and one that knows Cortex-A76."""

INSTALL = (
    "Install it with `apt install qemu-user-static` (Debian, Ubuntu) or `dnf install qemu-user-static` (Fedora); "
    "macOS and Windows have none: run edgeconv in a Debian container there"
)

CHECK_S = 300.0


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
            CommandError: it failed, or took too long.
        """
        with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
            system = Path(scratch) / "system"
            system.mkdir()
            self.device.disguise(system)
            for part in self.root.iterdir() if self.root else ():
                (system / part.name).symlink_to(part)
            # A file that lies in the folder behind -L is read from there, and any other from where it is.
            emulated = (self.qemu, "-cpu", self.device.cpu, "-L", system)
            # In a folder that goes: QEMU leaves a core file where a program crashed.
            command = (*emulated, *self._python(), *arguments)
            return run_command(command, timeout_s=timeout_s, folder=Path(scratch), environment=self._environment())

    def _python(self) -> tuple[str | Path, ...]:
        # Our own scripts' folder is no place to import from.
        return (sys.executable, "-P") if self.root is None else (self.root / PYTHON, "-I")

    def _environment(self) -> Mapping[str, str]:
        own = {**os.environ} if self.root is None else {"LC_ALL": "C.UTF-8"}
        return {**own, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def emulator_of(device: Device, progress: Progress = SILENT) -> Emulator:
    """Return a device that can be run here. An ARM's system is made where there is none yet.

    Raises:
        ProviderError: QEMU, or what is needed to make the system, is not installed.
    """
    qemu = find_executable(f"qemu-{device.architecture}-static", f"qemu-{device.architecture}")
    if qemu is None:
        raise ProviderError(f"{device.title} requires qemu-{device.architecture}. Not installed. {INSTALL}.")
    _check_version(qemu)
    if device.architecture == ARM:
        return Emulator(device, qemu, make_arm_root(partial(_check_system, device, qemu), progress))
    if platform.machine().lower() not in {X86, "amd64"}:
        raise ProviderError(
            f"{device.title} runs the Python of this process, which must be one for x86-64. Received: "
            f"{platform.machine()}. Leave `{device.name}` out here."
        )
    return Emulator(device, qemu, None)


def _check_system(device: Device, qemu: str, root: Path) -> None:
    try:
        Emulator(device, qemu, root).run("-c", "import numpy, onnxruntime", timeout_s=CHECK_S)
    except CommandError as error:
        raise ProviderError(
            f"{device.title} must import numpy and onnxruntime. Received: {error}. Install a newer qemu-user, "
            "or another release of onnxruntime."
        ) from error


def _check_version(qemu: str) -> None:
    try:
        said = run_command([qemu, "--version"], timeout_s=CHECK_S)
    except CommandError as error:
        raise ProviderError(f"`{qemu}` must run. Received: {error}. {INSTALL}.") from error
    found = re.search(r"version (\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_QEMU:
        oldest = ".".join(map(str, OLDEST_QEMU))
        received = " ".join(said.split())[:80]
        raise ProviderError(f"`{qemu}` must be of QEMU {oldest} or later. Received: {received}. Install a newer one.")
