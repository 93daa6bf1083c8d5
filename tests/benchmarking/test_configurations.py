from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edgeconv.benchmarking.configurations import (
    Configuration,
    Opened,
    batch_sizes,
    gated,
    on_pictures,
    thread_counts,
    usable_configurations,
)
from edgeconv.benchmarking.inputs import Inputs
from edgeconv.errors import ArtifactError, ChecksumError, ConfigError
from edgeconv.runtime import loading
from edgeconv.runtime.files import read_files
from edgeconv.runtime.providers import CPU
from edgeconv.session_options import SessionOptions

CUDA = "CUDAExecutionProvider"


def test_every_variant_that_is_there_is_measured(copy: Path, listener: Any) -> None:
    assert usable_configurations(read_files(copy), listener) == [
        Configuration("fp32"),
        Configuration("int8"),
        Configuration("e2e"),
    ]
    (copy / "model.int8.onnx").unlink()
    assert usable_configurations(read_files(copy), listener) == [Configuration("fp32"), Configuration("e2e")]
    assert listener.words == ["int8 is left out: model.int8.onnx is not there."]


def test_a_file_that_was_changed_is_refused(copy: Path, listener: Any) -> None:
    (copy / "model.int8.onnx").write_bytes((copy / "model.onnx").read_bytes())
    with pytest.raises(ChecksumError, match=r"model\.int8\.onnx` must have the SHA-256"):
        usable_configurations(read_files(copy), listener)


def test_no_file_is_there(copy: Path, listener: Any) -> None:
    for path in copy.glob("*.onnx"):
        path.unlink()
    with pytest.raises(ArtifactError, match=r"must hold a model that runs here\. Received: none\. Export it again"):
        usable_configurations(read_files(copy), listener)


def test_a_lone_file_is_one_variant(tiny: Path, listener: Any) -> None:
    assert usable_configurations(read_files(tiny / "model.int8.onnx"), listener) == [Configuration("int8")]


def test_a_gpu_runs_float_only_and_other_machines_nothing(
    tiny: Path, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = loading.Session

    def faked(data: bytes, *, provider: str = CPU, **settings: Any) -> Any:
        session = plain(data, **settings)
        session.provider = provider
        return session

    monkeypatch.setattr(loading, "Session", faked)
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, "AzureExecutionProvider", CPU])
    found = usable_configurations(read_files(tiny), listener)
    assert [(configuration.variant, configuration.provider) for configuration in found] == [
        *(("fp32", CUDA), ("fp32", CPU)),
        *(("int8", CPU), ("e2e", CPU)),
    ]
    assert [word.partition(" is left out")[0] for word in listener.words] == ["int8 on cuda", "e2e on cuda"]


@pytest.mark.parametrize(
    ("cores", "expected"), [(1, (1,)), (2, (1, 2)), (4, (1, 2, 3, 4)), (6, (1, 2, 3, 4, 6)), (16, (1, 2, 3, 4, 8, 16))]
)
def test_threads_go_up_to_the_cores(cores: int, expected: tuple[int, ...]) -> None:
    assert thread_counts(cores) == expected


def test_batches_are_powers_of_two_or_what_the_file_takes(tiny: Path) -> None:
    manifest = read_files(tiny).manifest
    assert batch_sizes(manifest, 9, "fp32") == (1, 2, 4, 8)
    assert batch_sizes(manifest, 9, "e2e") == (1,)
    fixed = dataclasses.replace(manifest, input=dataclasses.replace(manifest.input, shape=(3, 12, 12, 3)))
    assert batch_sizes(fixed, 9, "fp32") == (3,)
    with pytest.raises(ConfigError, match=r"`max_batch` must be at least 1\. Received: 0"):
        batch_sizes(manifest, 0, "fp32")


def test_inputs_are_golden_vectors_again_and_again(tiny: Path) -> None:
    inputs = Inputs.of(read_files(tiny))
    count = len(inputs.first)
    batch = inputs.batch(count + 2)["image"]
    np.testing.assert_array_equal(batch[count:], inputs.first[:2])


@pytest.mark.parametrize("file", ["model.onnx", "model.e2e.onnx"])
def test_a_lone_file_gets_random_pixels(tiny: Path, file: str) -> None:
    images = Inputs.of(read_files(tiny / file)).first
    assert (images.shape, images.dtype) == ((1, 12, 12, 3), np.uint8)
    assert images.max() > 200


@pytest.mark.parametrize("file", ["", "model.e2e.onnx"])
def test_a_variant_with_its_preparation_inside_is_called_with_pictures_of_several_sizes(tiny: Path, file: str) -> None:
    files = read_files(tiny / file)
    inputs, configurations = Inputs.of(files), on_pictures(Configuration("e2e"))
    assert [str(configuration) for configuration in configurations] == [
        f"e2e, cpu, 1 thread, {size} picture" for size in ("160x120", "640x480", "4032x3024")
    ]
    calls = [inputs.of_call(configuration.picture, 1) for configuration in configurations]
    assert [call["picture"].shape for call in calls] == [(1, 120, 160, 3), (1, 480, 640, 3), (1, 3024, 4032, 3)]
    given: list[Any] = []
    opened = Opened(files, configurations[1])
    opened.session.answer = given.append  # type: ignore[assignment]
    opened.call(calls[1])()
    np.testing.assert_array_equal(given, calls[1]["picture"])


def test_other_variants_are_called_with_prepared_images(tiny: Path) -> None:
    inputs = Inputs.of(read_files(tiny))
    assert on_pictures(Configuration("int8")) == (Configuration("int8"),)
    np.testing.assert_array_equal(inputs.of_call(None, 2)["image"], inputs.first[:2])


def test_a_lone_file_of_any_size_has_no_inputs(tiny: Path) -> None:
    files = read_files(tiny / "model.onnx")
    spec = dataclasses.replace(files.manifest.input, shape=("batch", "height", "width", 3))
    files = files._replace(manifest=dataclasses.replace(files.manifest, input=spec))
    with pytest.raises(
        ArtifactError, match=r"must have golden vectors or an input of fixed size\. Received: \('height'"
    ):
        Inputs.of(files)


def test_logits_become_probabilities(tiny: Path) -> None:
    files = read_files(tiny)
    manifest = dataclasses.replace(files.manifest, output=dataclasses.replace(files.manifest.output, kind="logits"))
    images = Inputs.of(files).first
    answers = Opened(files._replace(manifest=manifest), Configuration("fp32")).probabilities(images)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-6)
    assert answers.max() < Opened(files, Configuration("fp32")).probabilities(images).max()


def test_a_configuration_is_told_with_what_is_not_the_default() -> None:
    assert str(Configuration("fp32")) == "fp32, cpu, 1 thread"
    odd = Configuration("int8", CUDA, 2, SessionOptions("basic", spinning=False, memory_pattern=False))
    assert str(odd) == "int8, cuda, 2 threads, basic, no spinning, no memory pattern"


def test_variants_with_a_gate(tiny: Path) -> None:
    assert gated(read_files(tiny).manifest, ["int8", "int8-ort", "fp32"]) == ["int8", "fp32"]
