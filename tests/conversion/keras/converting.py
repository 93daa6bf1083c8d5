"""A model saved, opened again, converted, and compared with its file on inputs of a test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402
from edgeconv.conversion.variants.context import VariantContext  # noqa: E402
from edgeconv.conversion.variants.making import make_variants  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers, ops = keras.layers, keras.ops


def reloaded(model: Any, folder: Path, suffix: str = ".keras", **options: Any) -> KerasReference:
    path = folder / f"model{suffix}"
    alive(model).save(path)
    return load_keras(path, **options)


def converted(model: Any, folder: Path, **options: Any) -> tuple[KerasReference, Any]:
    """Return the reference and ONNX Runtime's session, after comparing both on inputs of this test's own."""
    made = make_variants(VariantContext(reloaded(model, folder, **options)))
    reference, file = made.reference, made.fp32
    session = ort.InferenceSession(file.bytes, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(99)
    feeds = {
        port.name: generator.uniform(0, 4, port.sized(reference.batch or 5, 40)).astype(port.dtype)
        for port in reference.inputs
    }
    for name, answer in zip(reference.run(feeds).items(), session.run(None, feeds), strict=True):
        np.testing.assert_allclose(answer, name[1], rtol=1e-4, atol=1e-4 * max(1.0, float(np.ptp(name[1]))))
    assert [value.name for value in session.get_inputs()] == [port.name for port in reference.inputs]
    assert [value.name for value in session.get_outputs()] == [port.name for port in reference.outputs]
    return reference, session
