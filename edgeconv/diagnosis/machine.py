"""The processor and what follows for int8, cores and memory as far as this process may use them, folders, telemetry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edgeconv.caching import CACHE_VARIABLE, cache_folder
from edgeconv.diagnosis.findings import BROKEN, NOTE, WORKS, Finding
from edgeconv.memory import MEMORY_INFO, memory_allowed, memory_free
from edgeconv.runtime.processor import VNNI, X86, Processor, int8_overflows, read_processor

CACHES = ("calibration", "devices")
TELEMETRY = "ORT_DISABLE_TELEMETRY"
_GB = 1e9


def machine_findings(processor: Processor | None = None, *, overflows: bool | None = None) -> Iterator[Finding]:
    """Tell of the processor, the cores and the memory.

    Args:
        processor: what it is; None looks.
        overflows: whether its int8 sums overflow; None looks.
    """
    own = read_processor() if processor is None else processor
    yield _int8(own, int8_overflows() if overflows is None else overflows)
    yield _cores(own)
    yield _memory()


def _int8(processor: Processor, overflows: bool) -> Finding:
    helps = [name for name in processor.abilities if name in {"avx2", *VNNI, "amx_int8", "asimddp", "i8mm"}]
    what = f"{processor.name} ({processor.architecture}; {', '.join(helps) or 'nothing that helps int8'})"
    if processor.architecture.lower() not in X86:
        fast = "asimddp" in processor.abilities
        text = "int8 is exact here" + (" and fast." if fast else "; without the dot product it gains little over fp32.")
        return Finding(
            "processor", WORKS if fast else NOTE, f"{what}: {text}", "edgeconv export --quantize --target arm64"
        )
    if overflows:
        text = "int8 sums overflow without VNNI. edgeconv lets ONNX Runtime recode the weights: right, and slower."
        return Finding("processor", NOTE, f"{what}: {text}", "edgeconv export --quantize --target avx2")
    return Finding("processor", WORKS, f"{what}: int8 is exact and fast.")


def _cores(processor: Processor) -> Finding:
    total = os.cpu_count() or 1
    text = f"{processor.cores} of {total} may be used."
    if processor.cores == total:
        return Finding("cores", WORKS, text)
    return Finding(
        "cores",
        NOTE,
        f"{text} The affinity mask or the container's quota has fewer: more threads than that only wait.",
        f"--threads {processor.cores} at most, or a larger quota (docker run --cpus)",
    )


def _memory() -> Finding:
    allowed, free, total = memory_allowed(), memory_free(), _total()
    text = f"{allowed / _GB:.1f} GB may be used, {free / _GB:.1f} GB are free."
    if total is not None and allowed < 0.95 * total:
        text = f"{text} The machine has {total / _GB:.1f} GB; a container or a limit has less."
        return Finding("memory", NOTE, text, "a larger limit (docker run --memory, ulimit -d)")
    return Finding("memory", WORKS, text)


def _total() -> int | None:
    try:
        lines = MEMORY_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemTotal:")), None)


def telemetry_finding() -> Finding:
    """Tell whether ONNX Runtime may send usage data; edgeconv turns that off unless somebody else decided."""
    if os.environ.get(TELEMETRY, "") in {"", "0"}:
        return Finding("telemetry", NOTE, "ONNX Runtime may send usage data.", f"export {TELEMETRY}=1")
    return Finding("telemetry", WORKS, "ONNX Runtime sends nothing.")


def cache_findings() -> Iterator[Finding]:
    """Tell which folders of things that are kept cannot be written."""
    folders = {cache_folder(kind) for kind in CACHES}
    bad = [folder for folder in sorted(folders) if not _is_writable(folder)]
    for folder in bad:
        text = f"`{folder}` cannot be written: what is made there is made anew each time."
        yield Finding("cache", BROKEN, text, f"export {CACHE_VARIABLE}=/a/folder/of/yours")
    if not bad:
        yield Finding("cache", WORKS, f"`{min(folders).parent}` can be written.")


def _is_writable(folder: Path) -> bool:
    """Tell whether a folder, or the one that it would be made in, can be written to; nothing is made."""
    place = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
