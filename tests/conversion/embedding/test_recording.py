from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the extra `train`")
from edgeconv.conversion.explanation.recording import in_chunks, layer_order, outputs_of  # noqa: E402

pytestmark = pytest.mark.train

layers = keras.layers


def _names(model: Any, *arrays: np.ndarray) -> list[str]:
    return [record.name for record in layer_order(model, lambda: model(*arrays, training=False))]


def _nested() -> Any:
    inner = keras.Sequential(
        [layers.Input((4,)), layers.Dense(4, name="dense"), layers.ReLU(name="relu")], name="inner"
    )
    entry = layers.Input((4,), name="entry")
    twice = inner(inner(entry))
    return keras.Model(entry, layers.Dense(2, name="head")(twice), name="outer")


X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


def test_layers_inside_layers_and_second_calls_have_names_of_their_own() -> None:
    names = _names(_nested(), X)
    assert names == ["inner/dense", "inner/relu", "inner/dense#2", "inner/relu#2", "head"]


def test_a_record_describes_the_output() -> None:
    model = _nested()
    record = layer_order(model, lambda: model(X))[-1]
    answer = np.asarray(model(X))
    assert (record.path, record.class_name, record.shape, record.dtype) == ("head", "Dense", (3, 2), "float32")
    assert record.size_bytes == answer.nbytes
    assert record.statistics.low == answer.min()
    assert record.statistics.mean == pytest.approx(answer.mean())


def test_a_subclassed_model_is_followed_and_its_own_arithmetic_is_a_record() -> None:
    class Doubling(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="doubling")
            self.dense = layers.Dense(2, name="dense")

        def call(self, x: Any) -> Any:
            return self.dense(x) * 2.0

    model = Doubling()
    model(X)
    assert _names(model, X) == ["dense", "doubling"]
    outputs = outputs_of(model, lambda: model(X), ["dense", "doubling"])
    np.testing.assert_allclose(outputs["doubling"], 2 * outputs["dense"])


def test_every_output_of_a_layer_is_a_record() -> None:
    entry = layers.Input((5, 4))
    sequence, hidden, cell = layers.LSTM(2, return_sequences=True, return_state=True, name="lstm")(entry)
    model = keras.Model(entry, [sequence, hidden, cell])
    names = _names(model, np.ones((2, 5, 4), np.float32))
    assert names == ["lstm", "lstm[1]", "lstm[2]"], "the cell's steps are left out"


def test_outputs_are_those_of_a_model_cut_there() -> None:
    model = _nested()
    cut = keras.Model(model.inputs, model.get_layer("head").input)
    np.testing.assert_array_equal(outputs_of(model, lambda: model(X), ["inner/relu#2"])["inner/relu#2"], cut(X))


def test_a_run_ends_once_the_outputs_are_there() -> None:
    model = _nested()
    ended: list[bool] = []

    def run() -> None:
        model(X)
        ended.append(True)

    assert set(outputs_of(model, run, ["inner/relu"])) == {"inner/relu"}
    assert not ended


def test_keras_is_left_as_it_was_also_behind_an_error() -> None:
    original = layers.Layer.__call__
    model = _nested()

    def fails() -> None:
        model(X)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        layer_order(model, fails)
    outputs_of(model, lambda: model(X), ["inner/dense"])
    assert layers.Layer.__call__ is original


def test_chunks_keep_the_order_and_the_limit() -> None:
    model = _nested()
    records = layer_order(model, lambda: model(X))
    sizes = [[record.size_bytes for record in chunk] for chunk in in_chunks(records, 100)]
    assert sizes == [[48, 48], [48, 48], [24]]
    assert [len(chunk) for chunk in in_chunks(records, 1)] == [1] * 5
