"""Arrays in `.npz` files: a dataset, golden vectors, the inputs of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis.strategies import SearchStrategy

import edgeconv
from edgeconv.conversion.verification.npz_rows import read_headers
from edgeconv.datasets.npz import read_npz
from edgeconv.runtime.array_files import read_arrays
from edgeconv.runtime.files import read_files
from edgeconv.runtime.golden import Samples, golden_arrays, golden_inputs
from tests.fuzz.archives import arrays, damaged_archives, members_of, npy_of
from tests.fuzz.target import TINY, Reader, Target

DATASET = {
    "x.npy": npy_of(np.arange(6 * 12 * 12 * 3, dtype=np.uint8).reshape(6, 12, 12, 3)),
    "y.npy": npy_of(np.arange(6) % 3),
    "class_names.npy": npy_of(np.array(["red", "green", "blue"])),
}
SAMPLES = members_of((TINY / "samples.npz").read_bytes())
INPUTS = {"image.npy": DATASET["x.npy"]}


def _archives(members: dict[str, bytes]) -> SearchStrategy[bytes]:
    return damaged_archives(members, {name: arrays(content) for name, content in members.items()})


def _look_at_samples(path: Path) -> None:
    try:
        Samples.load(path)
    finally:
        try:
            golden_inputs(path, [read_files(TINY).manifest.input])
        finally:
            golden_arrays(path, ["image"], ["probabilities"])


def _look_at_rows(path: Path) -> None:
    for rows in read_headers(path).values():
        try:
            rows.whole()
        finally:
            for _ in rows.in_steps(4):
                pass


def _open_runner(folder: Path) -> Reader:
    runner = edgeconv.Runner(TINY)
    names = [spec.name for spec in runner.inputs]
    return Reader(lambda path: runner.run(read_arrays(path, names)))


TARGETS = (
    Target("dataset-npz", "data.npz", _archives(DATASET), lambda _: Reader(read_npz), corpus="npz"),
    Target("samples-npz", "samples.npz", _archives(SAMPLES), lambda _: Reader(_look_at_samples), corpus="npz"),
    Target("inputs-npz", "inputs.npz", _archives(INPUTS), _open_runner, corpus="npz"),
    Target("rows-npz", "rows.npz", _archives(INPUTS), lambda _: Reader(_look_at_rows), corpus="npz"),
    Target("rows-npy", "rows.npy", arrays(INPUTS["image.npy"]), lambda _: Reader(_look_at_rows), corpus="npy"),
    Target("inputs-npy", "inputs.npy", arrays(INPUTS["image.npy"]), _open_runner, corpus="npy"),
)
