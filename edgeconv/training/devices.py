"""Which processor trains: the decision, and telling TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from edgeconv.errors import TrainingError
from edgeconv.quiet import native_log_held_back


@dataclass(frozen=True)
class Placement:
    """Where a run computes.

    Attributes:
        kind: ``"cpu"`` or ``"gpu"``.
        names: the GPUs, as TensorFlow names them; empty on a CPU.
        half: whether half precision may be used.
        precision: dtype policy while training.
    """

    kind: str
    names: tuple[str, ...] = ()
    half: bool = True

    @property
    def precision(self) -> str:
        """Half the memory and the tensor cores on a GPU; a CPU has nothing to gain from float16."""
        return "mixed_float16" if self.kind == "gpu" and self.half else "float32"

    def as_dict(self) -> dict[str, Any]:
        """Return the placement as a JSON object."""
        return {"kind": self.kind, "names": list(self.names), "precision": self.precision}

    def __str__(self) -> str:
        return f"{', '.join(self.names)} ({self.precision})" if self.names else self.kind


def choose_placement(wanted: str, gpus: Sequence[str], built_with_cuda: bool) -> Placement:
    """Decide where to compute.

    Args:
        wanted: ``"auto"``, ``"cpu"`` or ``"gpu"``.
        gpus: names of the GPUs that TensorFlow sees.
        built_with_cuda: whether this TensorFlow can use one at all.

    Raises:
        TrainingError: a GPU is wanted, and there is none.
    """
    if wanted == "gpu" and not gpus:
        reason = "is built with CUDA, and sees no GPU" if built_with_cuda else "is built without CUDA"
        raise TrainingError(
            f"`device` gpu requires a GPU that TensorFlow sees. Received: TensorFlow {tf.__version__}, which {reason}. "
            "Install the driver and `pip install 'tensorflow[and-cuda]'`, or use `--device cpu`."
        )
    return Placement("cpu") if wanted == "cpu" or not gpus else Placement("gpu", tuple(gpus))


def claim_device(wanted: str) -> Placement:
    """Choose the device and prepare TensorFlow for it; must come before TensorFlow computes anything.

    On `cpu` the GPUs are hidden from this process. On a GPU memory is taken as it is needed, so that others can use
    the rest.

    Raises:
        TrainingError: a GPU is wanted, and there is none, or TensorFlow has already started on another device.
    """
    with native_log_held_back():
        found = tf.config.get_visible_devices("GPU")
    placement = choose_placement(wanted, [gpu.name for gpu in found], tf.test.is_built_with_cuda())
    if placement.kind == "gpu":
        for gpu in found:
            with suppress(RuntimeError):  # A courtesy: a TensorFlow that has already started keeps its memory.
                tf.config.experimental.set_memory_growth(gpu, True)
    elif found:
        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError as error:
            raise TrainingError(
                f"`device` {wanted} must be chosen before TensorFlow starts. Received: a process where it has started "
                "on a GPU. Train in a new process."
            ) from error
    return placement


def strategy_of(placement: Placement) -> tf.distribute.Strategy | None:
    """Return what spreads each batch over several GPUs, or None where there is one device."""
    return tf.distribute.MirroredStrategy() if len(placement.names) > 1 else None


def scope_of(strategy: tf.distribute.Strategy | None) -> AbstractContextManager[Any]:
    """Return the context in which the variables of a run are made."""
    return nullcontext() if strategy is None else strategy.scope()
