from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeconv.errors import ArtifactError
from edgeconv.manifest import ArraySpec
from edgeconv.runtime.golden import ArraySamples, Samples, disagreement, golden_arrays, golden_inputs
from edgeconv.runtime.session import Session


def test_samples_cover_all_classes_and_agree(tiny: Path) -> None:
    samples = Samples.load(tiny / "samples.npz")
    assert samples.images.shape == (16, 12, 12, 3)
    assert samples.images.dtype == np.uint8
    assert set(samples.labels.tolist()) == {0, 1, 2}
    assert disagreement(Session((tiny / "model.onnx").read_bytes()), samples) is None


def test_wrong_answers_are_told(tiny: Path) -> None:
    samples = Samples.load(tiny / "samples.npz")
    session = Session((tiny / "model.onnx").read_bytes())
    turned = dataclasses.replace(samples, probabilities=np.roll(samples.probabilities, 1, axis=1))
    assert "16 of 16 golden vectors get another label" in str(disagreement(session, turned))
    blunt = dataclasses.replace(samples, probabilities=samples.probabilities * 0.5)
    assert "0 of 16 golden vectors" in str(disagreement(session, blunt))
    nothing = dataclasses.replace(samples, probabilities=samples.probabilities * np.nan)
    assert disagreement(session, nothing) is not None


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "samples.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ArtifactError, match="must hold golden vectors"):
        Samples.load(tmp_path / "samples.npz")
    np.savez(tmp_path / "samples.npz", x=np.zeros(3))
    with pytest.raises(ArtifactError, match=r"must hold images, labels \(n,\) and prob.*\. Received: x \(3,\)\."):
        Samples.load(tmp_path / "samples.npz")
    with pytest.raises(ArtifactError, match=r"must hold golden vectors of image .*\. Received: x \(3,\)\."):
        golden_inputs(tmp_path / "samples.npz", [_spec("image", "uint8", "batch", 12, 12, 3)])


def test_inputs_of_either_kind_have_names(tiny: Path, tmp_path: Path) -> None:
    inputs, labels = golden_inputs(tiny / "samples.npz", [_spec("image", "uint8", "batch", 12, 12, 3)])
    assert (list(inputs), labels.shape) == (["image"], (16,))  # type: ignore[union-attr]
    arrays = {"a": np.ones((2, 3), np.float32), "b": np.zeros((2, 1), np.int64)}
    np.savez(tmp_path / "samples.npz", **ArraySamples(arrays, {"a": np.zeros((2, 1))}).as_arrays())
    inputs, labels = golden_inputs(
        tmp_path / "samples.npz", [_spec("a", "float32", "batch", 3), _spec("b", "int64", "batch", "n")]
    )
    assert ({name: array.dtype.name for name, array in inputs.items()}, labels) == (
        {"a": "float32", "b": "int64"},
        None,
    )


def _spec(name: str, dtype: str, *shape: int | str) -> ArraySpec:
    return ArraySpec(name, dtype, shape, None, "tensor")


@pytest.mark.parametrize(
    "changed",
    [
        {"images": np.zeros((2, 12, 12, 3), np.float32)},
        {"images": np.zeros((2, 12, 12), np.uint8)},
        {"images": np.zeros((2, 12, 9, 3), np.uint8)},
        {"images": np.zeros(2, np.uint8)},
        {"images": np.array(["a", "b"])},
        {"images": np.zeros((0, 12, 12, 3), np.uint8), "labels": np.zeros(0, np.int64)},
        {"labels": np.zeros(3, np.int64)},
        {"labels": np.zeros((2, 1), np.int64)},
        {"labels": np.full(2, np.nan)},
    ],
)
def test_golden_vectors_of_another_form_are_refused(tmp_path: Path, changed: dict[str, np.ndarray]) -> None:
    arrays = {"images": np.zeros((2, 12, 12, 3), np.uint8), "labels": np.zeros(2, np.int64)}
    spec = _spec("image", "uint8", "batch", 12, 12, 3)
    np.savez(tmp_path / "samples.npz", **arrays)
    assert golden_inputs(tmp_path / "samples.npz", [spec])[0]["image"].shape == (2, 12, 12, 3)
    np.savez(tmp_path / "samples.npz", **{**arrays, **changed})
    with pytest.raises(ArtifactError, match="must hold golden vectors"):
        golden_inputs(tmp_path / "samples.npz", [spec])


def test_golden_vectors_of_either_kind_by_name(tiny: Path, tmp_path: Path) -> None:
    found = golden_arrays(tiny / "samples.npz", ["image"], ["probabilities"])
    samples = Samples.load(tiny / "samples.npz")
    np.testing.assert_array_equal(found.inputs["image"], samples.images)
    np.testing.assert_array_equal(found.outputs["probabilities"], samples.probabilities)
    arrays = ArraySamples({"a": np.ones((2, 1))}, {"b": np.zeros((2, 3)), "c": np.zeros((2, 1))})
    np.savez(tmp_path / "samples.npz", **arrays.as_arrays())
    assert set(golden_arrays(tmp_path / "samples.npz", ["a"], ["b", "c"]).outputs) == {"b", "c"}
    with pytest.raises(ArtifactError, match="must hold golden vectors"):
        golden_arrays(tmp_path / "samples.npz", ["a"], ["b"])


def test_members_that_are_no_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "samples.npz", "w") as archive:
        archive.writestr("images", b"x")
    with pytest.raises(ArtifactError, match=r"must hold golden vectors\. Received: images, which are no arrays\."):
        Samples.load(tmp_path / "samples.npz")
