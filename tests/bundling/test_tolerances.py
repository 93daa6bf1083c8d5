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
from edgeconv.bundling.tolerances import Tolerance, measure_tolerances
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


def _mask_of(context: BundleContext, off: int) -> tuple[Tolerance, ...]:
    """Measure a mask of 400 pixels and 4 classes, of which so many are of another class, and 20 are off by 0.03."""
    array = BundleArray("mask", "float32", (None, 20, 20, 4))
    interface = BundleInterface(None, "arrays", None, (array,), (array,))
    meant = replace(context.manifest.output, kind="tensor", task="mask", value_range=(0.0, 1.0))
    wanted = np.zeros((1, 20, 20, 4), np.float32)
    wanted[..., 0] = 1.0
    answered = wanted.copy()
    answered.reshape(-1, 4)[:off] = [0.0, 0.0, 1.0, 0.0]
    answered[0, 19, :, 3] = 0.03
    manifest, samples = replace(context.manifest, output=meant), [SelftestSample((wanted,), (wanted,))] * 2
    return measure_tolerances(interface, manifest, samples, _Answering([[wanted], [answered]]), "m")


def test_a_mask_is_held_by_its_pixels_and_not_by_the_worst_one(context: BundleContext) -> None:
    (none,), (some,) = _mask_of(context, 0), _mask_of(context, 4)
    assert (none.limit, none.spared, none.cell) == (pytest.approx(0.06), 0.0, 4)
    assert (some.limit, some.spared, some.cell) == (pytest.approx(0.06), 0.02, 4)
    assert none.words == "0.06 in `mask`"
    assert some.words == "0.06 in `mask` but for 2 % of its cells"
    assert some.as_dict()["spared"] == 0.02
    assert "spared" not in none.as_dict()


def test_a_mask_with_too_many_pixels_of_other_classes_is_not_bundled(context: BundleContext) -> None:
    with pytest.raises(
        UnsupportedModelError,
        match=r"0\.2 of a probability but for 5 % of its cells\. Received: a difference of 1, in 5\.2 % of its cells\.",
    ):
        _mask_of(context, 21)
