"""The table of layers, in bounded memory."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
keras = pytest.importorskip("keras", reason="needs the extra `train`")
from edgeconv.conversion.explanation import explaining, recording  # noqa: E402
from edgeconv.conversion.explanation.divergence import first_divergence  # noqa: E402
from edgeconv.conversion.explanation.explaining import explain  # noqa: E402
from edgeconv.conversion.explanation.table import Explanation  # noqa: E402
from edgeconv.conversion.graph.simplify import simplify  # noqa: E402
from edgeconv.conversion.keras import KerasReference  # noqa: E402
from tests.conversion.explanation.networks import (  # noqa: E402
    divergent,
    enliven,
    layers,
    loaded,
    node_named,
)
from tests.conversion.int8.networks import quantized  # noqa: E402


def test_the_table_shows_what_int8_costs_at_each_layer(
    reference: KerasReference, feeds: Any, fp32: Any, int8: Any
) -> None:
    found = explain(reference, feeds, {"fp32": fp32, "int8": int8})
    rows = {row.layer: row for row in found.rows}
    assert [rows[name].errors["fp32"] for name in ("scaling", "stem")] == [None, None], "folded into the next"
    for name in ("stem_relu", "inner/leaky", "inner/leaky#2", "join", "dropout", "wide", "pool", "flat", "hidden"):
        exact, rounded = rows[name].errors["fp32"], rows[name].errors["int8"]
        assert exact is not None
        assert rounded is not None, name
        assert exact.sqnr_db is None or exact.sqnr_db > 100, name
        assert rounded.sqnr_db is not None
        assert 20 < rounded.sqnr_db < 60, name
        assert 0 < rounded.max_error < rows[name].spread, name
    record = found.as_dict()
    assert record["variants"] == ["fp32", "int8"]
    assert {"layer", "class_name", "shape", "spread", "int8_value", "int8_sqnr_db", "int8_max_error"} <= set(
        record["layers"][0]
    )
    assert Explanation.from_dict(json.loads(json.dumps(record))) == found


def test_a_layer_that_int8_cannot_hold_is_the_worst(tmp_path: Path) -> None:
    """One channel a thousand times as large leaves the others a fraction of a step."""
    entry = layers.Input((12, 12, 1))
    x = layers.Rescaling(1 / 255, name="scaling")(entry)
    x = layers.Conv2D(8, 3, activation="relu", name="first")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="second")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="third")(x)
    x = layers.Flatten(name="flat")(x)  # A mean could lose more than what it is the mean of.
    model = keras.Model(entry, layers.Dense(4, activation="softmax", name="head")(x))
    enliven(model)
    kernel, bias = model.get_layer("second").get_weights()
    bias[3] += 1000.0
    model.get_layer("second").set_weights([kernel, bias])
    next_kernel, next_bias = model.get_layer("third").get_weights()
    next_kernel[:, :, 3] = 0.0  # What follows does not read the large channel.
    model.get_layer("third").set_weights([next_kernel, next_bias])
    reference = loaded(model, tmp_path)
    images = np.random.default_rng(7).integers(0, 256, (16, 12, 12, 1), dtype=np.uint8)
    whole = simplify(reference.to_onnx())
    rounded = quantized(whole, images).model
    found = explain(reference, {"image": images[:4]}, {"fp32": whole, "int8": rounded})
    worst = found.worst("int8")
    assert worst is not None
    assert worst.layer == "third"
    divergence = first_divergence(reference, {"image": images[:4]}, rounded, tolerance=0.02)
    assert divergence is not None
    assert divergence.layer == "third"


def test_no_more_than_a_chunk_is_held(
    reference: KerasReference, feeds: Any, fp32: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def counted(model: Any, run: Callable[[], Any], names: Any) -> Any:
        outputs = recording.outputs_of(model, run, names)
        held.append(sum(array.nbytes for array in outputs.values()))
        return outputs

    whole = explain(reference, feeds, {"fp32": fp32})
    monkeypatch.setattr(explaining, "outputs_of", counted)
    limit = 9 * 40_000
    chunked = explain(reference, feeds, {"fp32": fp32}, chunk_bytes=limit)
    assert chunked == whole
    assert len(held) > 3
    assert max(held) <= limit / 9


def test_bisection_holds_the_output_of_one_layer(
    reference: KerasReference, feeds: Any, fp32: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeconv.conversion.explanation import divergence

    asked: list[Any] = []

    def counted(model: Any, run: Callable[[], Any], names: Any) -> Any:
        asked.append(list(names))
        return recording.outputs_of(model, run, names)

    monkeypatch.setattr(divergence, "outputs_of", counted)
    broken = copy.deepcopy(fp32)
    node_named(broken, "hidden/Elu").attribute.append(onnx.helper.make_attribute("alpha", 0.5))
    assert divergent(reference, feeds, broken) == "hidden"
    assert all(len(names) == 1 for names in asked)
    assert len(asked) <= 8, "of 17 layers"
