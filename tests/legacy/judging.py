"""A file of Keras 2, exported and held against the answers that Keras 2 gave when it wrote the file.

python -m tests.legacy.judging FOLDER FORMAT...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras import KerasReference, load_keras
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.making import make_variants
from edgeconv.errors import EdgeconvError
from edgeconv.tasks import ANY
from tests.legacy.verdicts import BY_KERAS3, BY_TF_KERAS, FAILED, LIE, REFUSED, SAVED, Verdict
from tests.legacy.writing import ANSWERS, APPLICATIONS, FORMATS, H5, KERAS, SAVED_MODEL

TOLERANCE = 1e-4
"""The largest difference over the spread of Keras 2's answers, as in `tests.layers`."""

NETWORK_TOLERANCE = 1e-3
"""Of a whole network, as in `tests.zoo`: some hundred layers after another add up what rounding costs each."""

HALF_TOLERANCE = 0.02
"""Of answers in half precision: the file answers in float32."""

FILES = {H5: "model.h5", KERAS: "model.keras", SAVED_MODEL: SAVED_MODEL}


def judge(folder: Path, kind: str) -> Verdict:
    """Export a file of a case's folder, and compare the result with the answers that lie beside it."""
    import onnxruntime

    path = folder / FILES[kind]
    try:
        reference = load_keras(path, unsafe=kind == SAVED_MODEL, task=ANY)
        content = make_variants(VariantContext(reference)).fp32.bytes
    except EdgeconvError as error:
        return Verdict(REFUSED, str(error).replace(str(path), FILES[kind]))
    except Exception as error:  # What a user must never see.
        return Verdict(FAILED, f"traceback: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    with np.load(folder / ANSWERS, allow_pickle=False) as arrays:
        order = json.loads((folder / "order.json").read_text())
        inputs = _in_order(session.get_inputs(), order["inputs"], arrays, "input")
        wanted = _in_order(session.get_outputs(), order["outputs"], arrays, "answer")
    names = [port.name for port in session.get_inputs()]
    try:
        given = [np.asarray(answer) for answer in session.run(None, dict(zip(names, inputs, strict=True)))]
    except Exception as error:
        return Verdict(FAILED, f"does not run: {' '.join(str(error).split())[:300]}")
    wrong = difference(wanted, given, NETWORK_TOLERANCE if folder.name.startswith(APPLICATIONS) else TOLERANCE)
    return Verdict(LIE, wrong) if wrong else Verdict(SAVED if kind == SAVED_MODEL else _opener(reference))


def _opener(reference: KerasReference) -> str:
    foreign = any(hasattr(layer, "foreign_parameters") for layer in reference.model.layers)
    return BY_TF_KERAS if foreign else BY_KERAS3


def _in_order(ports: list[Any], names: list[str], arrays: Any, stem: str) -> list[NDArray[Any]]:
    """Return the arrays in the order of a file's ports, by their names; a single one may be called otherwise."""
    order = [port.name for port in ports]
    places = [names.index(name) for name in order] if sorted(order) == sorted(names) else range(len(names))
    found = [arrays[f"{stem}_{place}"] for place in places]
    # Keras 2 was given whole numbers for pixels; a file that takes raw pixels takes them as bytes.
    types = {"tensor(uint8)": "uint8"} if stem == "input" else {}
    return [array.astype(types.get(port.type, array.dtype)) for port, array in zip(ports, found, strict=True)]


def difference(wanted: list[NDArray[Any]], given: list[NDArray[Any]], tolerance: float = TOLERANCE) -> str:
    """Return what differs by more than a share of the spread, or nothing."""
    if len(wanted) != len(given):
        return f"{len(given)} outputs instead of {len(wanted)}"
    for index, (one, other) in enumerate(zip(wanted, given, strict=True)):
        if one.shape != other.shape:
            return f"output {index} is {other.shape}, not {one.shape}"
        spread = float(np.ptp(one.astype(np.float64))) if one.size else 0.0
        error = float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64)), initial=0.0))
        allowed = HALF_TOLERANCE if one.dtype == np.float16 else tolerance
        if not error <= allowed * (spread or 1.0):
            return f"output {index} differs from Keras 2 by {error / (spread or 1.0):.2g} of its spread"
    return ""


def main() -> None:
    """Judge every case of a folder; a line of standard output for each file."""
    import keras

    root, kinds = Path(sys.argv[1]), sys.argv[2:] or FORMATS
    for folder in sorted(path for path in root.iterdir() if (path / "order.json").is_file()):
        for kind in kinds:
            if (folder / FILES[kind]).exists():
                verdict = judge(folder, kind)
                print(json.dumps([folder.name, kind, verdict.outcome, verdict.reason]), flush=True)
        keras.backend.clear_session(free_memory=False)


if __name__ == "__main__":
    main()
