"""A dataset becomes a trained Keras model.

    train  =  data -> device -> model -> epochs -> model.keras, training.json, curves.png

    trainer        the whole stage                      checkpoints    what `--resume` goes on from
    architectures  the convnets, layer by layer         finetuning     a trained model with a new head
    recipes        optimizer, schedule, batch           precision      float16 while training, float32 on disk
    pipeline       seeded batches and augmentation      epochs         one pass, watched
    devices        which processor                      results        the files of a trained model
    curves         loss and accuracy as a picture       download       datasets that Keras can fetch
    loading        Keras files, read safely             resuming       the run to go on with
    seeds          one seed, many streams               fake_quantizing      a model that learns to be int8
    quantized_tensors    which tensors int8 rounds      batch_norm_folding   into the weights before it

Importing this package costs nothing: TensorFlow comes with the first use of `train`.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgeconv.errors import require
from edgeconv.quiet import native_log_held_back

if TYPE_CHECKING:
    from edgeconv.training.fake_quantizing import fake_quantize
    from edgeconv.training.results import TrainedModel
    from edgeconv.training.trainer import train

__all__ = ["TrainedModel", "fake_quantize", "train"]

_HOMES = {"TrainedModel": "results", "fake_quantize": "fake_quantizing", "train": "trainer"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("tensorflow", "keras", extra="train", purpose="Training")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_log_held_back():
        home = import_module(f"edgeconv.training.{_HOMES[name]}")
    return getattr(home, name)
