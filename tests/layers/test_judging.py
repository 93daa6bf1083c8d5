"""The judge itself: what it must not let pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeconv.errors import UnsupportedModelError
from tests.layers import running
from tests.layers.case import Case, Feed
from tests.layers.running import FAILED, REFUSED, VERIFIED, Verdict, judge

pytestmark = pytest.mark.train


def rescaling(x: object) -> object:
    import keras

    return keras.layers.Rescaling(2.0)(x)


CASE = Case("Rescaling", "by two", (Feed((3,)),), rescaling)


def writes(factor: float, *, op: str = "Mul") -> Callable[[Path, Path], Path]:
    """Return an exporter that always writes the same graph."""

    def export(path: Path, folder: Path) -> Path:
        helper = onnx.helper
        graph = helper.make_graph(
            [helper.make_node(op, ["x", "factor"], ["y"])],
            "test",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3])],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])],
            [onnx.numpy_helper.from_array(np.float32(factor), "factor")],
        )
        onnx_path = folder / "model.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), onnx_path)
        return onnx_path

    return export


def raises(error: Exception) -> Callable[[Path, Path], Path]:
    def export(path: Path, folder: Path) -> Path:
        raise error

    return export


@pytest.mark.parametrize(
    ("export", "wanted"),
    [
        (writes(2.0), Verdict(VERIFIED)),
        (writes(2.01), Verdict(FAILED, "differs from Keras")),
        (writes(2.0, op="Expm1"), Verdict(FAILED, "does not load")),
        (raises(KeyError("oh")), Verdict(FAILED, "traceback: KeyError")),
        (raises(UnsupportedModelError("`rescaling` cannot be. Replace it.")), Verdict(REFUSED, "cannot be")),
        (raises(UnsupportedModelError("a rescaling cannot be.")), Verdict(FAILED, "names none of rescaling")),
        (raises(UnsupportedModelError("`rescaling`\ncannot be.")), Verdict(FAILED, "several lines")),
    ],
    ids=["right", "wrong values", "unknown operator", "traceback", "refused", "refused without a name", "two lines"],
)
def test_the_judge_lets_pass_what_is_right_or_refused_by_name(
    export: Callable[[Path, Path], Path], wanted: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "export", export)
    verdict = judge(CASE, tmp_path)
    assert verdict.outcome == wanted.outcome, verdict
    assert wanted.reason in verdict.reason


def test_a_case_must_hold_its_subject(tmp_path: Path) -> None:
    verdict = judge(Case("Dense", "by two", (Feed((3,)),), rescaling), tmp_path)
    assert verdict.outcome == FAILED
    assert "holds no Dense" in verdict.reason


def test_a_degenerate_reference_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "export", writes(2.0))
    verdict = judge(Case("Rescaling", "of zeros", (Feed((3,), low=0, high=0),), rescaling), tmp_path)
    assert verdict.outcome == FAILED
    assert "degenerate" in verdict.reason
