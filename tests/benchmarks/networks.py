"""The networks that benchmarks run: each made once, below `build/networks/`, with the data that goes with it.

    python -m tests.benchmarks.networks NAME...

makes them and says where they are. `fashion` and `mobilenet` are trained, which takes minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets import Dataset, DatasetSpec, open_dataset

HOME = Path("build/networks")
REFERENCE = Path("exported/mnist-reference/model.keras")
GREY = 117.0
"""What Keras' ResNet50 subtracts of a pixel, less its differences between colours."""

RANDOM_PICTURES = {"calibration": 32, "test": 32}


@dataclass(frozen=True)
class Network:
    """One network; all take raw pixels, (batch, height, width, channels), 0-255.

    Attributes:
        name: of its folder.
        title: what people read.
        make: writes `model.keras`, and data where they are made too, into a folder.
        dataset: what `--dataset` says, or the name of a file in the folder; None for random pictures.
        max_drop: percentage points of accuracy that int8 is held to.
    """

    name: str
    title: str
    make: Callable[[Path], None]
    dataset: str | None
    max_drop: float

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return HOME / self.name

    @property
    def keras_file(self) -> Path:
        """The network, made if it is not there yet."""
        file = self.folder / "model.keras"
        if not file.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            print(f"Making {file}", file=sys.stderr, flush=True)
            self.make(self.folder)
        return file

    @property
    def data_options(self) -> list[str]:
        """The options by which `edgeconv export` gets its data."""
        if self.dataset is None:
            return ["--calibration", str(self.folder / "calibration.npz")]
        return ["--dataset", self._dataset]

    def images(self, split: str, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
        """Return the first images of ``"train"`` or ``"test"``, uint8, and their labels where they have some."""
        if self.dataset is None:
            name = "calibration" if split == "train" else "test"
            return np.load(self.folder / f"{name}.npz")["images"][:count].astype(np.uint8), None
        data: Dataset = open_dataset(DatasetSpec(self._dataset))
        part = data.train if split == "train" else data.test
        return part.images[:count], part.labels[:count]

    @property
    def _dataset(self) -> str:
        own = self.folder / str(self.dataset)
        return str(own) if own.is_file() else str(self.dataset)


def pictures(count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """Return random pictures, uint8, (count, side, side, 3): coarse patterns in colour, with noise."""
    generator = np.random.default_rng(seed)
    cells = np.arange(side) * 8 // side
    patterns = generator.uniform(0, 255, (count, 8, 8, 3))[:, cells][:, :, cells]
    noisy = patterns + generator.normal(0, 20, patterns.shape) + generator.uniform(-60, 60, (count, 1, 1, 3))
    return np.clip(noisy, 0, 255).round().astype(np.uint8)


def edgeconv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own; its words go to stderr."""
    command = [sys.executable, "-c", "from edgeconv.cli.main import main; main()", *arguments, "--format", "json"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)


def _reference(folder: Path) -> None:
    shutil.copy(REFERENCE, folder / "model.keras")


def _fashion(folder: Path) -> None:
    if edgeconv("train", "--dataset", "fashion-mnist", "--out", str(folder)).returncode != 0:
        sys.exit("Fashion-MNIST is required, where `edgeconv train --dataset fashion-mnist` finds it.")


def _mobilenet(folder: Path) -> None:
    from tests.benchmarks import mobilenet

    data = open_dataset(DatasetSpec("fashion-mnist"))
    file = folder / "fashion56.npz"
    mobilenet.enlarge(data, file)
    with np.load(file) as arrays:
        model = mobilenet.train(data.train.images, arrays["x_train"], data.train.labels)
    model.save(folder / "model.keras")


def _resnet(folder: Path) -> None:
    """ResNet50 with random weights that matter, as the zoo makes them, and the scaling of pixels inside."""
    import keras

    from tests.zoo.models import build

    pixels = keras.Input((224, 224, 3), name="image")
    answer = build("ResNet50")(keras.layers.Rescaling(1.0, offset=-GREY)(pixels))
    keras.Model(pixels, answer, name="resnet50").save(folder / "model.keras")
    for seed, (name, count) in enumerate(RANDOM_PICTURES.items()):
        np.savez(folder / f"{name}.npz", images=pictures(count, 224, seed).astype(np.float32))


NETWORKS = {
    network.name: network
    for network in (
        Network("mnist", "the book's convnet, MNIST", _reference, "mnist", 0.1),
        Network("fashion", "the book's convnet, Fashion-MNIST", _fashion, "fashion-mnist", 0.1),
        Network("mobilenet", "MobileNetV2-style, Fashion-MNIST at 56x56", _mobilenet, "fashion56.npz", 0.5),
        Network("resnet50", "ResNet50, random weights, 224x224", _resnet, None, 100.0),
    )
}


if __name__ == "__main__":
    for chosen in sys.argv[1:] or NETWORKS:
        print(NETWORKS[chosen].keras_file)
