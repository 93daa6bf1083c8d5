"""How far the answers of a bundle may be off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.interface import BundleArray, BundleInterface
from edgeconv.bundling.selftest import SelftestSample
from edgeconv.bundling.tolerances import Tolerance, difference, measure_tolerances
from edgeconv.errors import UnsupportedModelError
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model


@pytest.fixture(scope="module")
def context() -> BundleContext:
    return collect_context(read_files(reference_model()), "int8")


class _Answering:
    """A session that gives known answers, one call after the other."""

    def __init__(self, answers: Sequence[Sequence[np.ndarray]]) -> None:
        self.waiting = list(answers)

    def run(self, *_: Any) -> Sequence[np.ndarray]:
        return self.waiting.pop(0)


def _measured(context: BundleContext, samples: Sequence[SelftestSample], answers: Any = None) -> tuple[Tolerance, ...]:
    session = _Answering(answers or [sample.outputs for sample in samples])
    return measure_tolerances(context.interface, context.manifest, samples, session, "m")


def test_tolerances_leave_room_for_what_was_measured(context: BundleContext) -> None:
    probabilities, prepared = context.tolerances
    assert (probabilities.output, prepared.output, prepared.limit) == ("probabilities", "prepared", 1.0)
    assert 0.02 <= probabilities.limit < 0.1
    off = [(sample.outputs[0] + 0.03, sample.outputs[1]) for sample in context.samples]
    assert _measured(context, context.samples, off)[0].limit == pytest.approx(0.06, rel=1e-5)


def test_tolerances_shrink_where_no_answer_is_sure(context: BundleContext) -> None:
    unsure = np.full((1, 1000), 0.001, np.float32)
    samples = [replace(sample, outputs=(unsure, sample.outputs[1])) for sample in context.samples]
    assert _measured(context, samples)[0].limit == pytest.approx(0.02 * 0.002)
    assert _measured(context, context.samples)[0].limit == pytest.approx(0.02)


def test_a_model_that_answers_otherwise_than_its_reference_is_not_bundled(context: BundleContext) -> None:
    other = [(sample.outputs[0][:, ::-1], sample.outputs[1]) for sample in context.samples]
    with pytest.raises(UnsupportedModelError, match=r"`probabilities` within 0\.2 of a .* Bundle `--variant fp32`"):
        _measured(context, context.samples, other)


def test_a_graph_that_prepares_otherwise_than_python_is_refused(context: BundleContext) -> None:
    darker = [(sample.outputs[0], sample.outputs[1] // 2) for sample in context.samples]
    with pytest.raises(UnsupportedModelError, match="must prepare pictures in ONNX as in Python, within 1 grey level"):
        _measured(context, context.samples, darker)


def test_other_outputs_may_be_off_by_a_share_of_their_spread(context: BundleContext) -> None:
    array = BundleArray("y", "float32", (None, 2))
    interface = BundleInterface(None, "arrays", None, (array,), (array,))
    samples = [SelftestSample((row,), (row,)) for row in np.array([[[-100.0, 20.0]], [[0.0, 300.0]]], np.float32)]
    manifest = replace(context.manifest, output=replace(context.manifest.output, kind="tensor", value_range=None))
    measured = measure_tolerances(interface, manifest, samples, _Answering([s.outputs for s in samples]), "m")
    assert [(each.output, each.limit, each.unit) for each in measured] == [("y", 8.0, "of the output")]
    off = [[sample.outputs[0] + 90] for sample in samples]
    with pytest.raises(UnsupportedModelError, match=r"`y` within 0\.2 of its spread\. Received: a difference of 90"):
        measure_tolerances(interface, manifest, samples, _Answering(off), "m")


def test_what_is_no_number_differs_infinitely() -> None:
    assert difference(np.array([1.0, np.nan]), np.array([1.0, 1.0])) == np.inf
    assert difference(np.array([np.inf, 1.0]), np.array([np.inf, 3.0])) == 2.0
    assert difference(np.array([255], np.uint8), np.array([0], np.uint8)) == 255.0
