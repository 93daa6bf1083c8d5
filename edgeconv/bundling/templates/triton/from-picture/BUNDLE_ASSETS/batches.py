"""The model of images that are prepared already, any number at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import OUTPUTS, Arrays
from .samples import read_samples
from .selftest import Report, Row, differences, judge
from .server import Server

MODEL = "BUNDLE_IDENTIFIER"
MOST_AT_ONCE = BUNDLE_MOST_AT_ONCE

# Its outputs, in the order of OUTPUTS.
BUNDLE_PLAIN_OUTPUTS_PYTHON

# What is still to be done to the first of them: a softmax, a sigmoid, or nothing.
PENDING = "BUNDLE_PENDING"


def answer_prepared(server: Server, images: NDArray[np.uint8]) -> Arrays:
    """Return the outputs to prepared images, (n, height, width, channels)."""
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in OUTPUTS}
    for start in range(0, len(images), MOST_AT_ONCE):
        part = {"BUNDLE_PLAIN_INPUT": images[start : start + MOST_AT_ONCE]}
        answers = server.ask(MODEL, part, PLAIN_OUTPUTS)
        for name, plain in zip(OUTPUTS, PLAIN_OUTPUTS, strict=True):
            found[name].append(answers[plain])
    outputs = {name: np.concatenate(parts) for name, parts in found.items()}
    outputs[OUTPUTS[0]] = _activated(outputs[OUTPUTS[0]])
    return outputs


def _activated(answers: NDArray[Any]) -> NDArray[Any]:
    if PENDING == "sigmoid":
        return np.asarray(0.5 * (1 + np.tanh(0.5 * answers)), answers.dtype)
    if PENDING == "softmax":
        powers = np.exp(answers - answers.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True), answers.dtype)
    return answers


def selftest_of_batches(server: Server, file: Path) -> Report:
    """Run the model on the images that the preparation should make of the samples."""
    samples, limits = read_samples(file)
    images = np.concatenate([sample.outputs["prepared"] for sample in samples])
    answers = answer_prepared(server, images)
    rows = []
    for number, sample in enumerate(samples):
        outputs = {name: answers[name][number : number + 1] for name in OUTPUTS}
        wanted = {name: sample.outputs[name] for name in OUTPUTS}
        errors = differences(outputs, wanted, limits)
        flat = {name: array.ravel().tolist() for name, array in outputs.items()}
        rows.append(Row(number, sample.label, errors, flat))
    return judge(rows, limits)
