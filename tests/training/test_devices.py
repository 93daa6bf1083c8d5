from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from edgeconv.errors import TrainingError
from edgeconv.training.devices import Placement, choose_placement, claim_device, scope_of, strategy_of

pytestmark = pytest.mark.train

GPU = SimpleNamespace(name="/physical_device:GPU:0")


@pytest.mark.parametrize(
    ("wanted", "gpus", "kind", "precision"),
    [
        ("auto", [], "cpu", "float32"),
        ("auto", ["GPU:0"], "gpu", "mixed_float16"),
        ("cpu", [], "cpu", "float32"),
        ("cpu", ["GPU:0"], "cpu", "float32"),
        ("gpu", ["GPU:0", "GPU:1"], "gpu", "mixed_float16"),
    ],
)
def test_choice(wanted: str, gpus: list[str], kind: str, precision: str) -> None:
    placement = choose_placement(wanted, gpus, built_with_cuda=True)
    assert (placement.kind, placement.precision) == (kind, precision)
    assert placement.names == (tuple(gpus) if kind == "gpu" else ())
    assert placement.as_dict() == {"kind": kind, "names": list(placement.names), "precision": precision}


@pytest.mark.parametrize(("cuda", "reason"), [(True, "with CUDA, and sees no GPU"), (False, "without CUDA")])
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_tensorflow_sees(cuda: bool, reason: str) -> None:
    with pytest.raises(TrainingError, match=rf"Received: TensorFlow [\d.]+, which is built {reason}\..*--device cpu"):
        choose_placement("gpu", [], cuda)


@pytest.fixture
def fake_config(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Stands where TensorFlow is told about devices, with one GPU."""
    calls: list[tuple[str, object]] = []
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [GPU] if kind == "GPU" else [])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: calls.append((kind, devices)))
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: calls.append(("growth", (gpu, on)))
    )
    return calls


def test_a_gpu_takes_memory_as_it_needs_it(fake_config: list[tuple[str, object]]) -> None:
    assert claim_device("auto") == Placement("gpu", (GPU.name,))
    assert fake_config == [("growth", (GPU, True))]


def test_cpu_hides_the_gpus(fake_config: list[tuple[str, object]]) -> None:
    assert claim_device("cpu") == Placement("cpu")
    assert fake_config == [("GPU", [])]


@pytest.mark.usefixtures("fake_config")
def test_cpu_after_tensorflow_has_started_on_a_gpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object) -> None:
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", started)
    with pytest.raises(TrainingError, match=r"before TensorFlow starts.*new process"):
        claim_device("cpu")


def test_one_device_needs_no_strategy() -> None:
    assert strategy_of(Placement("cpu")) is None
    assert strategy_of(Placement("gpu", ("GPU:0",))) is None
    with scope_of(None):
        pass


def test_several_gpus_share_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda: "mirrored")
    assert strategy_of(Placement("gpu", ("GPU:0", "GPU:1"))) == "mirrored"
