"""What one core can multiply at most: matrix products of ONNX Runtime, large enough that nothing else counts, and small
enough for the cache of one core and for a moment in which nothing else runs on it.

They run in the same rounds as the contenders. Of integers there are three kinds: which is fastest depends on the
processor, and some overflow on some processors, which a file's accuracy may not survive: `exact` says which do not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.inference.contenders import LIMIT, Contender

ROWS, INNER, COLUMNS = 256, 512, 512
MULTIPLY_ADDS = ROWS * INNER * COLUMNS
FP32 = "fp32 matrices"
KINDS: dict[str, tuple[Any, Any]] = {
    FP32: (np.float32, np.float32),
    "uint8 x uint8 matrices": (np.uint8, np.uint8),
    "uint8 x int8 matrices": (np.uint8, np.int8),
    "int8 x int8 matrices": (np.int8, np.int8),
}


def left_side(dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the left matrix of a type, the same each time."""
    return _random(dtype, (ROWS, INNER))


def products(folder: Path) -> list[Contender]:
    """Write the matrix products into a folder, and return them as contenders."""
    from onnx import helper, numpy_helper, save

    made = []
    for number, (name, (left, right)) in enumerate(KINDS.items()):
        real = name == FP32
        kinds = [helper.np_dtype_to_tensor_dtype(np.dtype(kind)) for kind in (left, np.float32 if real else np.int32)]
        graph = helper.make_graph(
            [helper.make_node("MatMul" if real else "MatMulInteger", ["a", "b"], ["c"])],
            "product",
            [helper.make_tensor_value_info("a", kinds[0], (ROWS, INNER))],
            [helper.make_tensor_value_info("c", kinds[1], (ROWS, COLUMNS))],
            [numpy_helper.from_array(_random(np.dtype(right), (INNER, COLUMNS)), "b")],
        )
        file = folder / f"product{number}.onnx"
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
        made.append(Contender(name, LIMIT, "product", file, "fp32" if real else "int8"))
    return made


def exact(name: str, file: Path) -> bool:
    """Return whether a product of integers has no sum that overflowed."""
    import onnxruntime

    left, right = KINDS[name]
    matrix = left_side(np.dtype(left))
    (found,) = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"a": matrix})
    weights = _random(np.dtype(right), (INNER, COLUMNS))
    # In float64, which is exact here and has a fast product, unlike integers.
    return name == FP32 or np.array_equal(found, matrix.astype(np.float64) @ weights.astype(np.float64))


def _random(dtype: np.dtype[Any], shape: tuple[int, int]) -> NDArray[Any]:
    generator = np.random.default_rng(0)
    if dtype == np.float32:
        return generator.uniform(-1, 1, shape).astype(np.float32)
    bounds = np.iinfo(dtype)
    return generator.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
