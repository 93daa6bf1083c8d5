"""Emulated devices for real; each test starts Python under QEMU, some seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import edgeconv
from edgeconv.conversion.export import export_here
from edgeconv.errors import ProviderError
from edgeconv.evaluation.emulation import stages
from edgeconv.evaluation.emulation.devices import DEVICES
from edgeconv.evaluation.emulation.emulator import FOLDER_VARIABLE, Emulator, arm_root, emulator_of
from edgeconv.evaluation.emulation.stages import answer_images
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.devices.extreme import WHITE, extreme_model, write_extreme
from tests.devices.table import render
from tests.pages import BENCHMARKS, read_between

LIMIT_S = 300.0


def emulated(name: str) -> Emulator:
    try:
        return emulator_of(DEVICES[name])
    except ProviderError as error:
        pytest.skip(str(error))


PROBE = """
import sys, numpy, onnxruntime
for exact in "01":
    for path in sys.argv[1:]:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", exact)
        session = onnxruntime.InferenceSession(path, options)
        print(*session.run(None, {"image": numpy.full((1, 64), 255, numpy.uint8)})[0][0].round(1))
"""


def test_sums_of_8_bit_weights_overflow_without_vnni_and_those_of_7_bits_do_not(tmp_path: Path) -> None:
    device = emulated("avx2")
    paths = []
    for reduced in (False, True):
        paths.append(tmp_path / f"{reduced}.onnx")
        paths[-1].write_bytes(extreme_model(reduce_range=reduced).SerializeToString())
    said = device.run("-c", PROBE, *paths, timeout_s=LIMIT_S).splitlines()
    overflown, reduced, exact, both = ([float(score) for score in line.split()] for line in said)
    assert overflown == [0.1, 5.0]
    assert exact == [15.9, 5.0]
    assert reduced == both == [15.6, 5.0]


@pytest.mark.parametrize("name", list(DEVICES))
def test_the_runtime_chooses_right_arithmetic_on_each_device(name: str, tmp_path: Path) -> None:
    scores = answer_images(emulated(name), write_extreme(tmp_path), "int8", WHITE)
    np.testing.assert_allclose(scores, [[15.9, 5.0]], rtol=1e-6)


@pytest.mark.parametrize("name", ["pi4", "pi5"])
def test_the_shipped_model_answers_as_here(name: str) -> None:
    images = np.load(reference_model() / "samples.npz")["images"]
    expected = Predictor(reference_model(), variant="int8").probabilities(images)
    # A device may round a sum the other way, once: a step of the last layer's scores moves a probability by so much.
    np.testing.assert_allclose(answer_images(emulated(name), reference_model(), "int8", images), expected, atol=0.03)


@pytest.mark.parametrize("name", list(DEVICES))
def test_a_device_is_what_it_is_called(name: str) -> None:
    code = "import platform; print(platform.machine()); print(open('/proc/cpuinfo').read())"
    machine, _, facts = emulated(name).run("-c", code, timeout_s=LIMIT_S).partition("\n")
    assert machine == DEVICES[name].architecture
    assert facts.count("processor\t: ") == DEVICES[name].cores
    assert all(f"{key}\t: {value}\n" in facts for key, value in DEVICES[name].facts.items())


@pytest.mark.slow
def test_an_arm_system_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Downloads some 60 MB."""
    emulated("avx2")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    subprocess.run([Path(__file__).with_name("make_root.sh"), sys.executable], check=True)
    said = emulator_of(DEVICES["pi4"]).run(
        "-c", "import onnxruntime; print(onnxruntime.__version__)", timeout_s=LIMIT_S
    )
    assert list(tmp_path.iterdir()) == [arm_root()]
    assert arm_root().name == f"arm64-onnxruntime-{said.strip()}"


@pytest.mark.train
@pytest.mark.skipif(os.name != "posix", reason="the stand-in for QEMU is a shell script")
def test_the_ledgers_are_printed_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Loads TensorFlow, and starts Python without QEMU."""
    from tests.devices.__main__ import main

    qemu = tmp_path / "qemu"
    qemu.write_text('#!/bin/sh\nshift 4\nexec "$@"\n')
    qemu.chmod(0o755)
    monkeypatch.setattr(edgeconv, "export", export_here)  # Without processes of their own for two exports.
    monkeypatch.setattr(stages, "emulator_of", lambda device: Emulator(device, str(qemu), None))
    samples = np.load(reference_model() / "samples.npz")
    images, labels = samples["images"], samples["probabilities"].argmax(axis=1)
    np.savez(tmp_path / "few.npz", x_train=np.roll(images, 1, axis=2), y_train=labels, x_test=images, y_test=labels)
    arguments = ["--dataset", str(tmp_path / "few.npz"), "--figures", str(tmp_path / "figures.json")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["devices", *arguments])
    assert main() == 0
    printed = capsys.readouterr().out
    assert "int8 on pi5" in printed
    assert "Every gate holds." in printed
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [found["int8"]["int8"]["target"] for found in figures["artifacts"]] == ["x86", "x86-avx2", "arm64"]
    for found in figures["artifacts"]:
        assert [row["stage"] for row in found["rows"][-3:]] == ["int8 on pi4", "int8 on pi5", "int8 on avx2"]
        assert [(row["accuracy"], row["flips"]) for row in found["rows"][-3:]] == [(1.0, 0)] * 3
    (tmp_path / "page.md").write_text("<!-- devices:begin -->\n<!-- devices:end -->\n")
    monkeypatch.setattr("sys.argv", ["devices", *arguments, "--table", "page.md"])
    assert main() == 0
    assert (tmp_path / "page.md").read_text().count("100.00 %, 0 flips, ") == 12


def test_the_page_has_the_table_of_the_stored_figures() -> None:
    from tests.devices.__main__ import FIGURES

    assert read_between(BENCHMARKS, "devices") == render(json.loads(FIGURES.read_text(encoding="utf-8")))
