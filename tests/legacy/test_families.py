"""A few of the files of `make legacy`, in every run of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("tf_keras", reason="Keras 2 writes its files where the extra `legacy` is installed")

from tests.legacy.__main__ import judged  # noqa: E402
from tests.legacy.verdicts import BY_KERAS3, SAVED  # noqa: E402
from tests.legacy.writing import FORMATS  # noqa: E402

CASES = ("GRU: return_sequences=True", "BatchNormalization: plain", "applications.MobileNetV2")


@pytest.mark.parametrize("name", CASES)
def test_files_of_keras_2_answer_as_it_did(name: str, tmp_path: Path) -> None:
    """Takes some seconds: Keras 2 writes and Keras 3 opens, each in a process of its own."""
    verdicts = judged([name], tmp_path)[name]
    assert {kind: verdict.outcome for kind, verdict in verdicts.items()} == {
        kind: SAVED if kind == "savedmodel" else BY_KERAS3 for kind in FORMATS
    }
