"""Variants of a model on emulated devices, as stages of the parity ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError, InferenceError
from edgeconv.evaluation.emulation.devices import Device
from edgeconv.evaluation.emulation.emulator import EmulationError, Emulator, emulator_of
from edgeconv.parity.stage import Stage, images_at_once, on_images
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.providers import CPU
from edgeconv.variants import is_int8

PACKAGE = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("worker.py")

START_S = 300.0
IMAGE_S = 20.0
"""Seconds that the start and each image may take at most. A digit takes some hundredths of one, a large network at
224 x 224 several; twice the longest stands for a program that hangs."""


def emulated_stages(files: ModelFiles, devices: Sequence[Device], *, batch: int | None = None) -> list[Stage]:
    """Return the int8 variants of a model on each of some devices. Float variants compute the same everywhere.

    Args:
        files: of the model.
        devices: those to run it on.
        batch: the only batch size that the model takes, or None.

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
    return [
        Stage(
            f"{name} on {emulator.device.name}",
            CPU,
            on_images(partial(answer, emulator, files.path, name, batch=batch)),
            len(files.read(name)),
            timed=False,
            at_once=True,
        )
        for emulator in [emulator_of(device) for device in devices]
        for name in names
    ]


def answer(
    emulator: Emulator, model: Path, variant: str, images: NDArray[Any], *, batch: int | None = None
) -> NDArray[np.float32]:
    """Answer images on a device, as `Predictor` would there.

    Args:
        emulator: the device.
        model: an artifact's folder or a lone `.onnx` file.
        variant: name of the variant.
        images: (n, ...), what the variant takes.
        batch: the only batch size that it takes, or None.

    Returns:
        Its answers, float32, (n, classes).

    Raises:
        InferenceError: it gave none.
    """
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
        folder = Path(scratch)
        given, answers = folder / "images.npy", folder / "answers.npy"
        np.save(given, images)
        # Nothing else of the folder that edgeconv lies in: numpy of another architecture may be its neighbour.
        packages = folder / "packages"
        packages.mkdir()
        (packages / PACKAGE.name).symlink_to(PACKAGE)
        try:
            emulator.run(
                *(WORKER, packages, model.resolve(), variant, str(batch or images_at_once(images)), given, answers),
                timeout_s=START_S + IMAGE_S * len(images),
            )
            return np.asarray(np.load(answers), np.float32)
        except (EmulationError, OSError, ValueError) as error:
            raise InferenceError(
                f"`{model}`, {variant}, must answer {len(images)} images on {emulator.device.title}. "
                f"Received: {error}. Take fewer images with `--images`, or leave "
                f"`--emulate {emulator.device.name}` out."
            ) from error
