"""What a bundle takes and answers, by the task of its model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.wording import in_words
from edgeconv.runtime.activation import sigmoid
from edgeconv.runtime.files import read_files
from edgeconv.runtime.runner import Runner
from tests.bundling.networks import NETWORKS, make_artifact
from tests.runtime.artifacts import of_task

PREPARED = ("prepared", "uint8 (1, 8, 6, 3)")

EXPECTED: dict[str, tuple[str, list[tuple[str, str]], str]] = {
    "classes": ("classes", [("probabilities", "float32 (1, 3)")], "tells which of 3 classes a picture shows"),
    "tags": ("tags", [("probabilities", "float32 (1, 3)")], "tells which of 3 things are in a picture"),
    "yes-no": ("yes-no", [("probability", "float32 (1, 1)")], "answers yes or no to a picture"),
    "values": ("values", [("values", "float32 (1, 2)")], "estimates 2 numbers from a picture"),
    "embedding": ("arrays", [("embedding", "float32 (1, 3)")], "makes embedding of a picture"),
    "mask": ("mask", [("mask", "float32 (1, 8, 6, 3)")], "tells which of 3 classes each pixel of a picture shows"),
    "picture": ("arrays", [("picture_output", "float32 (1, 8, 6, 3)")], "makes picture_output of a picture"),
    "boxes": (
        "arrays",
        [("boxes", "float32 (1, 2, 4)"), ("scores", "float32 (1, 2, 3)")],
        "makes boxes and scores of a picture",
    ),
    "any with a picture": (
        "arrays",
        [("best", "int64 (1, 8, 6)"), ("means", "float32 (1, 4)")],
        "makes best and means of a picture",
    ),
    "any with arrays": (
        "arrays",
        [("sums", "float32 (any, 3)"), ("is_large", "bool (any, 5)"), ("doubled", "int64 (any, 5)")],
        "makes sums, is_large and doubled of levels and words",
    ),
    "sequence": ("arrays", [("steps", "float32 (any, any, 3)")], "makes steps of sound"),
}


def _context(row: str, folder: Path) -> BundleContext:
    return collect_context(read_files(make_artifact(row, folder)), None)


@pytest.mark.parametrize("row", NETWORKS)
def test_every_task_has_its_inputs_outputs_and_words(row: str, tmp_path: Path) -> None:
    context, (answer, outputs, purpose) = _context(row, tmp_path / "m"), EXPECTED[row]
    interface, takes_picture = context.interface, NETWORKS[row].takes_picture
    source = "from-picture" if takes_picture else "from-arrays"
    assert interface.parts == ("common", source, f"to-{answer}")
    assert [(array.name, array.words) for array in interface.answers] == outputs
    assert [(array.name, array.words) for array in interface.outputs] == outputs + [PREPARED] * takes_picture
    assert [tolerance.output for tolerance in context.tolerances] == [array.name for array in interface.outputs]
    values = context.values()
    assert (values["PURPOSE"], values["MODEL_FILE"]) == (purpose, f"model{'.e2e' * takes_picture}.onnx")
    assert ("PREPARATION" in values) == takes_picture
    assert interface.as_dict().get("threshold") == (0.5 if answer in {"tags", "yes-no", "mask"} else None)


@pytest.mark.parametrize("row", ["tags", "mask", "any with a picture"])
def test_pictures_are_answered_as_arrays_of_the_prepared_are(row: str, tmp_path: Path) -> None:
    """What is pending of the first output is done inside the file."""
    context = _context(row, tmp_path / "m")
    runner = Runner(tmp_path / "m")
    for sample in context.samples:
        (picture,), (*answers, prepared) = sample.inputs, sample.outputs
        assert picture.shape != prepared.shape[1:]
        wanted = list(runner.run({"image": prepared}).values())
        if row == "tags":
            wanted[0] = sigmoid(wanted[0])
        for received, expected in zip(answers, wanted, strict=True):
            np.testing.assert_array_equal(received, expected)


def test_no_two_interfaces_have_one_fingerprint(tmp_path: Path) -> None:
    contexts = [_context(row, tmp_path / row) for row in NETWORKS]
    assert len({context.interface.fingerprint for context in contexts}) == len(NETWORKS) - 1  # Classes and tags share.


def test_a_model_whose_preparation_nobody_knows_takes_arrays(tiny: Path, tmp_path: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "tags")
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(manifest.replace('"preprocess": {', '"preprocess": null, "was": {'))
    interface = collect_context(read_files(folder), None).interface
    assert [(array.name, array.words) for array in interface.inputs] == [("image", "uint8 (any, 12, 12, 3)")]
    assert interface.parts == ("common", "from-arrays", "to-arrays")


def test_lists_are_written_as_people_write_them() -> None:
    assert [in_words(items) for items in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
