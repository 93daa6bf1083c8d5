from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.benchmarking import accuracy
from edgeconv.benchmarking.accuracy import BATCH, accuracies_of
from edgeconv.benchmarking.configurations import Configuration
from edgeconv.errors import DatasetError
from edgeconv.pictures import showing
from edgeconv.progress import SILENT
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.providers import CPU

CONFIGURATIONS = [Configuration("fp32"), Configuration("int8"), Configuration("e2e")]


def _without_metrics(files: ModelFiles) -> ModelFiles:
    return files._replace(manifest=dataclasses.replace(files.manifest, metrics={}))


def _data(folder: Path, tiny: Path, wrong: int, **arrays: np.ndarray) -> str:
    """Write a set of golden vectors, of which the first labels are wrong; more than a batch of them."""
    samples = Samples.load(tiny / "samples.npz")
    images, labels = (np.resize(array, (BATCH + 10, *array.shape[1:])) for array in (samples.images, samples.labels))
    labels = labels.astype(np.uint8)
    labels[:wrong] = (labels[:wrong] + 1) % 3
    values = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels} | arrays
    np.savez(folder / "data.npz", labels=np.array(["red", "green", "blue"]), **values)
    return str(folder / "data.npz")


def test_the_manifest_knows(tiny: Path) -> None:
    found = accuracies_of(read_files(tiny), CONFIGURATIONS, None, SILENT)
    assert found.of == {("fp32", CPU): 1.0, ("int8", CPU): 1.0, ("e2e", CPU): 1.0}
    assert found.source == "the manifest: patches, test split, measured at the export"


def test_golden_vectors_are_answered_where_the_manifest_does_not_know(tiny: Path) -> None:
    found = accuracies_of(_without_metrics(read_files(tiny)), CONFIGURATIONS, None, SILENT)
    assert found.source == "golden vectors, answered here"
    assert set(found.of.values()) == {1.0}


def test_keras_is_the_truth_where_labels_are_not_known(tiny: Path, tmp_path: Path) -> None:
    samples = Samples.load(tiny / "samples.npz")
    np.savez(
        tmp_path / "samples.npz",
        images=samples.images,
        labels=np.full_like(samples.labels, -1),
        probabilities=samples.probabilities,
    )
    files = _without_metrics(read_files(tiny))._replace(samples=tmp_path / "samples.npz")
    assert accuracies_of(files, CONFIGURATIONS[:1], None, SILENT).of == {("fp32", CPU): 1.0}


def test_nothing_is_known_of_a_lone_file_without_metrics(tiny: Path) -> None:
    found = accuracies_of(_without_metrics(read_files(tiny / "model.onnx")), CONFIGURATIONS[:1], None, SILENT)
    assert (found.source, found.of) == ("not known", {})


def test_a_dataset_is_answered_here(tiny: Path, tmp_path: Path) -> None:
    found = accuracies_of(read_files(tiny), CONFIGURATIONS, _data(tmp_path, tiny, wrong=7), SILENT)
    assert set(found.of.values()) == {1.0 - 7 / (BATCH + 10)}
    assert found.source == "the test split of data, measured here"


def test_a_variant_with_its_preparation_inside_is_given_pictures(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = set()

    def recorded(model: EmbeddedModel, picture: np.ndarray, answer: Any = EmbeddedModel.answer) -> Any:
        sizes.add(picture.shape)
        return answer(model, picture)

    monkeypatch.setattr(EmbeddedModel, "answer", recorded)
    monkeypatch.setattr(showing, "MOST_PICTURES", 50)
    monkeypatch.setattr(accuracy, "MOST_PICTURES", 50)
    dataset = _data(tmp_path, tiny, wrong=7)
    found = accuracies_of(read_files(tiny), CONFIGURATIONS[2:], dataset, SILENT)
    assert found.of == {("e2e", CPU): 1.0 - 7 / 50}
    assert found.source == "the test split of data, measured here (e2e: pictures of its first 50)"
    assert len(sizes) > 2
    assert (12, 12, 3) not in sizes


def test_data_that_do_not_fit(tiny: Path, tmp_path: Path) -> None:
    large = np.zeros((6, 20, 20, 3), np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2], np.uint8)
    dataset = _data(tmp_path, tiny, 0, x_train=large, y_train=labels, x_test=large, y_test=labels)
    with pytest.raises(DatasetError, match=r"requires images of \(12, 12, 3\)\. Received: \(20, 20, 3\)"):
        accuracies_of(read_files(tiny), CONFIGURATIONS, dataset, SILENT)
    files = read_files(tiny)
    two = files._replace(manifest=dataclasses.replace(files.manifest, labels=("red", "green")))
    with pytest.raises(DatasetError, match=r"requires data of 2 classes\. Received: 3 in"):
        accuracies_of(two, CONFIGURATIONS, _data(tmp_path, tiny, 0), SILENT)
