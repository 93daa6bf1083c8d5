"""One pass over the training images, watched, and a look at the test images."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import keras

from edgeconv.errors import TrainingError
from edgeconv.progress import Advance, Progress
from edgeconv.training.pipeline import InputPipeline
from edgeconv.training.recipes import CROSS_ENTROPY
from edgeconv.training.seeds import derived_seed


def run_epoch(
    model: keras.Model, pipeline: InputPipeline, number: int, epochs: int, progress: Progress
) -> dict[str, Any]:
    """Train a compiled model for one epoch, then test it.

    Args:
        model: compiled with `recipes.metrics`; its weights change.
        pipeline: the images.
        number: of the epoch, from 0.
        epochs: of the whole run, for the bar's title.
        progress: sees a bar of `pipeline.steps`, which moves when steps come back from TensorFlow.

    Returns:
        `epoch` (from 1), mean `loss` (cross-entropy) and `accuracy` while training, `test_loss` and `test_accuracy`
        after it, `seconds` of both together.

    Raises:
        TrainingError: a loss is not a finite number.
    """
    started = time.perf_counter()
    for layer in _layers(model):
        if getattr(layer, "seed_generator", None) is not None:  # Dropout, noise: random while training.
            layer.seed_generator.state.assign([derived_seed(pipeline.seed, layer.name, number), 0])
    with progress.bar(f"epoch {number + 1}/{epochs}", total=pipeline.steps) as advance:
        watch = _Watch(number + 1, pipeline.steps, advance)
        history = model.fit(pipeline.epoch(number), verbose=0, shuffle=False, callbacks=[watch]).history
        test = model.evaluate(pipeline.test, verbose=0, return_dict=True)
        require_finite(test["loss"], number + 1, pipeline.steps)
        advance(0, f"{_status(history[CROSS_ENTROPY][0], history['accuracy'][0])}  test {test['accuracy']:.4f}")
    return {
        "epoch": number + 1,
        "loss": history[CROSS_ENTROPY][0],
        "accuracy": history["accuracy"][0],
        "test_loss": test[CROSS_ENTROPY],
        "test_accuracy": test["accuracy"],
        "seconds": round(time.perf_counter() - started, 3),
    }


def require_finite(loss: float, epoch: int, step: int) -> None:
    """Raise TrainingError unless `loss` is a finite number."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss must stay a finite number. Received: {loss} in epoch {epoch}, by step {step}. "
            "Lower the learning rate with `--learning-rate`."
        )


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types.
    """Moves the bar, and stops when the loss is no number any more."""

    def __init__(self, epoch: int, steps: int, advance: Advance) -> None:
        super().__init__()
        self._epoch, self._steps, self._advance = epoch, steps, advance
        self._done = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Hear of the steps up to `batch`, which Keras counts past the end where the last execution is short.

        `logs` holds the means of the epoch so far, so that one NaN makes all that follow NaN.
        """
        means, before, self._done = logs or {}, self._done, min(batch + 1, self._steps)
        require_finite(means["loss"], self._epoch, self._done)
        self._advance(self._done - before, _status(means[CROSS_ENTROPY], means["accuracy"]))


def _status(loss: float, accuracy: float) -> str:
    return f"loss {loss:.4f}  accuracy {accuracy:.4f}"


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Every layer, also those of models within the model."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
