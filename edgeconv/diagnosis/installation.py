"""Which ONNX Runtime is installed, whether two wheels overwrote each other, and which CUDA it wants."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import onnxruntime as ort

from edgeconv.diagnosis.findings import ABSENT, BROKEN, NOTE, WORKS, Finding

PLAIN = "onnxruntime"
_PARTS = {"cuda": ("nvidia-cuda-runtime", "CUDA"), "cudnn": ("nvidia-cudnn", "cuDNN")}


def installation_findings(installed: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Tell of the build of ONNX Runtime, and of wheels that lie one over another.

    Args:
        installed: versions by the names of distributions; None looks at this environment.
    """
    found = _installed() if installed is None else installed
    wheels = [name for name in found if _is_wheel(name)]
    listed = ", ".join(f"{name} {found[name]}" for name in wheels) or f"{PLAIN} {ort.__version__}"
    if len(wheels) > 1:
        kept = next(name for name in wheels if name != PLAIN)
        yield Finding(
            "onnxruntime",
            BROKEN,
            f"{listed} are installed together, and each overwrites files of the other.",
            f"pip uninstall --yes {' '.join(wheels)} && pip install {kept}",
        )
        return
    yield Finding("onnxruntime", WORKS, f"{listed}, {ort.get_device()} build.")


def cuda_findings(
    installed: Mapping[str, str] | None = None, built: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Tell whether the CUDA and cuDNN that a wheel was built for are there; nothing for a wheel without CUDA.

    Args:
        installed: versions by the names of distributions; None looks at this environment.
        built: ``"cuda"`` and ``"cudnn"``, the versions that ONNX Runtime was built for; None asks it.
    """
    wanted = _built_for() if built is None else built
    found = _installed() if installed is None else installed
    if not wanted:
        return
    driver = _driver()
    yield (
        Finding("nvidia driver", WORKS, driver)
        if driver
        else Finding("nvidia driver", ABSENT, "nvidia-smi finds no card.", "install NVIDIA's driver for this system")
    )
    for part, version in wanted.items():
        package, title = _PARTS[part]
        major = version.partition(".")[0]
        there = {name: found[name] for name in found if name.startswith(package)}
        fits = any(value.partition(".")[0] == major for value in there.values())
        if fits:
            yield Finding(title, WORKS, f"{version} is wanted; {', '.join(map(' '.join, there.items()))}.")
            continue
        received = ", ".join(map(" ".join, there.items())) or "none among Python's packages; the system may have it"
        remedy = f"pip install 'onnxruntime-gpu[cuda,cudnn]=={ort.__version__}'"
        yield Finding(title, BROKEN if there else NOTE, f"{version} is wanted. Received: {received}.", remedy)


def _installed() -> dict[str, str]:
    """Return the versions of what an import would find: of two of a name the first, and no wheel that another hides."""
    imported, found = Path(ort.__file__).resolve().parent, dict[str, str]()
    for dist in distributions():
        name = re.sub(r"[-_.]+", "-", dist.metadata["Name"] or "").lower()
        if not _is_wheel(name) or Path(str(dist.locate_file(imported.name))).resolve() == imported:
            found.setdefault(name, dist.version)
    return found


def _is_wheel(name: str) -> bool:
    """Tell whether a distribution is an ONNX Runtime, and no plugin or addition of one."""
    beside = {"onnxruntime-qnn", "onnxruntime-ggml", "onnxruntime-extensions"}
    return name == PLAIN or (re.fullmatch(r"onnxruntime-(?!ep-)\w+", name) is not None and name not in beside)


def _built_for() -> dict[str, str]:
    """Return the versions of CUDA and cuDNN that a wheel of ONNX Runtime says it was built for."""
    try:
        info = importlib.import_module("onnxruntime.capi.build_and_package_info")
    except ImportError:
        return {}
    versions = {part: str(getattr(info, f"{part}_version", "") or "") for part in _PARTS}
    return {part: version for part, version in versions.items() if version}


def _driver() -> str:
    """Return the first NVIDIA card with its driver, in words; empty where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().partition("\n")[0]
