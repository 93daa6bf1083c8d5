"""Says what an ONNX file is worth beside Keras' own answers, without Keras and without edgeconv.

    python -m tests.zoo.comparison MODEL.onnx reference.npz

prints a line of JSON: `outcome` (`"ok"`, `"wrong answers"` or `"does not load"`), `reason`, `nodes`, `transposes` and
`error`, the largest difference in units of the standard deviation of the reference's outputs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.zoo.children import short

TOLERANCE = 1e-3


def compare(model: Path, reference: Path) -> dict[str, Any]:
    """Return what is printed: see the module."""
    import onnx
    import onnxruntime

    graph = onnx.load(str(model), load_external_data=False).graph
    found: dict[str, Any] = {
        "nodes": len(graph.node),
        "transposes": sum(node.op_type == "Transpose" for node in graph.node),
    }
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    with np.load(reference) as stored:
        image, expected = stored["image"], stored["expected"]
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        # A constant that became a required input makes a file that nobody can use: nobody has its value.
        (entry,) = session.get_inputs()
        eaten = image.astype(np.uint8) if entry.type == "tensor(uint8)" else image
        answers = session.run(None, {entry.name: eaten})[0]
    except Exception as error:  # ONNX Runtime has no common base of its exceptions; each is an outcome here.
        reason = _inputs(session) if "unpack" in str(error) else str(error).split("failed:", 1)[-1]
        return {**found, "outcome": "does not load", "reason": short(reason), "error": None}
    difference = np.abs(answers - expected).max() / expected.std() if answers.shape == expected.shape else np.inf
    right = bool(difference <= TOLERANCE)
    reason = "" if right else f"off by {difference:.3g} of the spread"
    return {
        **found,
        "outcome": "ok" if right else "wrong answers",
        "reason": reason,
        "error": float(difference) if np.isfinite(difference) else None,
    }


def _inputs(session: Any) -> str:
    return f"needs as inputs: {', '.join(entry.name for entry in session.get_inputs())}"


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]), Path(sys.argv[2]))))
