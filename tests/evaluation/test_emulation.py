"""What is decided about emulated devices, with the programs of others replaced at the border."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from click.testing import CliRunner

from edgeconv.cli.main import cli
from edgeconv.errors import ConfigError, InferenceError, ProviderError
from edgeconv.evaluation.emulation import emulator, stages, worker
from edgeconv.evaluation.emulation.devices import DEVICES, devices_named
from edgeconv.evaluation.emulation.emulator import Emulator, emulator_of
from edgeconv.evaluation.evaluate import evaluate
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage, on_images
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.processor import int8_overflows, read_processor
from edgeconv.runtime.runner import Runner
from tests.runtime.artifacts import of_task

posix = pytest.mark.skipif(os.name != "posix", reason="the stand-ins for programs are shell scripts")

FakeQemu = Callable[[str], Emulator]


@pytest.fixture
def fake_qemu(tmp_path: Path) -> FakeQemu:
    """Return a function that makes a shell script an emulator; its arguments behind the fourth are the program."""

    def make(script: str) -> Emulator:
        path = tmp_path / "qemu"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return Emulator(DEVICES["avx2"], str(path), None)

    return make


@pytest.fixture
def images() -> Any:
    return np.load(reference_model() / "samples.npz")["images"]


def test_devices_are_named_once_each_and_all_at_once() -> None:
    assert [device.name for device in devices_named(["pi5", "pi4", "pi5"])] == ["pi5", "pi4"]
    assert devices_named(["pi5", "all"]) == (DEVICES["pi5"], DEVICES["pi4"], DEVICES["avx2"])
    assert devices_named([]) == ()


def test_a_device_that_does_not_exist_is_told_before_any_work() -> None:
    result = CliRunner().invoke(cli, ["evaluate", str(reference_model()), "--emulate", "pi9"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == ("Error: `emulate` must be one of pi4, pi5, avx2, all. Received: 'pi9'.")


def test_a_disguise_decides_as_the_device_would(tmp_path: Path) -> None:
    for device in DEVICES.values():
        folder = tmp_path / device.name
        folder.mkdir()
        device.disguise(folder)
    cpuinfo, board = Path("proc/cpuinfo"), Path("proc/device-tree/model")
    assert int8_overflows("x86_64", tmp_path / "avx2" / cpuinfo)
    four, five = (read_processor(tmp_path / name / cpuinfo, tmp_path / name / board) for name in ("pi4", "pi5"))
    assert (four.name, five.name) == ("0xd08 Raspberry Pi 4 Model B", "0xd0b Raspberry Pi 5 Model B")
    assert ("asimddp" in four.abilities, "asimddp" in five.abilities) == (False, True)


@pytest.mark.parametrize("name", list(DEVICES))
def test_without_qemu_it_is_said_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator.shutil, "which", lambda _: None)
    with pytest.raises(ProviderError, match=r"requires qemu-(x86_64|aarch64)\. Not installed.*apt install qemu-user"):
        emulator_of(DEVICES[name])


@posix
@pytest.mark.parametrize("said", ["qemu-x86_64 version 6.2.0", "qemu-x86_64 version 7.1.9 (Debian)", "hello"])
def test_qemu_without_avx2_is_refused(said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(f"#!/bin/sh\necho '{said}'\n")
    qemu.chmod(0o755)
    monkeypatch.setattr(emulator.shutil, "which", lambda _: str(qemu))
    with pytest.raises(ProviderError, match=rf"must be of QEMU 7\.2 or later\. Received: {said.split('(')[0]}"):
        emulator_of(DEVICES["avx2"])


def test_avx2_requires_a_python_for_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_check_version", lambda _: None)
    monkeypatch.setattr(emulator.shutil, "which", lambda name: name)
    monkeypatch.setattr(emulator.platform, "machine", lambda: "aarch64")
    with pytest.raises(ProviderError, match=r"must be one for x86-64\. Received: aarch64\. Leave `avx2` out"):
        emulator_of(DEVICES["avx2"])
    monkeypatch.setattr(emulator.platform, "machine", lambda: "x86_64")
    assert emulator_of(DEVICES["avx2"]).root is None


@posix
def test_a_variant_answers_through_the_worker_as_it_does_here(fake_qemu: FakeQemu, images: Any, tmp_path: Path) -> None:
    """Starts Python without QEMU, twice, some two seconds."""
    device = fake_qemu('shift 4; exec "$@"')
    expected = Predictor(reference_model(), variant="int8").probabilities(images)
    np.testing.assert_array_equal(stages.answer_images(device, reference_model(), "int8", images), expected)
    pairs = stages.answer_images(device, _of_pairs(tmp_path), "int8", images[:5], batch=2)
    np.testing.assert_array_equal(pairs, expected[:5])


def _of_pairs(folder: Path) -> Path:
    """Return the shipped int8 file with a batch of two, which the last of five images does not fill."""
    model = onnx.load(reference_model() / "model.int8.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 2
    onnx.save(model, folder / "pairs.onnx")
    return folder / "pairs.onnx"


@posix
def test_the_worker_asks_for_no_more_than_there_is(
    images: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def run(runner: Runner, arrays: Any) -> Any:
        asked.append(len(arrays["image"]))
        return {"probabilities": np.zeros((len(arrays["image"]), 10), np.float32)}

    monkeypatch.setattr(Runner, "run", run)
    np.savez(tmp_path / "inputs.npz", image=images[:5])
    worker.main(str(reference_model()), "int8", 1, 3, str(tmp_path / "inputs.npz"), str(tmp_path / "answers.npz"))
    assert asked == [3, 2]


def test_qemu_is_told_the_processor_and_the_disguise(fake_qemu: FakeQemu) -> None:
    script = 'echo "$1" "$2" "$3"; grep -c flags "$4/proc/cpuinfo"; shift 4; echo "$@"'
    said = fake_qemu(script).run("worker.py", timeout_s=60).splitlines()
    assert said == ["-cpu Haswell -L", "4", f"{sys.executable} -P worker.py"]


@posix
def test_an_arm_has_a_system_of_its_own_and_nothing_of_our_environment(
    fake_qemu: FakeQemu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "arm"
    (system / "usr").mkdir(parents=True)
    (system / "usr" / "mark").touch()
    monkeypatch.setenv("PYTHONPATH", "/of/x86")
    device = replace(fake_qemu('ls "$4" "$4/usr/"; echo "path $PYTHONPATH"; echo "$5 $6"'), root=system)
    said = device.run(timeout_s=60).split("\n")
    assert {"proc", "usr", "mark", "path "} <= set(said)
    assert f"{system}/usr/bin/python3 -I" in said


@posix
@pytest.mark.parametrize(
    ("script", "received"),
    [
        ("echo first >&2; echo 'IndexError: the last line.' >&2; exit 1", r"IndexError: the last line\. Take fewer"),
        ("kill -SEGV $$", "no words, and exit code -11"),
        ("exit 0", "No such file or directory"),
    ],
)
def test_a_worker_that_fails_is_told_by_its_last_line(
    fake_qemu: FakeQemu, images: Any, script: str, received: str
) -> None:
    with pytest.raises(InferenceError, match=rf"int8, must answer 64 inputs on x86 with AVX2.*Received: .*{received}"):
        stages.answer_images(fake_qemu(script), reference_model(), "int8", np.repeat(images[:1], 64, axis=0))


@posix
def test_a_worker_that_hangs_is_ended(fake_qemu: FakeQemu, images: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "START_S", 0.1)
    monkeypatch.setattr(stages, "INPUT_S", 0.1)
    with pytest.raises(InferenceError, match=r"Received: nothing within 0 seconds\. Take fewer with"):
        stages.answer_images(fake_qemu("exec sleep 60"), reference_model(), "int8", images[:1])


def test_the_rows_are_named_after_variant_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "emulator_of", lambda device: Emulator(device, "qemu", None))
    made = stages.emulated_stages(read_files(reference_model()), devices_named(["pi4", "avx2"]), by_classes=True)
    assert [stage.name for stage in made] == ["int8 on pi4", "int8 on avx2"]
    assert {(stage.at_once, stage.timed) for stage in made} == {(True, False)}
    assert made[0].size_bytes == (reference_model() / "model.int8.onnx").stat().st_size


@posix
def test_a_model_of_any_task_is_held_on_a_device_as_its_int8_is_here(
    fake_qemu: FakeQemu, monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path
) -> None:
    """Starts Python without QEMU, two seconds."""
    device = fake_qemu('shift 4; exec "$@"')
    monkeypatch.setattr(stages, "emulator_of", lambda _: device)
    folder = of_task(tiny, tmp_path / "m", "tags")
    (folder / "model.keras").unlink(missing_ok=True)
    ledger = evaluate(folder, emulate=["avx2"])
    here, there = ledger.row("int8"), ledger.row("int8 on avx2")
    assert here is not None
    assert there is not None
    assert there.p50_latency_ms is None
    assert (there.max_abs_dp, there.size_bytes) == (here.max_abs_dp, here.size_bytes)
    assert here.max_abs_dp > 0
    gates = {stage: [gate.name for gate in ledger.gates if gate.stage == stage] for stage in (here.stage, there.stage)}
    assert gates["int8 on avx2"] == gates["int8"] == ["F1 of the tags, lost in percent"]


def test_a_model_without_int8_is_refused() -> None:
    files = read_files(reference_model())._replace(variants=("fp32", "e2e"))
    with pytest.raises(ConfigError, match=r"requires an int8 variant of .*Received: fp32, e2e\. Make one with"):
        stages.emulated_stages(files, devices_named(["pi4"]), by_classes=True)


def test_a_device_is_given_all_images_at_once_and_judged_as_int8() -> None:
    calls = []

    def run(images: Any) -> Any:
        calls.append(len(images))
        return np.eye(2, dtype=np.float32)[np.zeros(len(images), int)]

    labels = np.zeros(1200, np.int64)
    labels[:12] = 1
    exact = on_images(lambda images: np.eye(2, dtype=np.float32)[images[:, 0]])
    right = Stage("keras", "tensorflow", exact, 1, timed=False)
    device = Stage("int8 on pi4", "CPUExecutionProvider", on_images(run), 1, timed=False, at_once=True)
    compared = ComparisonSet.of_images(labels[:, None], labels, dataset="d", split="test")
    ledger = prove([right, device], compared, max_drop=0.4, kind="probabilities")
    assert calls == [1200]
    assert (ledger.passed, ledger.failures()) == (
        False,
        "int8 on pi4 accuracy drop in percentage points: at most 0.4, got 1",
    )


def test_an_arm_has_the_system_of_this_release_or_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(emulator, "_check_version", lambda _: None)
    monkeypatch.setattr(emulator.shutil, "which", lambda name: name)
    monkeypatch.setenv("EDGECONV_DEVICES", str(tmp_path))
    with pytest.raises(ProviderError, match=r"Not found: .*/arm64-onnxruntime-\d.*`make arm-root`.*EDGECONV_DEVICES"):
        emulator_of(DEVICES["pi4"])
    python = emulator.arm_root() / emulator.PYTHON
    python.parent.mkdir(parents=True)
    python.touch()
    assert emulator_of(DEVICES["pi4"]).root == tmp_path / f"arm64-onnxruntime-{ort.__version__}"
    monkeypatch.delenv("EDGECONV_DEVICES")
    monkeypatch.setenv("EDGECONV_CACHE", str(tmp_path / "cache"))
    assert emulator.arm_root().parent == tmp_path / "cache" / "devices"


@pytest.mark.train
def test_custom_objects_reach_keras(images: Any, tmp_path: Path) -> None:
    """Loads TensorFlow."""
    labels = np.arange(len(images)) % 10
    np.savez(tmp_path / "few.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    arguments = ["evaluate", str(reference_model()), "--dataset", str(tmp_path / "few.npz")]
    result = CliRunner().invoke(cli, [*arguments, "--custom-objects", "no_such_module:Layer"])
    assert result.exit_code == 2
    assert "must name a module that Python finds. Received: 'no_such_module:Layer'" in result.stderr
