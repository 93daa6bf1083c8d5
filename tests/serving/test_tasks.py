"""Models of every task are served: what comes out is what a runner and a predictor give."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from edgeconv.serving.protocol.datatypes import name_of
from tests.serving.running import Server, serving

pytest.importorskip("onnx", reason="needs the extra `train`")
http = pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[http]'")

from tests.bundling.networks import HEIGHT, NETWORKS, WIDTH, make_artifact  # noqa: E402

RANDOM = np.random.default_rng(3)
PICTURE = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)
SIZES = {"batch": 3, "time": 5}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {row: make_artifact(row, tmp_path_factory.mktemp("tasks") / row) for row in NETWORKS}
    for folder in made.values():
        (folder / "samples.npz").unlink()  # They are made for bundles, whose answers are their own.
    return made


@pytest.fixture(scope="module")
def every(artifacts: dict[str, Path]) -> Iterator[Server]:
    """Return one server of all of them, by the names of their rows."""
    with serving(*(f"{row}={folder}" for row, folder in artifacts.items())) as running:
        yield running


def png() -> bytes:
    file = BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG")
    return file.getvalue()


def parts(value: Any) -> tuple[list[float], list[str]]:
    """Return all numbers in JSON, and all words."""
    if isinstance(value, dict | list | tuple):
        listed = [parts(one) for one in (value.values() if isinstance(value, dict) else value)]
        return [number for numbers, _ in listed for number in numbers], [word for _, words in listed for word in words]
    return ([float(value)], []) if isinstance(value, int | float) else ([], [str(value)])


def drawn(row: str, runner: Runner) -> dict[str, np.ndarray[Any, Any]]:
    """Return random arrays of a model; whole numbers below 9, of which some are equal."""
    shapes = {spec.name: [SIZES.get(size, size) for size in spec.shape] for spec in runner.inputs}
    return {
        spec.name: RANDOM.integers(0, 9, shapes[spec.name]).astype(spec.dtype)
        if spec.dtype != "uint8"
        else RANDOM.integers(0, 256, shapes[spec.name], np.uint8)
        for spec in runner.inputs
    }


@pytest.mark.parametrize("row", NETWORKS)
def test_arrays_come_out_as_from_a_runner(every: Server, artifacts: dict[str, Path], row: str) -> None:
    runner = Runner(artifacts[row])
    arrays = drawn(row, runner)
    given = []
    for name, array in arrays.items():
        given.append(http.InferInput(name, array.shape, name_of(array.dtype)))
        given[-1].set_data_from_numpy(array)
    with http.InferenceServerClient(every.address) as client:
        answer = client.infer(row, given)
    for name, expected in runner.run(arrays).items():
        found = answer.as_numpy(name)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("row", [row for row, network in NETWORKS.items() if network.takes_picture])
def test_a_picture_is_answered_by_its_task(every: Server, artifacts: dict[str, Path], row: str) -> None:
    answer = every.ask(f"/v2/models/{row.replace(' ', '%20')}/predict", png(), content_type="image/png")
    if NETWORKS[row].task == "any":
        assert (answer.status, "Send arrays to" in answer.json["error"]) == (400, True)
        return
    expected = Predictor(artifacts[row], device="cpu").predict(png()).as_dict()
    assert answer.status == 200
    assert answer.json.keys() == expected.keys()
    (found, words), (wanted, same) = parts(answer.json), parts(expected)
    assert (words, found) == (same, pytest.approx(wanted, abs=1e-5))


@pytest.mark.parametrize("row", ["mask"])
def test_a_mask_comes_as_a_png_where_it_is_asked_for(every: Server, artifacts: dict[str, Path], row: str) -> None:
    answer = every.ask(f"/v2/models/{row}/predict", png(), accept="image/png")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    classes = np.asarray(Image.open(BytesIO(answer.body)))
    assert classes.shape == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(classes, Predictor(artifacts[row], device="cpu").predict(PICTURE).classes)


def test_rows_that_look_at_each_other_are_answered_apart(artifacts: dict[str, Path], tmp_path: Path) -> None:
    """The largest word of a batch is that of all its rows: requests that came together would change each other."""
    from edgeconv.runtime.golden import ArraySamples
    from edgeconv.serving.models.golden import reproduce
    from edgeconv.serving.models.served_model import ServedModel

    for row, apart in (("sequence", True), ("any with arrays", False)):
        runner = Runner(artifacts[row])
        inputs = {name: np.concatenate([array, array[::-1] + 1]) for name, array in drawn(row, runner).items()}
        one_by_one = [runner.run({name: array[[place]] for name, array in inputs.items()}) for place in range(6)]
        outputs = {name: np.concatenate([one[name] for one in one_by_one]) for name in one_by_one[0]}
        np.savez(tmp_path / f"{row}.npz", **ArraySamples(inputs, outputs).as_arrays())
        model = ServedModel(row, runner, runner.manifest, tmp_path / f"{row}.npz")
        assert model.batched
        assert not model.merges, "nobody has looked yet"
        reproduce(model)
        assert model.merges == apart


def test_a_mask_reproduces_its_golden_vectors_but_for_a_few_pixels(artifacts: dict[str, Path], tmp_path: Path) -> None:
    """Of four masks of 48 pixels, a twentieth may be of another class than Keras gave."""
    from edgeconv.errors import InferenceError
    from edgeconv.runtime.golden import ArraySamples
    from edgeconv.serving.models.golden import reproduce
    from edgeconv.serving.models.served_model import ServedModel

    runner = Runner(artifacts["mask"])
    images = RANDOM.integers(0, 256, (4, HEIGHT, WIDTH, 3), np.uint8)
    model = ServedModel("mask", runner, runner.manifest, tmp_path / "golden.npz")
    mask = runner.run({"image": images})["mask"].copy()
    pixels = mask.reshape(-1, 3)
    for place in range(10):
        pixels[place] = pixels[place] < pixels[place].max()
        np.savez(tmp_path / "golden.npz", **ArraySamples({"image": images}, {"mask": mask}).as_arrays())
        if place < 9:
            reproduce(model)
    with pytest.raises(InferenceError, match=r"`mask` is off by 1?\d\d% of its spread\. Export it again, or serve"):
        reproduce(model)
