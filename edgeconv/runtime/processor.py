"""What the processor can do that decides how int8 is to be computed."""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
X86 = {"x86_64", "amd64", "i386", "i686", "x86"}
VNNI = {"avx512_vnni", "avx_vnni"}


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
