"""Opening models on other providers than the CPU's, which are faked at the border to ONNX Runtime."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edgeconv.errors import EdgeconvWarning, ProviderError
from edgeconv.runtime import session as session_module
from edgeconv.runtime import strict
from edgeconv.runtime.loading import open_model
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.runner import Runner
from tests.runtime.artifacts import of_task

CUDA, OPENVINO, QNN = (f"{name}ExecutionProvider" for name in ("CUDA", "OpenVINO", "QNN"))
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)


class _Native:
    """ONNX Runtime's session on the CPU that claims another provider, and is right or wrong by `error`."""

    error = 0.0
    missing_libraries = False
    left_to_cpu: tuple[str, ...] = ()

    def __init__(self, model: bytes, options: Any, *, providers: list[Any], **more: Any) -> None:
        ((self._provider, self.given),) = providers
        if self.missing_libraries:
            raise RuntimeError("libcudart.so.13 not found")
        assert more.pop("enable_fallback") == 0
        self._session = ort.InferenceSession(model, options, providers=[CPU], **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        return [self._provider, CPU]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        def part(name: str, nodes: tuple[str, ...]) -> Any:
            made = [type("Node", (), {"name": node, "op_type": "Conv"}) for node in nodes]
            return type("Part", (), {"ep_name": name, "get_nodes": lambda _: made})()

        return [part(self._provider, ("first",)), part(CPU, self.left_to_cpu)]

    def run(self, *arguments: Any) -> list[Any]:
        answers = self._session.run(*arguments)
        return [np.roll(answer, 1, axis=-1) * self.error + answer * (1 - self.error) for answer in answers]


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> type[_Native]:
    class Native(_Native):
        pass

    class Fake:
        """The border to ONNX Runtime, for other providers than the CPU's alone."""

        InferenceSession = Native
        __version__ = ort.__version__

    assert session_module.ort is ort
    monkeypatch.setattr(strict, "ort", Fake)
    monkeypatch.setattr(strict, "_TELLS", True)
    monkeypatch.setattr(strict, "load_cuda", lambda _: None)  # There is a card, as far as these tests know.
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, OPENVINO, QNN, CPU])
    return Native


def test_auto_takes_a_gpu_that_computes_right_and_gives_it_fp32(native: type[_Native], tiny: Path) -> None:
    assert native.error == 0.0
    opened = open_model(tiny, device="auto")
    assert (opened.session.provider, opened.variant) == (CUDA, "fp32")
    assert open_model(tiny, device="cpu").session.provider == CPU


def test_auto_leaves_a_gpu_that_computes_wrong_and_says_so(native: type[_Native], tiny: Path) -> None:
    native.error = 0.9
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. CUDA.* must answer as Keras did"):
        opened = open_model(tiny, device="auto")
    assert (opened.session.provider, opened.variant) == (CPU, "int8")
    with pytest.raises(ProviderError, match=r"must answer as Keras did. Received: .* golden vectors get another label"):
        open_model(tiny, device="gpu")


def test_auto_leaves_a_gpu_whose_libraries_are_missing(native: type[_Native], tiny: Path) -> None:
    native.missing_libraries = True
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. .*libcudart"):
        assert open_model(tiny, device="auto").session.provider == CPU
    with pytest.raises(ProviderError, match=r"libcudart\.so\.13 not found\. .*`pip uninstall .*onnxruntime-gpu\[cuda"):
        open_model(tiny, device="gpu")


def test_what_the_cpu_would_have_to_run_is_named(native: type[_Native], tiny: Path) -> None:
    native.left_to_cpu = ("conv1/Conv",)
    with pytest.raises(ProviderError, match=r"Received: the CPU would have to run conv1/Conv \(Conv\)\. Another"):
        open_model(tiny, device="openvino")
    native.left_to_cpu = ("a", "b", "c", "d")
    with pytest.raises(ProviderError, match=r"run 4 nodes: a \(Conv\), b \(Conv\), c \(Conv\) and others\."):
        open_model(tiny, device="openvino")


def test_a_lone_file_is_held_against_the_cpu(native: type[_Native], tiny: Path) -> None:
    lone = tiny / "model.onnx"
    assert open_model(lone, device="auto").session.provider == CUDA
    native.error = 0.9
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. .* must answer as the CPU does"):
        assert open_model(lone, device="auto").session.provider == CPU
    with pytest.raises(ProviderError, match=r"Received: `probabilities` differs by 0\.\d+ from what the CPU answers"):
        open_model(lone, device="cuda")


@pytest.mark.filterwarnings("ignore:The CPU is used")
def test_int8_stays_off_the_gpu(native: type[_Native], tiny: Path) -> None:
    assert native.error == 0.0
    assert open_model(tiny, device="auto", variant="int8").session.provider == CPU
    with pytest.raises(ProviderError, match=r"requires a float model. Received: int8"):
        open_model(tiny, device="gpu", variant="int8")
    assert open_model(tiny, device="openvino", variant="int8").session.provider == OPENVINO


def test_a_device_of_several_is_told_to_its_provider(
    native: type[_Native], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr(native, "get_providers", lambda self: given.append(self.given) or [self._provider])
    with Predictor(tiny, device="CUDA:1") as model:
        assert (model.provider, given) == (f"{CUDA}:1", [{"use_tf32": "0", "device_id": "1"}])
        assert pickle.loads(pickle.dumps(model)).provider == f"{CUDA}:1"


def test_a_batch_goes_one_by_one_where_its_size_must_be_known(native: type[_Native], tiny: Path) -> None:
    assert native.error == 0.0
    on_cpu = Predictor(tiny, variant="fp32", device="cpu").probabilities(IMAGES)
    model = Predictor(tiny, device="qnn")
    np.testing.assert_allclose(model.probabilities(IMAGES), on_cpu, atol=1e-6)
    assert len(model.predict_prepared(IMAGES)) == 5


@pytest.mark.parametrize(("target", "variant"), [("qnn", "int8"), ("x86", "fp32")])
def test_int8_that_was_made_for_a_provider_comes_first_there(
    native: type[_Native], tiny: Path, tmp_path: Path, target: str, variant: str
) -> None:
    assert native.error == 0.0
    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["variants"]["int8"]["quantization"]["target"] = target
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert open_model(copy, device="qnn").variant == variant
    assert open_model(copy, device="openvino").variant == "fp32"


@pytest.mark.parametrize("task", ["tags", "any"])
def test_any_model_by_arrays(native: type[_Native], tiny: Path, tmp_path: Path, task: str) -> None:
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


def test_a_file_with_its_preparation_inside_is_tried_on_a_picture(native: type[_Native], tiny: Path) -> None:
    assert open_model(tiny, variant="e2e", device="openvino").session.provider == OPENVINO
    native.error = 0.9
    for kind in (open_model, Runner):
        with pytest.raises(ProviderError, match="must answer as the CPU does"):
            kind(tiny, variant="e2e", device="openvino")
