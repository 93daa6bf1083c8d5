"""Models of any task and of any inputs are timed: on golden vectors, else on random arrays of their contract."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import edgeconv
from edgeconv.benchmarking.configurations import Configuration, Opened
from edgeconv.benchmarking.inputs import Inputs
from edgeconv.benchmarking.trust import distrust
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.manifest import ArraySpec
from edgeconv.runtime.files import read_files
from edgeconv.runtime.golden import ArraySamples
from tests.runtime.artifacts import of_task


@pytest.mark.parametrize("task", ["tags", "any"])
def test_a_model_of_another_task_is_timed(tiny: Path, tmp_path: Path, task: str) -> None:
    """A process of its own loads each variant, which takes more than a second."""
    folder = of_task(tiny, tmp_path / "m", task)
    found = edgeconv.benchmark(folder, max_batch=2, max_threads=1, seconds=0.001)
    assert {(row.variant, row.batch) for row in found.rows if row.variant == "fp32"} == {("fp32", 1), ("fp32", 2)}
    assert all(row.accuracy is None and row.load_ms for row in found.rows)
    assert found.accuracy_source == f"not known of the task {task}"
    with pytest.raises(DatasetError, match=r"tells the accuracy of classes.*`edgeconv evaluate --dataset`"):
        edgeconv.benchmark(folder, max_batch=1, max_threads=1, seconds=0.001, dataset="mnist-sample")


def test_golden_arrays_are_given_by_name(tiny: Path, tmp_path: Path) -> None:
    arrays = {"image": np.full((2, 12, 12, 3), 7, np.uint8), "facts": np.ones((2, 5), np.float32)}
    np.savez(tmp_path / "samples.npz", **ArraySamples(arrays, {"out": np.zeros((2, 1))}).as_arrays())  # type: ignore[arg-type]
    files = read_files(tiny)._replace(samples=tmp_path / "samples.npz")
    batch = Inputs.of(files).batch(3)
    assert {name: array.shape for name, array in batch.items()} == {"image": (3, 12, 12, 3), "facts": (3, 5)}


def test_random_arrays_are_of_the_contract(tiny: Path) -> None:
    files = read_files(tiny / "model.onnx")
    more = (
        ArraySpec("words", "int32", ("batch", 6), None, "tensor"),
        ArraySpec("facts", "float32", ("batch", 5), (-3.0, -2.0), "tensor"),
    )
    drawn = Inputs.of(files._replace(manifest=dataclasses.replace(files.manifest, more_inputs=more))).arrays
    assert {name: (array.dtype.name, array.shape) for name, array in drawn.items()} == {
        "image": ("uint8", (1, 12, 12, 3)),
        "words": ("int32", (1, 6)),
        "facts": ("float32", (1, 5)),
    }
    assert drawn["words"].max() <= 1
    assert -3.0 <= drawn["facts"].min() <= drawn["facts"].max() <= -2.0


def test_a_model_of_arrays_is_called_by_name(tiny: Path, tmp_path: Path) -> None:
    files = read_files(of_task(tiny, tmp_path / "m", "any"))
    opened, batch = Opened(files, Configuration("fp32")), Inputs.of(files).batch(2)
    answers = opened.call(batch)()
    assert isinstance(answers, dict)
    np.testing.assert_array_equal(answers["probabilities"], opened.arrays(batch)["probabilities"])


def test_values_that_differ_are_not_trusted(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = read_files(of_task(tiny, tmp_path / "m", "values"))
    assert distrust(files, Configuration("fp32", threads=2)) is None
    own = Opened.arrays
    monkeypatch.setattr(
        Opened,
        "arrays",
        lambda opened, batch: {
            name: array * (2 if opened.configuration.threads == 2 else 1) for name, array in own(opened, batch).items()
        },
    )
    assert "`probabilities` differs by" in str(distrust(files, Configuration("fp32", threads=2)))


def test_options_that_nobody_would_follow_are_not_tuned(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`tune` is for models that take a picture"):
        edgeconv.tune(of_task(tiny, tmp_path / "m", "any"))
