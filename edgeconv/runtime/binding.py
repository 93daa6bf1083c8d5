"""Memory for one sample, bound to a session once: a call looks no names up, and makes no arrays of ONNX Runtime's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

LARGEST = 1 << 16
"""Bytes of a sample: with more, copying them takes longer than what is saved, and the network much longer than both."""


class BoundSample:
    """One sample in and one answer out, of a session on the CPU.

    Answers are copied out, so that each caller has its own.

    Args:
        session: ONNX Runtime's own.
        sample: what is put in, (1, ...), of the input's dtype.
        answer: what it gave to that, (1, ...): shape and dtype are always those.
    """

    def __init__(self, session: Any, sample: NDArray[Any], answer: NDArray[Any]) -> None:
        self._shape, self._dtype = sample.shape, sample.dtype
        self._sample, self._answer = np.empty_like(sample, order="C"), np.empty_like(answer, order="C")
        self._binding = session.io_binding()
        # On a CPU these hold the arrays' own memory.
        given, made = map(ort.OrtValue.ortvalue_from_numpy, (self._sample, self._answer))
        self._binding.bind_ortvalue_input(session.get_inputs()[0].name, given)
        self._binding.bind_ortvalue_output(session.get_outputs()[0].name, made)
        self._run: Callable[[Any], None] = session.run_with_iobinding
        self._lock = Lock()

    def run(self, sample: NDArray[Any]) -> NDArray[Any] | None:
        """Return the answer to a sample, or None: a plain call is to give it.

        Cases: the shape or dtype is not what was bound; another thread is here; the call fails, which a plain call then
        tells.
        """
        if sample.shape != self._shape or sample.dtype != self._dtype or not self._lock.acquire(False):
            return None
        try:
            self._sample[...] = sample
            self._run(self._binding)
            return self._answer.copy()
        except Exception:  # ONNX Runtime's exceptions share no base class.
            return None
        finally:
            self._lock.release()


def bind(session: Any, sample: NDArray[Any], answer: NDArray[Any]) -> BoundSample | None:
    """Return a session's memory for one sample, or None where it can't have one, or would gain nothing.

    Cases: the session has more inputs; its calls have a time limit; its answer has sizes that only a call tells.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if not isinstance(session, ort.InferenceSession) or len(inputs) != 1 or sample.nbytes > LARGEST:
        return None
    if (
        answer.dtype != np.float32
        or not _has_shape(inputs[0].shape, sample)
        or not _has_shape(outputs[0].shape, answer)
    ):
        return None
    return BoundSample(session, sample, answer)


def _has_shape(declared: Sequence[int | str | None], array: NDArray[Any]) -> bool:
    """Whether an array of one sample has the only shape that a batch of 1 can have."""
    return len(declared) == array.ndim and array.shape == (1, *declared[1:])
