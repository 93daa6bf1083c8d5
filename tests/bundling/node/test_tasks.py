"""A bundle for Node for each row of the table of tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.bundler import bundle
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from tests.bundling.networks import NETWORKS, make_artifact
from tests.bundling.node.running import node


@pytest.mark.parametrize("row", NETWORKS)
def test_answers_and_the_self_test_are_those_of_python(row: str, modules: Path, tmp_path: Path) -> None:
    network = NETWORKS[row]
    artifact = make_artifact(row, tmp_path / "artifact")
    app = bundle(artifact, target="node", out=tmp_path / "app").path
    (app / "node_modules").symlink_to(modules)
    assert node(app, "selftest.mjs").stderr.startswith("PASS: 4 samples; ")
    if not network.takes_picture:
        _compare_arrays(artifact, app)
        return
    Image.fromarray(np.random.default_rng(8).integers(0, 256, (30, 40, 3), np.uint8)).save(app / "noise.png")
    done = node(app, "predict.mjs", "noise.png")
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    assert answered.pop("path") == "noise.png"
    if network.task in {"classes", "tags", "yes-no", "values", "mask"}:
        _compare(answered, Predictor(artifact).predict(app / "noise.png"), app)
    else:
        wanted = {spec.name.replace("picture", "picture_output"): spec.dtype for spec in Runner(artifact).outputs}
        assert {name: array["dtype"] for name, array in answered["outputs"].items()} == wanted


def _compare(answered: dict[str, Any], wanted: Any, app: Path) -> None:
    file = answered.pop("file", None)
    assert json.loads(json.dumps(answered), parse_float=_short) == json.loads(
        json.dumps(wanted.as_dict()), parse_float=_short
    )
    if file is not None:
        assert file == "1-noise.mask.png"
        np.testing.assert_array_equal(np.asarray(Image.open(app / file)), wanted.classes)


def _short(number: str) -> float:
    return round(float(number), 5)


def _compare_arrays(artifact: Path, app: Path) -> None:
    runner, generator, feeds = Runner(artifact), np.random.default_rng(8), {}
    for spec in runner.inputs:
        shape = [size if isinstance(size, int) else 2 for size in spec.shape]
        feeds[spec.name] = generator.normal(0, 9, shape).astype(spec.dtype)
        np.save(app / f"{spec.name}.npy", feeds[spec.name])
    done = node(app, "predict.mjs", *(f"{name}.npy" for name in feeds))
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)["outputs"]
    for name, wanted in runner.run(feeds).items():
        assert (answered[name]["dtype"], answered[name]["shape"]) == (wanted.dtype.name, list(wanted.shape))
        np.testing.assert_allclose(np.array(answered[name]["data"]).reshape(wanted.shape), wanted, rtol=1e-6)
    (app / "bad.npy").write_bytes((app / f"{runner.inputs[0].name}.npy").read_bytes()[:-1])
    said = node(app, "predict.mjs", *["bad.npy"] * len(feeds))
    assert (said.returncode, said.stderr) == (
        1,
        "Error: bad.npy: an array as numpy.save writes it is required, in C order\n",
    )
