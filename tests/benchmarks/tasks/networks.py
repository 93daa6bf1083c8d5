"""The table of networks, and where what is made of them lies, below `build/accuracy`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.tasks.nets import (
    autoencoder,
    convolution1d,
    detector,
    embedder,
    gauge,
    keywords,
    recurrent,
    tagger,
    transformer,
    unet,
    wild,
)
from tests.benchmarks.tasks.network import TaskNetwork

HOME = Path("build/accuracy")

NETWORKS = {
    module.NETWORK.name: module.NETWORK
    for module in (
        unet,
        tagger,
        gauge,
        detector,
        autoencoder,
        recurrent,
        convolution1d,
        keywords,
        embedder,
        transformer,
        wild,
    )
}


def keras_file(network: TaskNetwork) -> Path:
    """Return a trained network's file; it is trained where there is none yet."""
    file = HOME / network.name / "model.keras"
    if not file.is_file():
        import keras

        print(f"Training {file}", file=sys.stderr, flush=True)
        keras.utils.set_random_seed(0)
        model = network.train(network.data())
        file.parent.mkdir(parents=True, exist_ok=True)
        model.save(file)
    return file
