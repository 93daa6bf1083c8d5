from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.errors import ConfigError, InputError, ProviderError
from edgeconv.reading import read
from edgeconv.runtime import session as session_module
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.session import Session, native_options
from edgeconv.session_options import LEVELS, SessionOptions


@pytest.fixture
def session(tiny: Path) -> Session:
    return Session((tiny / "model.onnx").read_bytes())


def test_answers_are_those_of_keras_at_any_batch_size(session: Session, tiny: Path) -> None:
    samples = Samples.load(tiny / "samples.npz")
    for batch in (1, 3, len(samples.images)):
        answers = session.run(samples.images[:batch])
        assert answers.dtype == np.float32
        # fp32 sums in another order; see edgeconv.variants.FP32_MAX_DP.
        np.testing.assert_allclose(answers, samples.probabilities[:batch], atol=1e-5)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((12, 12, 3), np.uint8),
            r"`image` must be uint8 \(batch, 12, 12, 3\)\. Received: uint8 \(12, 12, 3\)\. Add the batch axis",
        ),
        (np.zeros((1, 12, 12, 3)), r"Received: float64 \(1, 12, 12, 3\)\. Give raw pixels 0-255"),
        (np.zeros((1, 28, 28, 1), np.uint8), r"Received: uint8 \(1, 28, 28, 1\)\. Prepare pictures"),
        (np.zeros((), np.uint8), r"Received: uint8 \(\)\. Prepare pictures"),
    ],
)
def test_a_wrong_array_is_told_what_is_right(session: Session, images: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        session.run(images)


def test_bytes_that_are_no_model(tiny: Path) -> None:
    with pytest.raises(InputError, match=r"must be an ONNX file that ONNX Runtime .* loads"):
        Session((tiny / "manifest.json").read_bytes())


def test_a_provider_that_is_absent_is_no_cpu(tiny: Path) -> None:
    """ONNX Runtime itself warns and runs on the CPU."""
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider (must run the whole model|requires a card)"):
        Session((tiny / "model.onnx").read_bytes(), provider="CUDAExecutionProvider")


def test_the_file_carries_its_contract(session: Session) -> None:
    assert session.metadata["edgeconv.variant"] == "fp32"
    assert session.metadata["Image.BitmapPixelFormat"] == "Rgb8"
    assert '"0": "red"' in session.metadata["names"]


@pytest.mark.parametrize(
    ("overflows", "reduced", "recoded"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_weights_are_recoded_where_their_sums_overflow(
    monkeypatch: pytest.MonkeyPatch, overflows: bool, reduced: bool, recoded: bool
) -> None:
    monkeypatch.setattr(session_module, "int8_overflows", lambda: overflows)
    options = native_options(1, reduced_range=reduced)
    if recoded:
        assert options.get_session_config_entry("session.x64quantprecision") == "1"
    else:
        with pytest.raises(RuntimeError, match="does not have configuration with key"):
            options.get_session_config_entry("session.x64quantprecision")


@pytest.mark.parametrize("level", LEVELS)
def test_no_option_changes_the_answers(tiny: Path, level: str) -> None:
    samples = Samples.load(tiny / "samples.npz")
    options = SessionOptions(optimization=level, spinning=False, arena=False, memory_pattern=False)
    answers = Session((tiny / "model.onnx").read_bytes(), threads=2, options=options).run(samples.images)
    # fp32 sums in another order; see edgeconv.variants.FP32_MAX_DP.
    np.testing.assert_allclose(answers, samples.probabilities, atol=1e-5)


def test_options_reach_onnxruntime() -> None:
    native = native_options(3, options=SessionOptions("basic", spinning=False, arena=False, memory_pattern=False))
    assert native.intra_op_num_threads == 3
    assert native.graph_optimization_level.name == "ORT_ENABLE_BASIC"
    assert (native.enable_cpu_mem_arena, native.enable_mem_pattern) == (False, False)
    assert native.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_level_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match=r"`optimization` must be one of basic, extended, all\. Received: 'most'"):
        SessionOptions("most")


def test_options_survive_json() -> None:
    options = SessionOptions("extended", spinning=False, arena=True, memory_pattern=False)
    assert read(SessionOptions, options.as_dict(), "options") == options
