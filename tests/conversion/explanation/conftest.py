"""The network, its files, and pictures for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
from edgeconv.conversion.graph.simplify import simplify  # noqa: E402
from edgeconv.conversion.keras import KerasReference  # noqa: E402
from tests.conversion.int8.networks import quantized  # noqa: E402


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> KerasReference:
    from tests.conversion.explanation.networks import loaded, network  # Not above: it needs TensorFlow.

    return loaded(network(), tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def fp32(reference: KerasReference) -> Any:
    return simplify(reference.to_onnx())


@pytest.fixture(scope="module")
def feeds() -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(2).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)}


@pytest.fixture(scope="module")
def int8(fp32: Any) -> Any:
    images = np.random.default_rng(3).integers(0, 256, (16, 28, 28, 1), dtype=np.uint8)
    return quantized(fp32, images).model
