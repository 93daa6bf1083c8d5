"""Any model, arrays by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import InputError
from edgeconv.runtime.array_files import read_arrays
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from tests.runtime.artifacts import of_task

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)


@pytest.mark.parametrize("file", ["", "model.onnx"])
def test_arrays_by_name(tiny: Path, file: str) -> None:
    runner = Runner(tiny / file, variant="fp32")
    answers = runner.run({"image": IMAGES})
    assert list(answers) == ["probabilities"]
    np.testing.assert_array_equal(answers["probabilities"], Predictor(tiny, variant="fp32").probabilities(IMAGES))


def test_a_model_of_no_task(tiny: Path, tmp_path: Path) -> None:
    runner = Runner(of_task(tiny, tmp_path / "m", "any"))
    assert [spec.name for spec in runner.inputs] == ["image"]
    assert runner.run({"image": IMAGES})["probabilities"].shape == (5, 3)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"x": IMAGES}, "takes arrays named image. Received: x"),
        ({}, "takes arrays named image. Received: none"),
        ({"image": [1, 2]}, r"`image` must be uint8 \(batch, 12, 12, 3\)\. Received: list"),
        ({"image": IMAGES.astype(np.float32)}, r"Received: float32 \(5, 12, 12, 3\)\. Give raw pixels 0-255"),
        ({"image": IMAGES[0]}, "Add the batch axis"),
        ({"image": IMAGES[:, 1:]}, r"Received: uint8 \(5, 11, 12, 3\)\. Bring it"),
    ],
)
def test_what_does_not_fit_is_refused(tiny: Path, arrays: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Runner(tiny).run(arrays)


def test_a_variant_that_takes_pictures_is_given_one(tiny: Path) -> None:
    runner, picture = Runner(tiny, variant="e2e"), np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    assert [(spec.name, spec.shape) for spec in runner.inputs] == [("picture", ("height", "width", "channels"))]
    answers = runner.run({"picture": picture})
    assert {name: array.shape for name, array in answers.items()} == {"probabilities": (1, 3)}
    (prediction,) = Predictor(tiny, variant="e2e", top_k=1).predict(picture).top
    assert answers["probabilities"].max() == np.float32(prediction.probability)
    for wrong in (picture[None], picture[..., :2]):
        with pytest.raises(InputError, match=r"`picture` must be uint8 \(height, width, .*channels\)\. Received"):
            runner.run({"picture": wrong})


def test_arrays_are_read_from_files(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", IMAGES)
    np.savez(tmp_path / "two.npz", a=IMAGES, b=IMAGES[:1])
    np.testing.assert_array_equal(read_arrays(tmp_path / "one.npy", ["image"])["image"], IMAGES)
    assert set(read_arrays(tmp_path / "two.npz", ["a", "b"])) == {"a", "b"}
    with pytest.raises(InputError, match=r"must hold the arrays a, b\. Received: one array without a name"):
        read_arrays(tmp_path / "one.npy", ["a", "b"])
    (tmp_path / "bad.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match=r"must be an \.npz or \.npy file of numbers\. Received: "):
        read_arrays(tmp_path / "bad.npy", ["a"])
    with pytest.raises(InputError, match=r"must be an \.npz or \.npy file\. Received: no such file\. Check the path\."):
        read_arrays(tmp_path / "absent.npz", ["a"])
