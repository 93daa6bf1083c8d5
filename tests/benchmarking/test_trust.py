from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.benchmarking import trust
from edgeconv.benchmarking.configurations import Configuration
from edgeconv.benchmarking.trust import distrust
from edgeconv.runtime.files import read_files
from edgeconv.runtime.golden import Samples

WRONG = Configuration("fp32", threads=3)


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one configuration, of three threads, give other answers."""

    class Spoilt(trust.Opened):
        def probabilities(self, images: np.ndarray) -> np.ndarray:
            answers = super().probabilities(images)
            return np.roll(answers, 1, axis=1) if self.configuration == WRONG else answers

    monkeypatch.setattr(trust, "Opened", Spoilt)


def test_a_configuration_that_answers_as_by_default_is_trusted(tiny: Path) -> None:
    for variant in ("fp32", "int8"):
        assert distrust(read_files(tiny), Configuration(variant, threads=2)) is None


def test_a_configuration_that_answers_otherwise_is_not(tiny: Path, spoilt: None) -> None:
    files = read_files(tiny)
    count = len(Samples.load(tiny / "samples.npz").labels)
    reason = distrust(files, WRONG)
    assert reason is not None
    assert reason.startswith(
        f"{count} golden vectors get another label than by default, and probabilities differ by 0."
    )
    assert distrust(files, Configuration("fp32", threads=2)) is None


def test_a_variant_that_goes_wrong_on_this_processor_is_not(tiny: Path, tmp_path: Path) -> None:
    """Golden vectors whose reference answers are other ones stand for a processor that computes other ones."""
    samples = Samples.load(tiny / "samples.npz")
    turned = np.roll(samples.probabilities, 1, axis=1)
    np.savez(tmp_path / "samples.npz", images=samples.images, labels=samples.labels, probabilities=turned)
    files = read_files(tiny)._replace(samples=tmp_path / "samples.npz")
    count = len(turned)
    assert (
        distrust(files, Configuration("int8"))
        == f"{count} of {count} golden vectors get another label than Keras gave."
    )


def test_a_provider_that_is_not_there_is_not(tiny: Path) -> None:
    with pytest.warns(UserWarning, match="is not in available provider names"):
        reason = distrust(read_files(tiny), Configuration("fp32", "MIGraphXExecutionProvider"))
    assert reason is not None
    assert reason.startswith("MIGraphXExecutionProvider must run the whole model")


def test_without_golden_vectors_gates_are_all_there_is(tiny: Path, spoilt: None) -> None:
    assert distrust(read_files(tiny)._replace(samples=None), WRONG) is None
