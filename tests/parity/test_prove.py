from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.comparison import Answers, Batch, ComparisonSet, Feeds
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import FAKE_QUANTIZED, Stage, in_batches, on_images
from edgeconv.variants import FP16_TOLERANCE, FP32_TOLERANCE

IMAGES = np.arange(1200, dtype=np.uint8)[:, None]
VALUES = np.array([[0.0, 4.0], [2.0, 1.0]], np.float32)


def _one_hot(images: np.ndarray) -> np.ndarray:
    return np.eye(2, dtype=np.float32)[images[:, 0] % 2]


def _given() -> ComparisonSet:
    """Return two inputs, to which Keras answers `VALUES` and their double, with a spread of 10."""
    batches = tuple(Batch({"x": part}, "your inputs", {"y": part}) for part in (VALUES, 2 * VALUES))
    return ComparisonSet("given", "given", "0", batches, spreads={"y": 10.0})


def _off_by(error: float) -> Stage:
    """Return a stage that answers `VALUES`, and is off by so much."""

    def run(feeds: Feeds) -> Answers:
        return {"y": feeds["x"] + np.float32(error)}

    return Stage("fp16" if error > 0.01 else "fp32", "CPUExecutionProvider", run, 7, timed=False)


def test_images_are_given_some_at_a_time_and_known_answers_are_not_asked_for() -> None:
    sizes = []

    def run(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        return _one_hot(images)

    compared = ComparisonSet.of_images(IMAGES, IMAGES[:, 0] % 2, dataset="parity", split="test")
    stages = [Stage(name, "x", on_images(run), 1, timed=False) for name in ("keras", "fp32")]
    known = {"keras": ({"scores": _one_hot(IMAGES)},)}
    ledger = prove(stages, compared, max_drop=0.2, kind="probabilities", known=known)
    assert sizes == [500, 500, 200]
    assert (ledger.passed, [row.accuracy for row in ledger.rows]) == (True, [1.0, 1.0])


def test_logits_are_compared_as_probabilities() -> None:
    compared = ComparisonSet.of_images(IMAGES[:4], dataset="parity", split="calibration")
    stages = [
        Stage("keras", "x", on_images(lambda images: 1000 * _one_hot(images)), 1, timed=False),
        Stage("e2e", "x", on_images(_one_hot), 1, timed=False, gives_probabilities=True),
    ]
    assert prove(stages, compared, max_drop=0.0, kind="logits").rows[1].max_abs_dp == 0.0
    assert prove(stages, compared, max_drop=0.0, kind="probabilities").rows[1].max_abs_dp == 999.0


def test_a_stage_is_held_against_the_one_that_it_names() -> None:
    """Of a model that was trained to be int8: fp32 against Keras without fake quantization, int8 against Keras with."""
    compared = ComparisonSet.of_images(IMAGES[:4], IMAGES[:4, 0] % 2, dataset="parity", split="test")
    wrong = on_images(lambda images: 1 - _one_hot(images))
    stages = [
        Stage("keras", "x", on_images(_one_hot), 1, timed=False),
        Stage(FAKE_QUANTIZED, "x", wrong, 1, timed=False),
        Stage("int8", "x", wrong, 1, timed=False, against=FAKE_QUANTIZED),
    ]
    ledger = prove(stages, compared, max_drop=0.0, kind="probabilities")
    assert [row.agreement for row in ledger.rows] == [1.0, 0.0, 1.0]
    assert [(gate.stage, gate.passed) for gate in ledger.gates] == [("int8", True)]


def test_values_are_compared_by_their_spread_batch_by_batch() -> None:
    compared = _given()
    keras = Stage("keras", "tensorflow", lambda feeds: {"y": feeds["x"]}, 9, timed=False)
    known = {"keras": tuple(batch.expected for batch in compared.batches)}
    ledger = prove([keras, _off_by(0.005), _off_by(0.2)], compared, max_drop=0.2, kind="tensor", known=known)
    reference, fp32, fp16 = ledger.rows
    assert (reference.count, reference.agreement, reference.max_abs_dp, reference.sqnr_db) == (4, 1.0, 0.0, None)
    assert (fp32.agreement, fp32.max_abs_dp) == (1.0, pytest.approx(5e-4, rel=1e-3))
    assert (fp16.agreement, fp16.max_abs_dp) == (0.0, pytest.approx(2e-2, rel=1e-3))
    assert [(gate.limit, gate.passed) for gate in ledger.gates] == [(FP32_TOLERANCE, True), (FP16_TOLERANCE, False)]
    assert ledger.in_spreads


def test_a_stage_of_one_batch_size_gets_no_other() -> None:
    sizes = []

    def run(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        return _one_hot(images)

    np.testing.assert_array_equal(in_batches(on_images(run), 4)({"x": IMAGES[:10]})["scores"], _one_hot(IMAGES[:10]))
    assert sizes == [4, 4, 4]
