"""int8 of any inputs and outputs: whole numbers and sequences of open length in, several outputs out."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers

FEEDS = """
import numpy as np

def feeds():
    numbers = np.random.default_rng(1)
    for length in (5, 9, 7, 12) * 4:
        yield {"tokens": numbers.integers(0, 20, (3, length)), "facts": numbers.normal(size=(3, 4))}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> edgeconv.ExportedModel:
    """Export a network with attention and recurrence; TensorFlow takes some seconds for both."""
    folder = tmp_path_factory.mktemp("sequences")
    tokens, facts = keras.Input((None,), dtype="int32", name="tokens"), keras.Input((4,), name="facts")
    words = layers.Embedding(20, 8)(tokens)
    words = layers.MultiHeadAttention(2, 4)(words, words)
    steps = layers.GRU(6, return_sequences=True)(words)
    both = layers.Concatenate()([layers.LSTM(4)(steps), layers.Dense(6, activation="relu")(facts)])
    outputs = {"what": layers.Dense(3, activation="softmax")(both), "each": layers.Dense(2)(steps)}
    alive(keras.Model([tokens, facts], outputs)).save(folder / "m.keras")
    (folder / "own_sequences.py").write_text(FEEDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        config = ExportConfig(quantize=True, calibration="own_sequences:feeds", max_drop=20.0)
        return export_here(folder / "m.keras", config=config, out=folder / "m")


def test_each_output_has_a_gate_of_its_own(exported: edgeconv.ExportedModel) -> None:
    gates = [gate.name for gate in exported.ledger.gates if gate.stage == "int8"]
    assert gates == ["flips in percent of what", "RMS error over spread in percent of each"]
    row = exported.ledger.row("int8")
    assert row is not None
    assert (row.count, set(row.outputs)) == (48, {"what", "each"})
    assert all(own.max_error > 1e-4 for own in row.outputs.values()), "it is computed in int8"


def test_what_is_recurrent_stays_in_float_and_is_said_to(exported: edgeconv.ExportedModel) -> None:
    reasons = {node.operator: node.reason for node in exported.manifest.variants["int8"].float_nodes}
    assert reasons["LSTM"].startswith("ONNX Runtime has no int8 kernel in QDQ form for it")
    assert {"GRU", "Loop"} & set(reasons)


def test_int8_takes_what_keras_takes(exported: edgeconv.ExportedModel) -> None:
    runner = edgeconv.Runner(exported.path)
    assert runner.variant == "int8"
    answers = runner.run({"tokens": np.ones((2, 6), np.int32), "facts": np.zeros((2, 4), np.float32)})
    assert {name: array.shape for name, array in answers.items()} == {"what": (2, 3), "each": (2, 6, 2)}
