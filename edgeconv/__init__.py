"""A Keras convnet on a device: trained, exported to verified int8 ONNX, served, with accuracy parity proved.

    train     dataset -> exported/<name>/model.keras          needs the extra `train`
    export    .keras -> verified ONNX, fp32 and int8          needs the extra `train`
    evaluate  the parity ledger of an artifact
    benchmark, tune, profile   the speed of the variants on this device
    inspect   what is in a model                              needs the extra `train`
    diagnose  what works on this machine
    serve     a model answers over HTTP                       needs the extra `serve`
    bundle    a project that embeds a model through ONNX Runtime
    Predictor pictures -> answers, with numpy and onnxruntime
    Runner    arrays by name -> arrays by name, for any model

Importing this package imports none of its parts: each comes with its first use. The public names are listed once, in
`__init__.pyi`.
"""

from __future__ import annotations

import os
from functools import cache

# Read by ONNX Runtime when it is loaded, so it stands here, ahead of every module that imports it. Without it the
# runtime's Linux wheels, from 1.29 on, keep a device id under the home folder and send usage data.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@cache
def _homes() -> dict[str, str]:
    """Return the module of each public name, as the stub beside this file lists them."""
    from pathlib import Path

    lines = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line.startswith("from ")]
    return {name: module for _, module, _, name, _, _ in words}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("edgeconv")
    if name == "__all__":
        return sorted(_homes())
    if name.startswith("_") or name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = _homes()[name]
    if home in {"edgeconv.conversion.export", "edgeconv.inspection.inspect"}:
        from edgeconv.errors import require

        require("onnx", "onnx_ir", extra="train", purpose="Exporting or inspecting a model")
    if home == "edgeconv.serving.server":
        from edgeconv.errors import require

        require("starlette", "uvicorn", "prometheus_client", extra="serve", purpose="Serving")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_homes(), "__version__"])
