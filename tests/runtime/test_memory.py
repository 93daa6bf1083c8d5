"""No file that comes with a model, or is given to one, takes more than 500 MB; a child for each, a second and more."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.memory import MOST_MB, peak_of

PREDICTOR = """
from edgeconv.runtime.predictor import Predictor
def answer_of(model):
    return Predictor(model)
"""

SAMPLES = """
from pathlib import Path
from edgeconv.runtime.golden import Samples
def answer_of(path):
    return Samples.load(Path(path))
"""

ARRAYS = """
from pathlib import Path
from edgeconv.runtime.array_files import read_arrays
def answer_of(path):
    return read_arrays(Path(path), ["x"])
"""


def bomb(path: Path, name: str, megabytes: int) -> Path:
    """Write an `.npz` of zeros, packed to a thousandth."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({megabytes}000000,), }}".ljust(117) + "\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{name}.npy", "w") as file:
        file.write(b"\x93NUMPY\1\0\x76\0" + header.encode())
        for _ in range(megabytes):
            file.write(bytes(10**6))
    return path


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (SAMPLES, "images", r"ArtifactError: .*must hold golden vectors\. Received: 1,500 MB of arrays"),
        (ARRAYS, "x", r"InputError: .*must be an \.npz or \.npy file of numbers\. Received: 1,500 MB packed into"),
    ],
    ids=["golden vectors", "inputs"],
)
def test_arrays_are_not_unpacked_beyond_a_limit(tmp_path: Path, code: str, name: str, message: str) -> None:
    peak = peak_of(code, bomb(tmp_path / "bomb.npz", name, 1500))
    assert re.search(message, peak.answer), peak
    assert peak.mb < MOST_MB / 5, peak


@pytest.mark.parametrize("megabytes", [8, 100])
def test_a_manifest_of_nothing_takes_little(tmp_path: Path, tiny: Path, megabytes: int) -> None:
    shutil.copytree(tiny, tmp_path / "model")
    (tmp_path / "model" / "manifest.json").write_text("[" + "[]," * (megabytes * 10**6 // 3) + "[]]")
    peak = peak_of(PREDICTOR, tmp_path / "model")
    assert peak.answer.startswith("ArtifactError: ")
    assert peak.mb < MOST_MB, peak
