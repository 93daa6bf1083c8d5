"""The machine that figures were measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import onnxruntime as ort

from edgeconv.runtime.processor import Processor, int8_overflows, read_processor
from edgeconv.runtime.tuned import fingerprint

GOVERNORS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Machine:
    """What decides how fast a model runs here.

    Attributes:
        processor: its name, its abilities, and the cores that this process may use.
        fingerprint: what stands for processor, cores and release of ONNX Runtime in a manifest.
        exact_int8: whether ONNX Runtime is made to recode int8 weights, since sums would overflow on this processor.
        system: the operating system with its release.
        governor: how Linux chooses the clock, such as ``"performance"``; None where that cannot be read.
        load: processes that waited for a core in the last minute, this one included; None on Windows.
        versions: of Python, ONNX Runtime, numpy and edgeconv.
    """

    processor: Processor
    fingerprint: str
    exact_int8: bool
    system: str
    governor: str | None
    load: float | None
    versions: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the machine as a JSON object."""
        return asdict(self)

    def sentence(self) -> str:
        """Return the machine in one line."""
        processor = self.processor
        cores = f"{processor.cores} core{'s' if processor.cores > 1 else ''}"
        return (
            f"{processor.name} ({processor.architecture}{', no VNNI' if self.exact_int8 else ''}), {cores}, "
            f"{self.system}, ONNX Runtime {self.versions['onnxruntime']}"
            f"{f', governor {self.governor}' if self.governor else ''}"
        )


def read_machine(governors: Path = GOVERNORS) -> Machine:
    """Describe the machine that this process runs on.

    Args:
        governors: where Linux lists its cores.
    """
    return Machine(
        processor=read_processor(),
        fingerprint=fingerprint(),
        exact_int8=int8_overflows(),
        system=f"{platform.system()} {platform.release()}",
        governor=_governor(governors),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        versions={
            "python": platform.python_version(),
            "onnxruntime": ort.__version__,
            **{package: _version(package) for package in ("numpy", "edgeconv")},
        },
    )


def _governor(governors: Path) -> str | None:
    """Return the governor of the cores, several where they have several."""
    found = set()
    for path in governors.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        try:
            found.add(path.read_text(encoding="ascii").strip())
        except OSError:
            continue
    return ", ".join(sorted(found)) or None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
