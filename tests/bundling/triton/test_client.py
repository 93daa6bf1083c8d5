"""The client, against a server that runs the models with ONNX Runtime."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")


from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.portable import portable
from tests.bundling.networks import NETWORKS, make_artifact
from tests.bundling.triton.repository import assert_described
from tests.bundling.triton.serving import Fake, run_client, serving
from tests.linting import check_python
from tests.variations import with_disturbed_weights, with_flipped_polarity


def test_the_client_names_what_pictures_show(made: Path, seven: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    with Image.open(seven) as picture:
        picture.convert("RGBA").save(tmp_path / "seven.png")
    with serving(made) as url:
        done = run_client(made, url, str(seven), str(tmp_path / "seven.png"), str(tmp_path / "blank.png"))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["7", "7"]
    assert rows[0]["probability"] > 0.9
    assert done.stderr == f"Error: {tmp_path / 'blank.png'}: nothing was found in the picture\n"


def test_the_self_test_passes_and_asks_for_prepared_images_in_one_batch(made: Path) -> None:
    fake = Fake(made / "models")
    with serving(made, fake) as url:
        done = run_client(made, url, "--selftest", "--rows")
    assert done.returncode == 0, done.stderr
    first, second = done.stderr.splitlines()
    assert re.match(r"PASS: 16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.00", first)
    assert second.startswith("PASS: 16 samples; probabilities within 0.0")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["sample"] for row in rows] == list(range(16))
    assert [int(np.argmax(row["outputs"]["probabilities"])) for row in rows] == [row["label"] for row in rows]
    assert fake.sizes.count(16) == 1
    # A picture that is prepared one grey level off is asked for again, prepared.
    assert 16 <= fake.sizes.count(0) == len(fake.sizes) - 1 <= 32


def _flipped(model: bytes) -> bytes:
    """Return another model than the one that is given, made as Triton needs it."""
    assert model
    return portable(with_flipped_polarity(), "int8")


def _with_changed(made: Path, out: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    shutil.copytree(made, out)
    model = out / "models" / name / "1" / "model.onnx"
    model.write_bytes(change(model.read_bytes()))
    return out


@pytest.mark.parametrize(
    ("name", "change", "found", "not_found"),
    [
        ("mnist_reference_picture", _flipped, "FAIL: preparation is off", "inference is off"),
        ("mnist_reference_picture", with_disturbed_weights, "FAIL: inference is off", "preparation is off"),
        ("mnist_reference", with_disturbed_weights, "FAIL: inference is off", "preparation is off"),
    ],
)
def test_the_self_test_names_what_is_off(
    name: str, change: Callable[[bytes], bytes], found: str, not_found: str, made: Path, tmp_path: Path
) -> None:
    folder = _with_changed(made, tmp_path / "changed", name, change)
    with serving(folder) as url:
        done = run_client(folder, url, "--selftest")
    assert done.returncode == 1
    assert found in done.stderr
    assert not_found not in done.stderr


def test_the_client_says_in_one_line_what_is_wrong(made: Path, tmp_path: Path) -> None:
    (tmp_path / "damaged.bin").write_bytes((made / "triton_model" / "selftest.bin").read_bytes()[:-1])
    (tmp_path / "foreign.bin").write_bytes(b"no self-test of any kind, but long enough for a header")
    (tmp_path / "text.png").write_text("not a picture")
    with serving(made) as url:
        for arguments, words in (
            (["--selftest", str(tmp_path / "damaged.bin")], "is damaged"),
            (["--selftest", str(tmp_path / "foreign.bin")], "is no self-test"),
            (["--selftest", str(tmp_path / "absent.bin")], "cannot be read: No such file"),
            ([str(tmp_path / "text.png")], "is none of PNG, JPEG"),
        ):
            done = run_client(made, url, *arguments)
            assert (done.returncode, done.stderr.count("\n"), words in done.stderr) == (1, 1, True), done.stderr
    done = run_client(made, url, "--selftest")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Error: mnist_reference_picture at {url}: ")


@pytest.mark.parametrize("row", NETWORKS)
def test_the_self_test_of_every_task_passes(row: str, tmp_path: Path) -> None:
    made = bundle(make_artifact(row, tmp_path / "artifact"), target="triton", out=tmp_path / "made").path
    for folder in (made / "models").iterdir():
        assert_described(folder)
    check_python(made)
    with serving(made) as url:
        done = run_client(made, url, "--selftest")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("PASS: 4 samples; ") == 1 + NETWORKS[row].takes_picture
    for file in (made / "README.md", *made.rglob("*.pbtxt"), *made.rglob("*.py")):
        assert "BUNDLE_" not in file.read_text(encoding="utf-8")


def test_arrays_that_a_server_refuses_leave_the_others_answered(tmp_path: Path) -> None:
    made = bundle(make_artifact("sequence", tmp_path / "artifact"), target="triton", out=tmp_path / "made").path
    np.save(tmp_path / "good.npy", np.zeros((2, 3, 4), np.float32))
    np.save(tmp_path / "bad.npy", np.zeros((2, 3, 5), np.float32))
    with serving(made) as url:
        done = run_client(made, url, str(tmp_path / "bad.npy"), str(tmp_path / "good.npy"))
    assert done.returncode == 1
    assert "bad.npy: small_sequence at" in done.stderr
    assert json.loads(done.stdout)["outputs"]["steps"]["shape"] == [2, 3, 3]
