"""The ledger of a model on other providers than the CPU's, which are faked, without Keras at hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import edgeconv
from edgeconv.errors import ProviderError
from edgeconv.parity.ledger import Ledger
from edgeconv.runtime.golden import Samples
from tests.runtime.artifacts import of_task
from tests.runtime.faked_providers import NativeSession, fake_providers

TASKS = {"tags": "flips", "values": "max error over spread", "any": "max error over spread", "embedding": "cosine"}
"""A gate that fp32 on a provider has, by the task."""


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> type[NativeSession]:
    return fake_providers(monkeypatch)


@pytest.fixture
def classes(tiny: Path, tmp_path: Path) -> tuple[Path, str]:
    """Return a classifier without Keras, and its golden images as a dataset: a class each, as fp32 answers."""
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    (folder / "model.keras").unlink(missing_ok=True)
    samples = Samples.load(folder / "samples.npz")
    labels = samples.probabilities.argmax(axis=1)
    data = tmp_path / "data.npz"
    np.savez(data, x_train=samples.images, y_train=labels, x_test=samples.images, y_test=labels)
    return folder, str(data)


def _wrong(ledger: Ledger) -> set[str]:
    return {gate.stage for gate in ledger.gates if not gate.passed}


def test_each_variant_of_a_classifier_has_a_row_and_gates_on_a_provider(
    native: type[NativeSession], classes: tuple[Path, str]
) -> None:
    folder, data = classes
    ledger = edgeconv.evaluate(folder, dataset=data, device="openvino")
    assert ledger.passed
    on_cpu = [row.stage for row in ledger.rows if row.provider == "CPUExecutionProvider"]
    assert [row.stage for row in ledger.rows] == [*on_cpu, *(f"{name} on openvino" for name in on_cpu)]
    assert {row.provider for row in ledger.rows} == {"CPUExecutionProvider", "OpenVINOExecutionProvider"}
    assert [gate.name for gate in ledger.gates if gate.stage == "fp32 on openvino"] == ["flips", "max |dp|"]
    native.error = 0.01
    assert _wrong(edgeconv.evaluate(folder, dataset=data, device="openvino")) == {"fp32 on openvino"}
    native.error = 0.9
    assert len(_wrong(edgeconv.evaluate(folder, dataset=data, device="openvino"))) == len(on_cpu)


@pytest.mark.parametrize("task", TASKS)
def test_a_model_of_any_task_is_held_on_a_provider(
    native: type[NativeSession], tiny: Path, tmp_path: Path, task: str
) -> None:
    folder = of_task(tiny, tmp_path / "m", task)
    (folder / "model.keras").unlink(missing_ok=True)
    ledger = edgeconv.evaluate(folder, device="openvino")
    assert ledger.passed
    stages = [row.stage for row in ledger.rows]
    assert stages == ["keras", "fp32", "int8", "e2e", "fp32 on openvino", "int8 on openvino", "e2e on openvino"]
    assert any(gate.name.startswith(TASKS[task]) for gate in ledger.gates if gate.stage == "fp32 on openvino")
    native.error = 0.9
    assert _wrong(edgeconv.evaluate(folder, device="openvino")) == set(stages[4:])


def test_what_a_provider_does_not_run_is_left_out_or_an_error(
    native: type[NativeSession], tiny: Path, tmp_path: Path
) -> None:
    folder = of_task(tiny, tmp_path / "m", "values")
    (folder / "model.keras").unlink(missing_ok=True)
    assert [row.stage for row in edgeconv.evaluate(folder, device="cuda").rows][-1] == "fp32 on cuda"
    assert [row.stage for row in edgeconv.evaluate(folder).rows][-1] == "fp32 on cuda"  # auto
    assert [row.stage for row in edgeconv.evaluate(folder, device="cpu").rows][-1] == "e2e"
    native.missing_libraries = True
    assert [row.stage for row in edgeconv.evaluate(folder).rows][-1] == "e2e"
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider must run the whole model\. Received: libcudart"):
        edgeconv.evaluate(folder, device="cuda")
