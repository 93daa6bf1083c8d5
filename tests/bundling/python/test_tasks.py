"""The bundle `python` of each task."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.bundling.bundler import bundle
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from tests.bundling.networks import NETWORKS, make_artifact
from tests.bundling.python.running import load, run
from tests.bundling.spared_pixels import SPARED, selftest_of_mask
from tests.linting import check_python, check_python_types

Row = Callable[[str], tuple[Path, Path, ModuleType]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Row:
    """Return a function that gives the artifact of a row, its bundle, and the bundle's package."""
    folder, known = tmp_path_factory.mktemp("tasks"), {}

    def make(row: str) -> tuple[Path, Path, ModuleType]:
        if row not in known:
            artifact = make_artifact(row, folder / row / "artifact")
            path = bundle(artifact, target="python", out=folder / row / "bundle").path
            known[row] = artifact, path, load(path)
        return known[row]

    return make


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 4, 3), np.uint8).repeat(9, axis=0).repeat(8, axis=1)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize("row", NETWORKS)
def test_the_self_test_passes_and_can_fail(row: str, made: Row) -> None:
    _, _, package = made(row)
    model = package.Model()
    report = package.selftest(model)
    assert report.passed, report.verdict
    assert report.verdict[0].startswith("PASS: 4 samples; ")
    name = package.contract.OUTPUTS[-1]

    class Spoilt:
        def run(self, arrays: Any) -> Any:
            outputs = model.run(arrays)
            return outputs | {name: np.roll(outputs[name], 1, axis=-1) + outputs[name].dtype.type(1)}

    verdict = package.selftest(Spoilt()).verdict
    assert [line.split(": sample")[0] for line in verdict] == ["FAIL: inference is off"]
    assert f"in {name}, allowed are" in verdict[0]


def test_a_mask_may_be_off_where_pixels_are_spared(made: Row, tmp_path: Path) -> None:
    artifact, _, package = made("mask")
    for off, verdict in ((SPARED, "PASS: 4 samples; "), (SPARED + 1, "FAIL: inference is off: sample 3 differs by ")):
        (tmp_path / "mask.bin").write_bytes(selftest_of_mask(artifact, off))
        (words,) = package.selftest(package.Model(), tmp_path / "mask.bin").verdict
        assert words.startswith(verdict)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("row", ["classes", "tags", "yes-no", "values", "mask"])
def test_answers_are_those_of_edgeconv(row: str, made: Row, picture: Path) -> None:
    """The model's file alone tells edgeconv the same."""
    artifact, folder, package = made(row)
    received = [
        package.Model().predict(picture).as_row(),
        Predictor(folder / "model" / "model.e2e.onnx").predict(picture).as_dict(),
    ]
    wanted = Predictor(artifact).predict(picture).as_dict()
    for answer in received:
        words = [json.loads(json.dumps(each), parse_float=lambda _: None) for each in (answer, wanted)]
        assert words[0] == words[1]
        assert list(_numbers(answer)) == pytest.approx(list(_numbers(wanted)), abs=1e-5)


@pytest.mark.parametrize(("row", "count"), [("tags", {0.0: 3, 1.0: 0}), ("yes-no", {0.0: True, 1.0: False})])
def test_a_threshold_can_be_given(row: str, count: dict[float, Any], made: Row, picture: Path) -> None:
    model = made(row)[2].Model()
    answers = {limit: model.predict(picture, threshold=limit) for limit in count}
    key = "tags" if row == "tags" else "answer"
    found = {limit: getattr(answer, key) for limit, answer in answers.items()}
    assert {limit: len(value) if row == "tags" else value for limit, value in found.items()} == count


def test_a_mask_is_a_png_of_classes(made: Row, picture: Path, tmp_path: Path) -> None:
    artifact, folder, _ = made("mask")
    done = run(folder, picture, picture, "--out", tmp_path / "out")
    files = [json.loads(line)["file"] for line in done.stdout.splitlines()]
    assert [Path(file).name for file in files] == ["a.mask.png", "a-1.mask.png"]
    wanted: Any = Predictor(artifact).predict(picture)
    np.testing.assert_array_equal(np.asarray(Image.open(files[0])), wanted.classes)


@pytest.mark.parametrize("row", ["any with arrays", "sequence"])
def test_arrays_go_in_and_come_out(row: str, made: Row, tmp_path: Path) -> None:
    artifact, folder, package = made(row)
    with np.load(artifact / "samples.npz") as samples:
        arrays = {name.removeprefix("input:"): samples[name] for name in samples.files if name.startswith("input:")}
    np.savez(tmp_path / "x.npz", **arrays)
    answers = Runner(artifact).run(arrays)
    row_of_file = package.Model().predict(tmp_path / "x.npz").as_row()["outputs"]
    for name, answer in package.Model().run(arrays).items():
        np.testing.assert_array_equal(answer, answers[name])
        assert row_of_file[name]["shape"] == list(answer.shape)
        assert (row_of_file[name]["dtype"], row_of_file[name]["data"]) == (answer.dtype.name, answer.ravel().tolist())
    assert tuple(answers) == package.contract.OUTPUTS
    assert "onnxruntime" in (folder / "requirements.txt").read_text()
    assert "pillow" not in (folder / "requirements.txt").read_text()


def test_arrays_that_do_not_fit_leave_the_others_answered(made: Row, tmp_path: Path) -> None:
    _, folder, package = made("sequence")
    np.save(tmp_path / "good.npy", np.zeros((1, 3, 4), np.float32))
    np.save(tmp_path / "bad.npy", np.zeros((1, 3, 5), np.float32))
    np.savez(tmp_path / "other.npz", noise=np.zeros(3))
    (tmp_path / "text.npz").write_text("no arrays")
    names = ["absent.npz", "bad.npy", "other.npz", "text.npz", "good.npy"]
    done = run(folder, *(tmp_path / name for name in names))
    assert done.returncode == 1
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == [str(tmp_path / "good.npy")]
    absent, bad, other, text = (line.removeprefix(f"Error: {tmp_path}/") for line in done.stderr.splitlines())
    assert absent == "absent.npz: cannot be read: No such file or directory"
    assert bad.startswith("bad.npy: does not fit the model: ")
    assert other == "other.npz: arrays named sound are required, not noise"
    assert text.startswith("text.npz: cannot be read: ")
    with pytest.raises(package.InputError, match="arrays named sound are required, not none"):
        package.Model().predict({})


def test_a_model_of_other_outputs_is_refused(made: Row) -> None:
    (_, _, package), (_, other, _) = made("any with arrays"), made("sequence")
    with pytest.raises(package.BundleError, match="is not the one that this file was made for"):
        package.Model(other / "model" / "model.onnx")


def test_the_code_of_every_task_is_formatted_linted_and_typed(made: Row, tmp_path: Path) -> None:
    """Runs ruff and mypy, some seconds; packages of all tasks side by side, as an app may have them."""
    for number, row in enumerate(("classes", "tags", "yes-no", "values", "mask", "picture", "any with arrays")):
        _, folder, _ = made(row)
        check_python(folder)
        shutil.copytree(folder / "model", tmp_path / f"model_{number}")
        assert max(len(file.read_text("utf-8").splitlines()) for file in folder.rglob("*.py")) <= 150
        for file in folder.rglob("*"):
            assert "BUNDLE_" not in file.name + (file.read_bytes().decode("latin1") if file.is_file() else "")
    check_python_types(tmp_path)
