"""Bundles run over many images, each by its own program."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.running import runnable
from edgeconv.errors import ArtifactError, ConfigError, InferenceError
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor


@pytest.fixture
def copy(make_bundle: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("python"), tmp_path / "copy"))


def test_a_bundle_answers_images_as_the_artifact_does(make_bundle: Any) -> None:
    """Starts the bundle's program, twice."""
    images = np.load(reference_model() / "samples.npz")["images"]
    made = runnable(make_bundle("python"))
    assert (made.target, made.labels) == ("python", tuple("0123456789"))
    assert made.size_bytes == (made.path / "model" / "model.e2e.onnx").stat().st_size
    expected = Predictor(reference_model(), variant="int8").probabilities(images)
    np.testing.assert_allclose(made.run(images), expected, atol=1e-6)
    assert made.run(images[:1]).shape == (1, 10)


def test_a_program_that_says_nothing_is_an_error(copy: Path) -> None:
    (copy / "predict.py").write_text("")
    with pytest.raises(InferenceError, match=r"must answer each of 2 images\. Received: 0 answers\. Build it first"):
        runnable(copy).run(np.zeros((2, 28, 28, 1), np.uint8))


def test_a_program_that_says_something_else_is_an_error(copy: Path) -> None:
    (copy / "predict.py").write_text("print('hello')")
    with pytest.raises(InferenceError, match=r"must print a JSON row for each image\. Received: 'hello"):
        runnable(copy).run(np.zeros((2, 28, 28, 1), np.uint8))


def test_a_program_that_is_not_there_is_an_error(make_bundle: Any) -> None:
    unbuilt = runnable(make_bundle("c"))
    with pytest.raises(InferenceError, match=r"must run `build/selftest`\. Received: .*Build it first"):
        unbuilt.run(np.zeros((1, 28, 28, 1), np.uint8))


def test_bundles_that_do_not_run_by_themselves_are_refused(make_bundle: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be one that runs by itself: python, node, web or c. Received: ort"):
        runnable(make_bundle("ort"))


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is required"):
        runnable(tmp_path)


def test_fp32_can_be_bundled(tmp_path: Path) -> None:
    images = np.load(reference_model() / "samples.npz")["images"]
    made = bundle(reference_model(), target="python", variant="fp32", out=tmp_path / "fp32")
    assert made.manifest["variant"] == "fp32"
    expected = Predictor(reference_model(), variant="fp32").probabilities(images)
    np.testing.assert_allclose(runnable(made.path).run(images), expected, atol=1e-6)
