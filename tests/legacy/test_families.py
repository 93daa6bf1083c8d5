"""A few of the files of `make legacy`, in every run of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("tf_keras", reason="Keras 2 writes its files where the extra `legacy` is installed")

from tests.legacy.judging import judge  # noqa: E402
from tests.legacy.verdicts import BY_KERAS3, SAVED, Verdict  # noqa: E402
from tests.legacy.writing import APPLICATIONS, H5, KERAS, SAVED_MODEL, folder_of  # noqa: E402

CASES = ("GRU: return_sequences=True", "BatchNormalization: plain", f"{APPLICATIONS}MobileNet")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of all cases: Keras 2 writes them in a process of its own, and starts once."""
    folder = tmp_path_factory.mktemp("keras2")
    subprocess.run([sys.executable, "-m", "tests.legacy.writing", str(folder), *CASES], check=True)
    return folder


@pytest.mark.parametrize(("kind", "outcome"), [(H5, BY_KERAS3), (KERAS, BY_KERAS3), (SAVED_MODEL, SAVED)])
@pytest.mark.parametrize("name", CASES)
def test_files_of_keras_2_answer_as_it_did(name: str, kind: str, outcome: str, written: Path) -> None:
    """Takes some seconds: MobileNet is converted from each of its files."""
    assert judge(folder_of(written, name), kind) == Verdict(outcome)
