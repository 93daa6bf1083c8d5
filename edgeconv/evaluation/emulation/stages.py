"""Variants of a model on emulated devices, as stages of the parity ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError, InferenceError
from edgeconv.evaluation.emulation.devices import Device
from edgeconv.evaluation.emulation.emulator import EmulationError, Emulator, emulator_of
from edgeconv.parity.comparison import Answers, Feeds
from edgeconv.parity.stage import Run, Stage, images_at_once, on_images
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.saving import npz_of
from edgeconv.variants import is_int8, on_device

PACKAGE = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("worker.py")

START_S = 300.0
INPUT_S = 20.0
"""Seconds that the start and each input may take at most. A digit takes some hundredths of one, a large network at
224 x 224 several; twice the longest stands for a program that hangs."""


def emulated_stages(
    files: ModelFiles, devices: Sequence[Device], *, batch: int | None = None, by_classes: bool
) -> list[Stage]:
    """Return the int8 variants of a model on each of some devices. Float variants compute the same everywhere.

    Args:
        files: of the model.
        devices: those to run it on.
        batch: the only batch size that the model takes, or None.
        by_classes: the stages take images and answer scores of classes; else arrays by input and by output.

    Raises:
        ConfigError: the model has no int8 variant.
        ProviderError: a device cannot be emulated here.
    """
    names = [name for name in files.variants if is_int8(name)]
    if devices and not names:
        raise ConfigError(
            f"`emulate` requires an int8 variant of `{files.path}`. Received: {', '.join(files.variants)}. "
            "Make one with `edgeconv export --quantize`."
        )

    def run(emulator: Emulator, name: str) -> Run:
        if by_classes:
            return on_images(partial(answer_images, emulator, files.path, name, batch=batch))
        return partial(answer, emulator, files.path, name, batch=batch)

    return [
        Stage(
            on_device(name, emulator.device.name),
            CPU,
            run(emulator, name),
            len(files.read(name)),
            timed=False,
            at_once=True,
        )
        for emulator in [emulator_of(device) for device in devices]
        for name in names
    ]


def answer_images(
    emulator: Emulator, model: Path, variant: str, images: NDArray[Any], *, batch: int | None = None
) -> NDArray[np.float32]:
    """Answer images, (n, ...), on a device, as `Predictor` would there; see `answer`.

    Returns:
        The model's only answers, float32, (n, classes).
    """
    feeds = {read_files(model).manifest.input.name: images}
    (answers,) = answer(emulator, model, variant, feeds, batch=batch).values()
    return np.asarray(answers, np.float32)


def answer(emulator: Emulator, model: Path, variant: str, feeds: Feeds, *, batch: int | None = None) -> Answers:
    """Answer arrays on a device, as `Runner` would there.

    Args:
        emulator: the device.
        model: an artifact's folder or a lone `.onnx` file.
        variant: name of the variant.
        feeds: arrays by input, (n, ...), what the variant takes.
        batch: the only batch size that it takes, or None.

    Returns:
        Its answers by output, (n, ...).

    Raises:
        InferenceError: it gave none.
    """
    count = len(next(iter(feeds.values())))
    least, most = (batch, batch) if batch else (1, min(map(images_at_once, feeds.values())))
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
        folder = Path(scratch)
        given, answers = folder / "inputs.npz", folder / "answers.npz"
        given.write_bytes(npz_of(feeds))
        # Nothing else of the folder that edgeconv lies in: numpy of another architecture may be its neighbour.
        packages = folder / "packages"
        packages.mkdir()
        (packages / PACKAGE.name).symlink_to(PACKAGE)
        try:
            emulator.run(
                *(WORKER, packages, model.resolve(), variant, str(least), str(most), given, answers),
                timeout_s=START_S + INPUT_S * count,
            )
            with np.load(answers) as archive:
                return dict(archive)
        except (EmulationError, OSError, ValueError, BadZipFile) as error:
            raise InferenceError(
                f"`{model}`, {variant}, must answer {count} inputs on {emulator.device.title}. "
                f"Received: {error}. Take fewer with `--images`, or leave "
                f"`--emulate {emulator.device.name}` out."
            ) from error
