"""Opening models on other providers than the CPU's, which are faked at the border to ONNX Runtime."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import EdgeconvWarning, ProviderError
from edgeconv.runtime import strict
from edgeconv.runtime.loading import open_model
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.runner import Runner
from tests.runtime.artifacts import of_task
from tests.runtime.faked_providers import CUDA, OPENVINO, NativeSession, fake_providers

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> type[NativeSession]:
    return fake_providers(monkeypatch)


def test_auto_takes_a_gpu_that_computes_right_and_gives_it_fp32(native: type[NativeSession], tiny: Path) -> None:
    assert native.error == 0.0
    opened = open_model(tiny, device="auto")
    assert (opened.session.provider, opened.variant) == (CUDA, "fp32")
    assert open_model(tiny, device="cpu").session.provider == CPU


def test_auto_leaves_a_gpu_that_computes_wrong_and_says_so(native: type[NativeSession], tiny: Path) -> None:
    native.error = 0.9
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. CUDA.* must answer as Keras did"):
        opened = open_model(tiny, device="auto")
    assert (opened.session.provider, opened.variant) == (CPU, "int8")
    with pytest.raises(ProviderError, match=r"must answer as Keras did. Received: .* golden vectors get another label"):
        open_model(tiny, device="gpu")


def test_auto_leaves_a_gpu_whose_libraries_are_missing(native: type[NativeSession], tiny: Path) -> None:
    native.missing_libraries = True
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. .*libcudart"):
        assert open_model(tiny, device="auto").session.provider == CPU
    with pytest.raises(ProviderError, match=r"libcudart\.so\.13 not found\. .*`pip uninstall .*onnxruntime-gpu\[cuda"):
        open_model(tiny, device="gpu")


def test_what_the_cpu_would_have_to_run_is_named(native: type[NativeSession], tiny: Path) -> None:
    native.left_to_cpu = ("conv1/Conv",)
    with pytest.raises(ProviderError, match=r"Received: the CPU would have to run conv1/Conv \(Conv\)\. Another"):
        open_model(tiny, device="openvino")
    native.left_to_cpu = ("a", "b", "c", "d")
    with pytest.raises(ProviderError, match=r"run 4 nodes: a \(Conv\), b \(Conv\), c \(Conv\) and others\."):
        open_model(tiny, device="openvino")


def test_a_lone_file_is_held_against_the_cpu(native: type[NativeSession], tiny: Path) -> None:
    lone = tiny / "model.onnx"
    assert open_model(lone, device="auto").session.provider == CUDA
    native.error = 0.9
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. .* must answer as the CPU does"):
        assert open_model(lone, device="auto").session.provider == CPU
    with pytest.raises(ProviderError, match=r"Received: `probabilities` differs by 0\.\d+ from what the CPU answers"):
        open_model(lone, device="cuda")


@pytest.mark.filterwarnings("ignore:The CPU is used")
def test_int8_stays_off_the_gpu(native: type[NativeSession], tiny: Path) -> None:
    assert native.error == 0.0
    assert open_model(tiny, device="auto", variant="int8").session.provider == CPU
    with pytest.raises(ProviderError, match=r"requires a float model. Received: int8"):
        open_model(tiny, device="gpu", variant="int8")
    assert open_model(tiny, device="openvino", variant="int8").session.provider == OPENVINO


def test_a_device_of_several_is_told_to_its_provider(
    native: type[NativeSession], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr(native, "get_providers", lambda self: given.append(self.given) or [self._provider])
    with Predictor(tiny, device="CUDA:1") as model:
        assert (model.provider, given) == (f"{CUDA}:1", [{"use_tf32": "0", "device_id": "1"}])
        assert pickle.loads(pickle.dumps(model)).provider == f"{CUDA}:1"


def test_threads_are_told_to_a_provider_that_does_not_take_the_session_s(
    native: type[NativeSession], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr(native, "get_providers", lambda self: given.append(self.given) or [self._provider])
    open_model(tiny, device="openvino", threads=2)
    assert json.loads(given[0]["load_config"])["CPU"] == {
        "EXECUTION_MODE_HINT": "ACCURACY",
        "INFERENCE_NUM_THREADS": "2",
    }


def test_nodes_that_a_provider_in_the_cpu_s_memory_leaves_to_it_are_no_fault(
    native: type[NativeSession], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["XnnpackExecutionProvider", CPU])
    native.left_to_cpu = ("conv1/Conv",)
    assert open_model(tiny, device="xnnpack").session.provider == "XnnpackExecutionProvider"
    native.error = 0.9
    with pytest.raises(ProviderError, match="must answer as Keras did"):
        open_model(tiny, device="xnnpack")


def test_a_batch_goes_one_by_one_where_its_size_must_be_known(native: type[NativeSession], tiny: Path) -> None:
    assert native.error == 0.0
    on_cpu = Predictor(tiny, variant="fp32", device="cpu").probabilities(IMAGES)
    model = Predictor(tiny, device="qnn")
    np.testing.assert_allclose(model.probabilities(IMAGES), on_cpu, atol=1e-6)
    assert len(model.predict_prepared(IMAGES)) == 5


@pytest.mark.parametrize(("target", "variant"), [("qnn", "int8"), ("x86", "fp32")])
def test_int8_that_was_made_for_a_provider_comes_first_there(
    native: type[NativeSession], tiny: Path, tmp_path: Path, target: str, variant: str
) -> None:
    assert native.error == 0.0
    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["variants"]["int8"]["quantization"]["target"] = target
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert open_model(copy, device="qnn").variant == variant
    assert open_model(copy, device="openvino").variant == "fp32"


@pytest.mark.parametrize("task", ["tags", "any"])
def test_any_model_by_arrays(native: type[NativeSession], tiny: Path, tmp_path: Path, task: str) -> None:
    folder = of_task(tiny, tmp_path / "m", task)
    runner = Runner(folder, device="gpu")
    assert (runner.provider, runner.variant) == (CUDA, "fp32")
    np.testing.assert_allclose(
        runner.run({"image": IMAGES})["probabilities"],
        Runner(folder, variant="fp32", device="cpu").run({"image": IMAGES})["probabilities"],
    )
    assert pickle.loads(pickle.dumps(runner)).provider == CUDA
    native.error = 0.9
    with pytest.raises(ProviderError, match="must answer as the CPU does"):
        Runner(folder, device="gpu")


def test_a_file_with_its_preparation_inside_is_tried_on_a_picture(native: type[NativeSession], tiny: Path) -> None:
    assert open_model(tiny, variant="e2e", device="openvino").session.provider == OPENVINO
    native.error = 0.9
    for kind in (open_model, Runner):
        with pytest.raises(ProviderError, match="must answer as the CPU does"):
            kind(tiny, variant="e2e", device="openvino")


def test_a_plugin_that_fails_in_a_call_does_not_go_on_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime's class tries a call again on the CPU, unless it is told not to."""
    given: dict[str, Any] = {}

    class Session:
        def __init__(self, *_: Any, **more: Any) -> None:
            given.update(more)
            raise RuntimeError("stop")

    monkeypatch.setattr(strict, "ort", SimpleNamespace(InferenceSession=Session))
    monkeypatch.setattr(strict, "is_plugin", lambda _: True)
    monkeypatch.setattr(strict, "plugin_devices", lambda _: [])
    options = SimpleNamespace(add_provider_for_devices=lambda *_: None, add_session_config_entry=lambda *_: None)
    with pytest.raises(ProviderError, match="Received: stop"):
        strict.open_strictly(options, b"", "own")
    assert given == {"enable_fallback": 0}
