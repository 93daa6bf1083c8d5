"""The target `ort`: a model in ORT format, and the operators that a reduced build of ONNX Runtime must have for it."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.ort_order import in_order
from edgeconv.bundling.portable import portable
from edgeconv.formatting import format_size

MODEL_FILE = "model.ort"
FOLDER, PLAIN_FOLDER = "model", "plain"
"""Where the model lies that the program runs, and the one without its preparation."""
OPERATORS_FILE = "required_operators.config"
TYPES_FILE = "required_operators_and_types.config"

_BASE_BYTES = 1_562_280
"""`libonnxruntime.so` of a minimal build without any operator: Android, arm64, MinSizeRel, main of September 2026, by
ONNX Runtime's own check (github.com/microsoft/onnxruntime, pull request 31691)."""

_OPERATOR_BYTES = 12_200
"""A mean operator: (2,658,304 - 1,306,224) bytes / 111, from the limits that ONNX Runtime set for a minimal build with
the 111 operators of its mobile package and for one without any (the same, pull request 13208)."""


def write_ort(folder: Path, context: BundleContext) -> Mapping[str, str]:
    """Write the model in ORT format, of pictures with and without their preparation, and what each needs.

    The program is that of the target `python`: ONNX Runtime's full library opens either format.

    Args:
        folder: of the bundle.
        context: about the model.

    Returns:
        What the templates may say besides: the model's file, sizes and numbers of operators.
    """
    library = _library()
    values = {
        "MODEL_FILE": MODEL_FILE,
        **_written(context.model, context.variant, folder / FOLDER),
        "BASE_SIZE": format_size(_BASE_BYTES),
        "OPERATOR_SIZE": format_size(_OPERATOR_BYTES),
        "LIBRARY_SIZE": format_size(library.stat().st_size),
        "LIBRARY": f"`{library.name}` of the {platform.system()} {platform.machine()} wheel",
    }
    if context.interface.preparation is None:
        return values
    plain = _written(context.plain, context.variant, folder / PLAIN_FOLDER)
    return values | {f"PLAIN_{name}": value for name, value in plain.items()}


def _written(model: bytes, variant: str, folder: Path) -> dict[str, str]:
    """Write a model in ORT format, and return what templates say of it."""
    operators = _convert(portable(model, variant), folder)
    return {
        "ORT_SIZE": format_size((folder / MODEL_FILE).stat().st_size),
        "ONNX_SIZE": format_size(len(model)),
        "OPERATORS": str(operators),
        "REDUCED_SIZE": format_size(_BASE_BYTES + operators * _OPERATOR_BYTES),
    }


def _convert(model: bytes, folder: Path) -> int:
    """Write a model in ORT format with its configurations, and return of how many operators it is made.

    Fusions up to EXTENDED are baked in; the next level lays tensors out for the processor at hand.
    """
    folder.mkdir(exist_ok=True)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 3
    file = folder / MODEL_FILE
    options.optimized_model_filepath = str(file)
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    operators = _write_operators(folder)
    file.write_bytes(in_order(file.read_bytes()))
    return operators


def _write_operators(folder: Path) -> int:
    handlers = logging.root.handlers[:]
    from onnxruntime.tools.ort_format_model import create_config_from_models
    from onnxruntime.tools.reduced_build_config_parser import parse_config

    logging.root.handlers[:] = handlers  # The tools set up logging for the whole process when they are imported.
    logger = logging.getLogger("ort_format_model.utils")
    logger.setLevel(logging.ERROR)
    model = folder / MODEL_FILE
    for name, with_types in ((OPERATORS_FILE, False), (TYPES_FILE, True)):
        config = folder / name
        create_config_from_models([model], config, with_types)
        text = config.read_text(encoding="utf-8").replace(str(model), MODEL_FILE)
        config.write_text(text, encoding="utf-8")
    required, _ = parse_config(str(folder / OPERATORS_FILE))
    return len({(domain, name) for domain, sets in required.items() for names in sets.values() for name in names})


def _library() -> Path:
    """Return the largest library of the installed ONNX Runtime that a program may link."""
    capi = Path(ort.__file__).parent / "capi"
    found = [path for path in capi.iterdir() if path.name.startswith(("libonnxruntime.", "onnxruntime.dll"))]
    return max(found or capi.glob("onnxruntime_pybind11_state*"), key=lambda path: path.stat().st_size)
