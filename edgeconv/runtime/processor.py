"""What the processor is, and what it can do that decides how int8 is to be computed."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from edgeconv.record import Record
from edgeconv.runtime.cores import usable_cores

CPUINFO = Path("/proc/cpuinfo")
BOARD = Path("/proc/device-tree/model")
X86 = {"x86_64", "amd64", "i386", "i686", "x86"}
VNNI = {"avx512_vnni", "avx_vnni"}

ABILITIES = (
    *("ssse3", "sse4_1", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve"),
)
"""Linux' names of the abilities that ONNX Runtime's kernels are chosen by (onnxruntime, core/mlas/lib/platform.cpp)."""


class Processor(Record):
    """A processor as far as it decides how fast a model runs.

    Attributes:
        architecture: as `platform.machine` has it.
        name: of the model; on a board, of the board as well.
        abilities: those of `ABILITIES` that it has; empty where nobody can tell.
        cores: those that this process may use.
    """

    architecture: str
    name: str
    abilities: tuple[str, ...]
    cores: int

    def fingerprint(self, onnxruntime_version: str) -> str:
        """Return 16 hexadecimal digits that stand for this processor with a release of ONNX Runtime."""
        facts = (self.architecture, self.name, *self.abilities, str(self.cores), onnxruntime_version)
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def read_processor(cpuinfo: Path = CPUINFO, board: Path = BOARD) -> Processor:
    """Describe the processor that this process runs on.

    Args:
        cpuinfo: Linux' list of the processor's abilities.
        board: the name of the board, on a single-board computer with Linux.
    """
    facts = _facts(cpuinfo)
    # x86 has flags, ARM has features; ARM has no model name, but the designer's number of each kind of core.
    found = set(facts.get("flags", facts.get("Features", "")).split())
    parts = " ".join(sorted(set(facts.get("CPU part", "").split("\n")) - {""}))
    name = " ".join(text for text in (facts.get("model name", parts), _board(board)) if text)
    return Processor(
        architecture=platform.machine(),
        name=name or _name_elsewhere() or "unknown",
        abilities=tuple(ability for ability in ABILITIES if ability in found),
        cores=usable_cores(),
    )


def int8_overflows(machine: str | None = None, cpuinfo: Path = CPUINFO) -> bool:
    """Tell whether sums of uint8 x int8 products overflow on this processor: an x86 without VNNI.

    Such a processor adds two products in 16 bits and saturates (VPMADDUBSW). ONNX Runtime's own test,
    `MlasPlatformU8S8Overflow`, is true on processors with VNNI as well, where its remedy would only cost time.

    Args:
        machine: as `platform.machine` has it.
        cpuinfo: Linux' list of the processor's abilities.

    Returns:
        False on other architectures and with VNNI; True on an x86 without, or where nobody can tell: right before fast.

    Example:
        >>> int8_overflows("aarch64")
        False
    """
    if (machine or platform.machine()).lower() not in X86:
        return False
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as lines:
            flags = next((line.split() for line in lines if line.startswith("flags")), [])
    except OSError:
        return True
    return not VNNI & set(flags)


def _facts(cpuinfo: Path) -> Mapping[str, str]:
    """Return the keys of the list: of the first core, but the numbers of the parts of all, one a line."""
    facts: dict[str, str] = {}
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return facts
    for key, value in re.findall(r"^([^\t:]+?)\s*:[ \t]*(.*)$", text, re.MULTILINE):
        if key == "CPU part":
            facts[key] = f"{facts.get(key, '')}\n{value.strip()}"
        else:
            facts.setdefault(key, value.strip())
    return facts


def _board(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip("\0\n ")
    except OSError:
        return ""


def _name_elsewhere() -> str:
    """Return the model's name on a system without Linux' list."""
    if sys.platform != "darwin":
        return platform.processor()
    import subprocess  # Here, since it is slow to import, and other systems need none of it.

    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return platform.processor()
