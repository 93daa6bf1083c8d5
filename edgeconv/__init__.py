"""A Keras convnet on a device: trained, exported to verified int8 ONNX, served, with accuracy parity proved.

    train     dataset -> exported/<name>/model.keras          needs the extra `train`
    export    .keras -> verified ONNX, fp32 and int8          needs the extra `train`
    evaluate  the parity ledger of an artifact
    benchmark, tune, profile   the speed of the variants on this device
    inspect   what is in a model                              needs the extra `train`
    bundle    a project that embeds a model through ONNX Runtime
    Predictor pictures -> labels, with numpy and onnxruntime

Importing this package imports none of its parts: each comes with its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeconv.benchmarking.measuring import benchmark
    from edgeconv.benchmarking.profiling import profile
    from edgeconv.benchmarking.tuning import tune
    from edgeconv.bundling.bundler import Bundle, bundle
    from edgeconv.bundling.checking import check_bundle
    from edgeconv.config import ExportConfig, TrainConfig
    from edgeconv.conversion.export import export
    from edgeconv.conversion.exported import ExportedModel
    from edgeconv.datasets import DatasetSpec
    from edgeconv.errors import EdgeconvError
    from edgeconv.evaluation.evaluate import evaluate
    from edgeconv.inspection.inspect import Inspection, inspect
    from edgeconv.manifest import Manifest
    from edgeconv.parity.ledger import Ledger
    from edgeconv.runtime.predictor import Prediction, Predictor
    from edgeconv.training import TrainedModel, train

_HOMES = {
    "Bundle": "bundling.bundler",
    "DatasetSpec": "datasets",
    "EdgeconvError": "errors",
    "ExportConfig": "config",
    "ExportedModel": "conversion.exported",
    "Inspection": "inspection.inspect",
    "Ledger": "parity.ledger",
    "Manifest": "manifest",
    "Prediction": "runtime.predictor",
    "Predictor": "runtime.predictor",
    "TrainConfig": "config",
    "TrainedModel": "training",
    "benchmark": "benchmarking.measuring",
    "bundle": "bundling.bundler",
    "check_bundle": "bundling.checking",
    "evaluate": "evaluation.evaluate",
    "export": "conversion.export",
    "inspect": "inspection.inspect",
    "profile": "benchmarking.profiling",
    "train": "training",
    "tune": "benchmarking.tuning",
}

__all__ = [
    "Bundle",
    "DatasetSpec",
    "EdgeconvError",
    "ExportConfig",
    "ExportedModel",
    "Inspection",
    "Ledger",
    "Manifest",
    "Prediction",
    "Predictor",
    "TrainConfig",
    "TrainedModel",
    "benchmark",
    "bundle",
    "check_bundle",
    "evaluate",
    "export",
    "inspect",
    "profile",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home in {"conversion.export", "inspection.inspect"}:
        from edgeconv.errors import require

        require("onnx", "onnx_ir", extra="train", purpose="The conversion room")
    return getattr(import_module(f"edgeconv.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
