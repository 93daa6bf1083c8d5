"""BUNDLE_NAME: tells which of BUNDLE_CLASSES classes a picture shows.

    python predict.py IMAGE...                      one JSON row a picture
    python predict.py --selftest [FILE] [--rows]    does it answer here as it should?

In an app:

    from predict import Model

    model = Model()
    print(model.predict("picture.png").label)
"""

from __future__ import annotations

import argparse
import json
import math
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

# Read when ONNX Runtime is loaded. Without it, it keeps a device id under the home folder and sends usage data.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

FOLDER = Path(__file__).resolve().parent
MODEL_FILE = FOLDER / "BUNDLE_MODEL_FILE"
SELFTEST_FILE = FOLDER / "BUNDLE_SELFTEST_FILE"

# The classes, in the order of the probabilities.
BUNDLE_LABELS_PYTHON

# Rows, columns and channels of what the model makes of every picture.
PREPARED_SHAPE = (BUNDLE_HEIGHT, BUNDLE_WIDTH, BUNDLE_CHANNELS)

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
MAX_PIXELS = 89_478_485  # a quarter GiB of RGB; beyond it Pillow suspects a bomb

Picture = NDArray[np.uint8]


class PictureError(ValueError):
    """A picture that cannot be answered; the next one may be."""


class BundleError(RuntimeError):
    """The model or the self-test's samples are absent, damaged, or of another model."""


@dataclass(frozen=True)
class Score:
    """A class and its probability, 0 to 1."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The likeliest class of a picture, and the runners-up: `top`, best first."""

    label: str
    index: int
    probability: float
    top: tuple[Score, ...]


class Model:
    """The model, ready to answer; threads may share it.

    Raises:
        BundleError: ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path = MODEL_FILE) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # the fastest for one picture at a time
        options.log_severity_level = 3  # errors only
        # Exact sums of int8 products on x86 processors without VNNI, too.
        options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no base class
            raise BundleError(f"{path}: cannot be loaded: {_words(error)}") from error

    def predict(
        self, picture: Picture | str | Path | bytes, top: int = 3
    ) -> Prediction:
        """Tell what a picture shows.

        Args:
            picture: a file, its bytes, or pixels: uint8, (height, width, channels),
                0-255, of any size; 1 channel is grey, 3 are RGB, 4 RGB and alpha.
            top: how many classes the answer lists.

        Raises:
            PictureError: it is no such picture, or nothing is found in it.
        """
        if not isinstance(picture, np.ndarray):
            picture = read_picture(picture)
        probabilities, _ = self.run(picture)
        if not probabilities.any():
            raise PictureError("nothing was found in the picture")
        best = np.argsort(-probabilities, kind="stable")[:top].tolist()
        scores = [Score(LABELS[i], i, float(probabilities[i])) for i in best]
        return Prediction(**asdict(scores[0]), top=tuple(scores))

    def run(self, picture: Picture) -> tuple[NDArray[np.float32], Picture]:
        """Return the probabilities of all classes, and what the net was fed.

        Both are made inside the model: it is given raw pixels.
        """
        if picture.dtype != np.uint8 or picture.ndim != 3 or not picture.size:
            raise PictureError(
                "pixels must be uint8 (height, width, channels), "
                f"not {picture.dtype} {picture.shape}"
            )
        if picture.shape[2] not in (1, 3, 4):
            raise PictureError(f"1, 3 or 4 channels are read, not {picture.shape[2]}")
        try:
            probabilities, prepared = self._session.run(
                ["probabilities", "prepared"], {"picture": picture}
            )
        except Exception as error:
            raise BundleError(f"the model cannot be run: {_words(error)}") from error
        shapes = probabilities.shape, prepared.shape
        if shapes != ((1, len(LABELS)), (1, *PREPARED_SHAPE)):
            raise BundleError("the model is not the one that this file was made for")
        return probabilities[0], prepared[0]


def read_picture(source: str | Path | bytes) -> Picture:
    """Read a picture of one of FORMATS, upright as its EXIF data says.

    Returns:
        uint8, (height, width, channels), 0-255: grey, RGB, or RGB and straight alpha.

    Raises:
        PictureError: there is no such file, or it is no picture, damaged or too large.
    """
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"{image.width}x{image.height} is too large")
            return _to_array(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(f"is none of {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise PictureError("is too large") from error
    except Exception as error:  # damaged bytes make decoders fail in every way
        raise PictureError(f"is damaged: {_words(error)}") from error


def _to_array(image: Image.Image) -> Picture:
    if image.mode.startswith("I;16"):
        return _to_bytes(np.asarray(image), 65535)
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        brightest = float(np.max(values, initial=0, where=np.isfinite(values)))
        # Such files do not say what white is: the smallest usual value that holds all.
        usual = (255, 65535) if image.mode == "I" else (1, 255, 65535)
        return _to_bytes(values, next((w for w in usual if brightest <= w), brightest))
    opaque = "L" if image.mode in ("1", "L") else "RGB"
    pixels = np.array(image.convert("RGBA" if image.has_transparency_data else opaque))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _to_bytes(values: NDArray[Any], white: float) -> Picture:
    shares = np.clip(np.nan_to_num(values.astype(np.float64)), 0, white) / white
    return np.rint(shares * 255).astype(np.uint8)[..., None]


@dataclass(frozen=True)
class Sample:
    """A picture of the self-test, and what the reference makes of it.

    `label` is the index of its class, or -1 where that is not known.
    """

    picture: Picture
    label: int
    prepared: Picture
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """How far the model was off on one sample.

    `prepared_error` is in grey levels. `probability_error` is None where the net could
    not be fed what the reference was fed.
    """

    sample: int
    label: int
    prepared_error: int
    probability_error: float | None
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """Whether the model answers as the reference did, sample by sample and in words."""

    passed: bool
    rows: tuple[Row, ...]
    verdict: tuple[str, ...]


def selftest(model: Model, file: Path = SELFTEST_FILE) -> Report:
    """Run the model on samples whose answers are known.

    Preparation and inference are judged apart: inference by a run in which the net was
    fed the very image that the reference was fed.

    Raises:
        BundleError: the file is damaged or of another model.
    """
    samples, allowed_levels, allowed = read_samples(file)
    rows = tuple(
        _try_sample(model, number, sample, allowed_levels)
        for number, sample in enumerate(samples)
    )
    prepared = max(rows, key=lambda row: row.prepared_error)
    reached = [row for row in rows if row.probability_error is not None]
    inferred = max(reached, key=lambda row: row.probability_error or 0, default=None)
    levels = prepared.prepared_error
    difference = inferred.probability_error or 0.0 if inferred else 0.0
    failures = []
    if not levels <= allowed_levels:
        failures.append(
            f"FAIL: preparation is off: {_name(prepared)} differs by {levels} "
            f"grey levels, allowed are {allowed_levels:g}"
        )
    if inferred and not difference <= allowed:
        failures.append(
            f"FAIL: inference is off: {_name(inferred)} differs by {difference:.3g}, "
            f"allowed are {allowed:.3g}"
        )
    if failures:
        return Report(False, rows, tuple(failures))
    verdict = (
        f"PASS: {len(rows)} samples; preparation within {levels} of "
        f"{allowed_levels:g} grey levels, probabilities within {difference:.3g} of "
        f"{allowed:.3g}"
    )
    return Report(True, rows, (verdict,))


def _try_sample(model: Model, number: int, sample: Sample, allowed: float) -> Row:
    probabilities, prepared = model.run(sample.picture)
    prepared_error = fed = int(_difference(prepared, sample.prepared))
    answer = probabilities
    if not fed <= allowed:
        # A prepared image is left as it is: this feeds the net past its preparation.
        answer, prepared = model.run(sample.prepared)
        fed = int(_difference(prepared, sample.prepared))
    return Row(
        number,
        sample.label,
        prepared_error,
        _difference(answer, sample.probabilities) if fed <= allowed else None,
        tuple(probabilities.tolist()),
    )


def _difference(received: NDArray[Any], wanted: NDArray[Any]) -> float:
    differences = np.abs(received.astype(np.float64) - wanted)
    return float(np.nan_to_num(differences, nan=np.inf).max())


def _name(row: Row) -> str:
    label = f" ({json.dumps(LABELS[row.label], ensure_ascii=False)})"
    return f"sample {row.sample}{label if row.label >= 0 else ''}"


def read_samples(file: Path) -> tuple[list[Sample], float, float]:
    """Return the samples, and how far grey levels and probabilities may be off."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        magic, version, count = struct.unpack_from("<8s2I", content)
        *sizes, allowed_levels, allowed = struct.unpack_from("<4I2f", content, 16)
    except struct.error:
        raise BundleError(f"{file}: is no self-test") from None
    if magic != b"EDGECONV" or version != 1:
        raise BundleError(f"{file}: is no self-test")
    if sizes != [len(LABELS), *PREPARED_SHAPE]:
        raise BundleError(f"{file}: is the self-test of another model")
    try:
        samples = list(_read_each(content, count))
    except (struct.error, ValueError):
        raise BundleError(f"{file}: is damaged") from None
    return samples, allowed_levels, allowed


