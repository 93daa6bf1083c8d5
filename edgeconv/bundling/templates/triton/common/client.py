"""BUNDLE_NAME on a Triton server: tells which of BUNDLE_CLASSES classes a picture shows.

    python client.py IMAGE...                      one JSON row a picture
    python client.py --selftest [FILE] [--rows]    does the server answer as it should?

The server is at localhost:8000, or where --url says.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tritonclient.http as triton
from numpy.typing import NDArray
from PIL import Image, ImageOps
from tritonclient.utils import InferenceServerException

# The classes, in the order of the probabilities.
BUNDLE_LABELS_PYTHON

BATCH_MODEL = "BUNDLE_IDENTIFIER"
PICTURE_MODEL = "BUNDLE_IDENTIFIER_picture"

# Rows, columns and channels of a prepared image; the most of them in a request.
PREPARED_SHAPE = (BUNDLE_HEIGHT, BUNDLE_WIDTH, BUNDLE_CHANNELS)
MOST_IMAGES = 64

# What the batch model answers with. The picture model answers with probabilities.
BATCH_OUTPUT = "BUNDLE_OUTPUT_KIND"

SELFTEST_FILE = Path(__file__).resolve().parent / "BUNDLE_SELFTEST_FILE"

Pixels = NDArray[np.uint8]


class ClientError(RuntimeError):
    """The server does not answer, or a file cannot be used."""


class Server:
    """A Triton server with the models of this folder."""

    def __init__(self, url: str = "localhost:8000") -> None:
        self._url = url
        self._client = triton.InferenceServerClient(url)

    def answer(self, picture: Pixels) -> tuple[NDArray[np.float32], Pixels]:
        """Return the probabilities of a picture, and what the server prepared of it.

        `picture` is (height, width, channels) of any size: grey, RGB or RGB and alpha.
        """
        found = self._ask(
            PICTURE_MODEL, "picture", picture, "probabilities", "prepared"
        )
        return found[0][0], found[1][0]

    def answer_prepared(self, images: Pixels) -> NDArray[np.float32]:
        """Return the probabilities of prepared images, (n, *PREPARED_SHAPE)."""
        (answers,) = self._ask(BATCH_MODEL, "image", images, "probabilities")
        if BATCH_OUTPUT == "logits":
            answers = np.exp(answers - answers.max(axis=1, keepdims=True))
            answers /= answers.sum(axis=1, keepdims=True)
        return answers

    def _ask(
        self, model: str, name: str, pixels: Pixels, *outputs: str
    ) -> list[NDArray[Any]]:
        given = triton.InferInput(name, list(pixels.shape), "UINT8")
        given.set_data_from_numpy(pixels)
        wanted = [triton.InferRequestedOutput(output) for output in outputs]
        try:
            result = self._client.infer(model, [given], outputs=wanted)
        except (InferenceServerException, OSError) as error:
            raise ClientError(f"{model} at {self._url}: {_words(error)}") from error
        return [result.as_numpy(output) for output in outputs]


def read_picture(path: Path) -> Pixels:
    """Read a picture file, upright as its EXIF data says."""
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            if image.mode.startswith("I;16"):
                pixels = np.rint(np.asarray(image) / 257).astype(np.uint8)
            else:
                opaque = "L" if image.mode in ("1", "L") else "RGB"
                mode = "RGBA" if image.has_transparency_data else opaque
                pixels = np.array(image.convert(mode))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ClientError(f"{path}: cannot be read: {_words(error)}") from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


class Sample(NamedTuple):
    """A picture of the self-test, and what the reference makes of it."""

    picture: Pixels
    label: int
    prepared: Pixels
    probabilities: NDArray[np.float32]


def selftest(server: Server, file: Path, rows: bool) -> list[str]:
    """Hold the server's answers against the reference; return what is off.

    Preparation and inference are judged apart. The net is fed the reference's own
    prepared image by the batch model always, and by the picture model where its
    preparation is right.
    """
    samples, most_levels, most_difference = read_samples(file)
    worst_levels, worst_difference = (0.0, 0), (0.0, 0)
    batch = _in_batches(server, [sample.prepared for sample in samples])
    for number, sample in enumerate(samples):
        probabilities, prepared = server.answer(sample.picture)
        levels = _difference(prepared, sample.prepared)
        difference = _difference(batch[number], sample.probabilities)
        if levels <= most_levels:
            own = _difference(probabilities, sample.probabilities)
            difference = max(difference, own)
        worst_levels = max(worst_levels, (levels, -number))
        worst_difference = max(worst_difference, (difference, -number))
        if rows:
            row = {
                "sample": number,
                "label": sample.label,
                "prepared_error": levels,
                "probability_error": difference,
                "probabilities": probabilities.tolist(),
            }
            print(json.dumps(row))
    verdict = []
    for what, unit, (found, number), most in (
        ("preparation", " grey levels", worst_levels, most_levels),
        ("inference", "", worst_difference, most_difference),
    ):
        if not found <= most:
            label = samples[-number].label
            name = f" ({json.dumps(LABELS[label], ensure_ascii=False)})"
            verdict.append(
                f"FAIL: {what} is off: sample {-number}{name if label >= 0 else ''} "
                f"differs by {found:.3g}{unit}, allowed are {most:.3g}"
            )
    return verdict or [
        f"PASS: {len(samples)} samples; preparation within {worst_levels[0]:g} of "
        f"{most_levels:g} grey levels, probabilities within {worst_difference[0]:.3g} "
        f"of {most_difference:.3g}"
    ]


def _in_batches(server: Server, images: Sequence[Pixels]) -> NDArray[np.float32]:
    starts = range(0, len(images), MOST_IMAGES)
    batches = (np.stack(images[start : start + MOST_IMAGES]) for start in starts)
    return np.concatenate([server.answer_prepared(batch) for batch in batches])


def _difference(received: NDArray[Any], wanted: NDArray[Any]) -> float:
    differences = np.abs(received.astype(np.float64) - wanted)
    return float(np.nan_to_num(differences, nan=np.inf).max())


def read_samples(file: Path) -> tuple[list[Sample], float, float]:
    """Return the samples, and how far grey levels and probabilities may be off."""
    try:
        content = file.read_bytes()
        magic, version, count = struct.unpack_from("<8s2I", content)
        *sizes, most_levels, most_difference = struct.unpack_from("<4I2f", content, 16)
        if (magic, version) != (b"EDGECONV", 1):
            raise ClientError(f"{file}: is no self-test")
        if sizes != [len(LABELS), *PREPARED_SHAPE]:
            raise ClientError(f"{file}: is the self-test of another model")
        return list(_read_each(content, count)), most_levels, most_difference
    except OSError as error:
        raise ClientError(f"{file}: cannot be read: {error.strerror}") from error
    except (struct.error, ValueError) as error:
        raise ClientError(f"{file}: is damaged, or no self-test") from error


def _read_each(content: bytes, count: int) -> Iterator[Sample]:
    offset = 40

    def pixels(shape: tuple[int, ...]) -> Pixels:
        nonlocal offset
        size = int(np.prod(shape, dtype=object))
        found = np.frombuffer(content, np.uint8, size, offset).reshape(shape)
        offset += size + -size % 4
        return found

    for _ in range(count):
        *shape, label = struct.unpack_from("<3Ii", content, offset)
        offset += 16
        picture, prepared = pixels(tuple(shape)), pixels(PREPARED_SHAPE)
        probabilities = np.frombuffer(content, "<f4", len(LABELS), offset)
        offset += probabilities.nbytes
        if not -1 <= label < len(LABELS):
            raise ValueError("no such class")
        yield Sample(picture, label, prepared, probabilities)
    if count == 0 or offset != len(content):
        raise ValueError("more or fewer bytes than its samples have")


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description="Ask Triton what pictures show.")
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
    parser.add_argument("--url", default="localhost:8000", help="host and port of HTTP")
    options = parser.parse_args()
    if bool(options.images) == bool(options.selftest):
        parser.error("name pictures, or --selftest")
    server = Server(options.url)
    try:
        if options.selftest:
            verdict = selftest(server, options.selftest, options.rows)
            print("\n".join(verdict), file=sys.stderr)
            return int(verdict[0].startswith("FAIL"))
        for path in options.images:
            probabilities, _ = server.answer(read_picture(Path(path)))
            best = int(probabilities.argmax())
            row = {"path": path, "label": LABELS[best], "index": best}
            row["probability"] = float(probabilities[best])
            if not probabilities.any():
                row = {"path": path, "label": None, "reason": "nothing was found in it"}
            print(json.dumps(row, ensure_ascii=False), flush=True)
    except ClientError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
