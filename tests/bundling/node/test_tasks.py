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
from tests.bundling.answers import EXPLAINED, check_answer, check_outputs, draw_feeds, names_of_outputs
from tests.bundling.networks import NETWORKS, make_artifact
from tests.bundling.node.running import node
from tests.bundling.spared_pixels import SPARED, selftest_of_mask


@pytest.mark.parametrize("row", NETWORKS)
def test_answers_and_the_self_test_are_those_of_python(row: str, modules: Path, tmp_path: Path) -> None:
    network = NETWORKS[row]
    artifact = make_artifact(row, tmp_path / "artifact")
    app = bundle(artifact, target="node", out=tmp_path / "app").path
    (app / "node_modules").symlink_to(modules)
    assert node(app, "selftest.mjs").stderr.startswith("PASS: 4 samples; ")
    if row == "mask":
        for off, verdict in ((SPARED, "PASS: 4 samples; "), (SPARED + 1, "FAIL: inference is off: sample 3 ")):
            (app / "mask.bin").write_bytes(selftest_of_mask(artifact, off))
            assert node(app, "selftest.mjs", "mask.bin").stderr.startswith(verdict)
    if not network.takes_picture:
        _compare_arrays(artifact, app)
        return
    Image.fromarray(np.random.default_rng(8).integers(0, 256, (30, 40, 3), np.uint8)).save(app / "noise.png")
    done = node(app, "predict.mjs", "noise.png")
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    assert answered.pop("path") == "noise.png"
    if network.task in EXPLAINED:
        _compare(answered, Predictor(artifact).predict(app / "noise.png"), app)
    else:
        dtypes = {name: array["dtype"] for name, array in answered["outputs"].items()}
        assert dtypes == names_of_outputs(artifact)


def _compare(answered: dict[str, Any], wanted: Any, app: Path) -> None:
    file = answered.pop("file", None)
    check_answer(answered, wanted.as_dict())
    if file is not None:
        assert file == "1-noise.mask.png"
        np.testing.assert_array_equal(np.asarray(Image.open(app / file)), wanted.classes)


def _compare_arrays(artifact: Path, app: Path) -> None:
    runner = Runner(artifact)
    feeds = draw_feeds(runner)
    for name, array in feeds.items():
        np.save(app / f"{name}.npy", array)
    done = node(app, "predict.mjs", *(f"{name}.npy" for name in feeds))
    assert done.returncode == 0, done.stderr
    check_outputs(json.loads(done.stdout)["outputs"], runner.run(feeds))
    (app / "bad.npy").write_bytes((app / f"{runner.inputs[0].name}.npy").read_bytes()[:-1])
    said = node(app, "predict.mjs", *["bad.npy"] * len(feeds))
    assert (said.returncode, said.stderr) == (
        1,
        "Error: bad.npy: an array as numpy.save writes it is required, in C order\n",
    )
