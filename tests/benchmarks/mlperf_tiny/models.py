"""The four reference models of MLPerf Tiny, and inputs of the range that theirs have.

C. Banbury et al., "MLPerf Tiny Benchmark", NeurIPS Datasets and Benchmarks 2021; github.com/mlcommons/tiny, whose
trained models lie with their int8 in a folder of `$EDGECONV_DATA`. They are used here unofficially.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Inputs = NDArray[np.float32]
Make = Callable[[np.random.Generator, int], Inputs]


@dataclass(frozen=True)
class TinyModel:
    """One of the four.

    Attributes:
        name: the benchmark's own.
        title: what people read.
        source: the model in float.
        theirs: the int8 of its authors.
        make: draws so many inputs.
        input_range: what `export` is told of the pixels of a model of pictures, or None: of floats.
        divisor: what the model divides its pixels by before they are given to it.
        target: what the benchmark asks for: an accuracy, or an area under the ROC curve.
        max_drop: percent of the calibration inputs whose answer may flip, or error over the spread. Drawn inputs lie
            nearer to the borders between classes than sounds and pictures do: the authors' own flip more.
        their_float: what their int8 is held against, where that has other weights than `source`; None: the same.
    """

    name: str
    title: str
    source: str
    theirs: str
    make: Make
    target: float
    input_range: str | None = None
    divisor: float = 1.0
    max_drop: float = 2.0
    their_float: str | None = None

    @property
    def answers_classes(self) -> bool:
        """Whether flips can be counted."""
        return self.name != "ad"


def folder() -> Path:
    """Return where the models lie, or end with what to do."""
    found = Path(os.environ.get("EDGECONV_DATA", "")) / "mlperf-tiny"
    if "EDGECONV_DATA" not in os.environ or not found.is_dir():
        sys.exit(
            "MLPerf Tiny's reference models are required in `mlperf-tiny` below $EDGECONV_DATA. "
            f"Received: EDGECONV_DATA={os.environ.get('EDGECONV_DATA')!r}. Take them from github.com/mlcommons/tiny."
        )
    return found


def _pictures(side: int) -> Make:
    """Return what draws pictures of large and small spots in colour, whole pixels, 0-255."""

    def make(rng: np.random.Generator, count: int) -> Inputs:
        from PIL import Image

        def picture() -> NDArray[np.float64]:
            cells = int(rng.integers(3, 9))
            coarse = rng.uniform(0, 1, (cells, cells, 3)).astype(np.float32)
            planes = [Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC) for plane in coarse.T]
            return np.stack([np.asarray(plane) for plane in planes], axis=-1) + rng.normal(0, 0.05, (side, side, 3))

        return np.rint(255 * np.stack([picture() for _ in range(count)]).clip(0, 1)).astype(np.float32)

    return make


def _mfcc(rng: np.random.Generator, count: int) -> Inputs:
    """Draw 49 frames of 10 coefficients, the first the loudness, in the range of the authors' int8."""
    noise = rng.normal(0, 12, (count, 49, 10, 1)) * np.linspace(2, 0.3, 10)[:, None]
    noise[:, :, 0] -= 50
    return noise.clip(-122, 25).astype(np.float32)


def _log_mel(rng: np.random.Generator, count: int) -> Inputs:
    """Draw 5 frames of 128 decibels, smooth over frequency."""
    base, drift = rng.normal(-30, 8, (count, 1)), 0.2 * np.cumsum(rng.normal(0, 2, (count, 640)), axis=1)
    return (base + drift + rng.normal(0, 3, (count, 640))).clip(-84, 14).astype(np.float32)


MODELS = {
    model.name: model
    for model in (
        TinyModel("ad", "anomaly detection", "ad_autoencoder.h5", "ad_autoencoder_int8.tflite", _log_mel, 0.85),
        TinyModel(
            "ic",
            "image classification",
            "ic_resnet8.h5",
            "ic_resnet8_int8.tflite",
            _pictures(32),
            0.85,
            "0:255",
            max_drop=7.0,
        ),
        TinyModel(
            *("vww", "visual wake words", "vww_mobilenet_96.h5", "vww_mobilenet_96_int8.tflite"),
            *(_pictures(96), 0.8, "0:1", 255.0),
        ),
        # Another training: none of its layers has weights like those of the SavedModel, correlations are below 0.1.
        TinyModel(
            *("kws", "keyword spotting", "kws_dscnn", "kws_dscnn_int8.tflite", _mfcc, 0.9),
            their_float="kws_dscnn_float32.tflite",
        ),
    )
}