def _read_each(content: bytes, count: int) -> Iterator[Sample]:
    offset = 40

    def pixels(shape: tuple[int, ...]) -> Picture:
        nonlocal offset
        size = math.prod(shape)
        if not 0 < size <= len(content) - offset:
            raise ValueError("fewer pixels than there should be")
        found = np.frombuffer(content, np.uint8, size, offset).reshape(shape)
        offset += size + -size % 4
        return found

    for _ in range(count):
        *shape, label = struct.unpack_from("<3Ii", content, offset)
        offset += 16
        picture, prepared = pixels(tuple(shape)), pixels(PREPARED_SHAPE)
        probabilities = np.frombuffer(content, "<f4", len(LABELS), offset)
        offset += probabilities.nbytes
        if not -1 <= label < len(LABELS) or shape[2] not in (1, 3, 4):
            raise ValueError("no such class, or no such picture")
        yield Sample(picture, label, prepared, probabilities)
    if count == 0 or offset != len(content):
        raise ValueError("more or fewer bytes than its samples have")


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description="Tell what pictures show.")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="picture files")
    parser.add_argument(
        "--selftest",
        nargs="?",
        type=Path,
        const=SELFTEST_FILE,
        metavar="FILE",
        help=f"run the self-test on FILE, by default {SELFTEST_FILE.name}",
    )
    parser.add_argument("--rows", action="store_true", help="print each sample's row")
    options = parser.parse_args()
    if bool(options.images) == bool(options.selftest):
        parser.error("name pictures, or --selftest")
    try:
        model = Model()
        if options.selftest:
            return _print_selftest(selftest(model, options.selftest), options.rows)
        return _print_answers(model, options.images)
    except BundleError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _print_answers(model: Model, paths: list[str]) -> int:
    failed = False
    for path in paths:
        try:
            row = {"path": path, **asdict(model.predict(path))}
        except PictureError as error:
            print(f"Error: {path}: {error}", file=sys.stderr)
            failed = True
        else:
            print(json.dumps(row), flush=True)
    return int(failed)


def _print_selftest(report: Report, rows: bool) -> int:
    if rows:
        for row in report.rows:
            print(json.dumps(asdict(row)))
    print("\n".join(report.verdict), file=sys.stderr)
    return int(not report.passed)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
