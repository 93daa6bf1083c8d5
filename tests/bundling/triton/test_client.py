"""The client, against a server that runs the models with ONNX Runtime."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")


from edgeconv.bundling.portable import portable
from tests.bundling.triton.serving import Fake, run_client, serving
from tests.variations import with_disturbed_weights, with_flipped_polarity


def test_the_client_names_what_pictures_show(made: Path, seven: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    with Image.open(seven) as picture:
        picture.convert("RGBA").save(tmp_path / "seven.png")
    with serving(made) as url:
        done = run_client(made, url, str(seven), str(tmp_path / "seven.png"), str(tmp_path / "blank.png"))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["7", "7", None]
    assert rows[0]["probability"] > 0.9
    assert rows[2]["reason"] == "nothing was found in it"


def test_the_self_test_passes_and_asks_for_prepared_images_in_one_batch(made: Path) -> None:
    fake = Fake(made / "models")
    with serving(made, fake) as url:
        done = run_client(made, url, "--selftest", "--rows")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("PASS: 16 samples; preparation within 0 of 1 grey levels, probabilities within 0.0")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["sample"] for row in rows] == list(range(16))
    assert [int(np.argmax(row["probabilities"])) for row in rows] == [row["label"] for row in rows]
    assert sorted(fake.sizes) == [0] * 16 + [16]


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
    (tmp_path / "damaged.bin").write_bytes((made / "selftest.bin").read_bytes()[:-1])
    (tmp_path / "foreign.bin").write_bytes(b"no self-test of any kind, but long enough for a header")
    (tmp_path / "text.png").write_text("not a picture")
    with serving(made) as url:
        for arguments, words in (
            (["--selftest", str(tmp_path / "damaged.bin")], "is damaged"),
            (["--selftest", str(tmp_path / "foreign.bin")], "is no self-test"),
            (["--selftest", str(tmp_path / "absent.bin")], "cannot be read: No such file"),
            ([str(tmp_path / "text.png")], "cannot be read"),
        ):
            done = run_client(made, url, *arguments)
            assert (done.returncode, done.stderr.count("\n"), words in done.stderr) == (1, 1, True), done.stderr
    done = run_client(made, url, "--selftest")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Error: mnist_reference at {url}: ")


@pytest.mark.parametrize("check", [["format", "--check"], ["check", "--select", "E4,E7,E9,F,W,I,UP,B"]])
def test_the_client_passes_formatter_and_linter(check: list[str], made: Path) -> None:
    command = [sys.executable, "-m", "ruff", *check, "--isolated", "client.py"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
