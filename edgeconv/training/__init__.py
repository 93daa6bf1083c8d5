"""A dataset becomes a trained Keras model.

    train  =  data -> device -> model -> epochs -> model.keras, training.json, curves.png

    trainer        the whole stage                      checkpoints    what `--resume` goes on from
    architectures  the convnets, layer by layer         finetuning     a trained model with a new head
    recipes        optimizer, schedule, batch           precision      float16 while training, float32 on disk
    pipeline       seeded batches and augmentation      epochs         one pass, watched
    devices        which processor                      results        the files of a trained model
    curves         loss and accuracy as a picture       download       datasets that Keras can fetch
    loading        Keras files, read safely             resuming       the run to go on with
    seeds          one seed, many streams

Importing this package costs nothing: TensorFlow comes with the first use of `train`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from edgeconv.errors import require
from edgeconv.quiet import native_log_held_back

if TYPE_CHECKING:
    from edgeconv.training.results import TrainedModel
    from edgeconv.training.trainer import train

__all__ = ["TrainedModel", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("tensorflow", "keras", extra="train", purpose="Training")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_log_held_back():
        from edgeconv.training import results, trainer

    return trainer.train if name == "train" else results.TrainedModel
