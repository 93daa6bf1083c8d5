"""A bundle in C for each row of the table of tasks."""

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
from tests.bundling.c.compiling import SANITIZED, build, run, say
from tests.bundling.networks import NETWORKS, make_artifact
from tests.bundling.spared_pixels import SPARED, selftest_of_mask


@pytest.fixture(scope="module", params=NETWORKS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Return a row of the table, its artifact, and the programs of its bundle."""
    folder = tmp_path_factory.mktemp("tasks")
    artifact = make_artifact(request.param, folder / "artifact")
    source = bundle(artifact, target="c", out=folder / "bundle").path
    return request.param, artifact, build(source, folder / "build", f"{SANITIZED} -O0")


def test_answers_and_the_self_test_are_those_of_python(
    made: tuple[str, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, artifact, programs = made
    monkeypatch.chdir(tmp_path)
    assert run(programs / "selftest").stderr.startswith("PASS: 4 samples; ")
    if row == "mask":
        for off, verdict in ((SPARED, "PASS: 4 samples; "), (SPARED + 1, "FAIL: inference is off: sample 3 ")):
            (tmp_path / "mask.bin").write_bytes(selftest_of_mask(artifact, off))
            assert run(programs / "selftest", "mask.bin").stderr.startswith(verdict)
    network = NETWORKS[row]
    if not network.takes_picture:
        _compare_arrays(artifact, programs, tmp_path)
        return
    Image.fromarray(np.random.default_rng(8).integers(0, 256, (30, 40, 3), np.uint8)).save(tmp_path / "noise.png")
    (answered,) = (json.loads(line) for line in run(programs / "predict", "noise.png").stdout.splitlines())
    assert answered.pop("path") == "noise.png"
    if network.task in EXPLAINED:
        _compare(answered, Predictor(artifact).predict(tmp_path / "noise.png").as_dict(), tmp_path)
    else:
        assert {name: array["dtype"] for name, array in answered["outputs"].items()} == names_of_outputs(artifact)


@pytest.mark.parametrize("made", ["sequence"], indirect=True)
def test_arrays_that_are_none_are_said(tmp_path: Path, made: tuple[str, Path, Path]) -> None:
    _, _, programs = made
    np.save(tmp_path / "whole.npy", np.zeros((1, 5, 4), np.float32))
    np.save(tmp_path / "wide.npy", np.zeros((1, 5, 5), np.float32))
    np.save(tmp_path / "columns.npy", np.asfortranarray(np.zeros((1, 5, 4), np.float32)))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    whole = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-1])
    (tmp_path / "longer.npy").write_bytes(whole + b"x")
    (tmp_path / "huge.npy").write_bytes(whole.replace(b"(1, 5, 4)", b"(9223372036854775807, 9, 4)"))
    (tmp_path / "text.npy").write_text("no array")
    assert run(programs / "predict", tmp_path / "whole.npy").returncode == 0
    for name in ("columns", "objects", "cut", "longer", "huge", "text"):
        words = say(run(programs / "predict", tmp_path / f"{name}.npy"))
        assert "an array as numpy.save writes it is required" in words
    assert "ONNX Runtime must run the model. Received: " in say(run(programs / "predict", tmp_path / "wide.npy"))
    assert "No such file or directory" in say(run(programs / "predict", tmp_path / "absent.npy"))


def _compare(answered: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    file = answered.pop("file", None)
    assert list(answered) == list(wanted)
    check_answer(answered, wanted)
    if file is not None:
        mask = np.asarray(Image.open(folder / file))
        shares = np.bincount(mask.ravel(), minlength=3) / mask.size
        np.testing.assert_allclose(shares, list(wanted["shares"].values()))


def _compare_arrays(artifact: Path, programs: Path, folder: Path) -> None:
    runner = Runner(artifact)
    feeds = draw_feeds(runner)
    for name, array in feeds.items():
        np.save(folder / f"{name}.npy", array)
    files = [folder / f"{name}.npy" for name in feeds]
    check_outputs(json.loads(run(programs / "predict", *files).stdout)["outputs"], runner.run(feeds))
