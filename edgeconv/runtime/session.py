"""A model opened on one execution provider: arrays in, arrays out, everything checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edgeconv.errors import InferenceError, InputError, one_line
from edgeconv.runtime.processor import int8_overflows
from edgeconv.runtime.providers import CPU
from edgeconv.session_options import DEFAULT_OPTIONS, SessionOptions, check_threads

if TYPE_CHECKING:
    from edgeconv.runtime.binding import BoundSample

# ONNX Runtime's log level. Its warnings speak of graph optimisations, not of the user's input; its errors are raised
# too.
_NOTHING = 4
Answer = TypeVar("Answer")

IMAGES_AT_ONCE = 32
"""Images a call on a CPU: the maps of more do not stay in its cache."""

# ONNX Runtime recodes int8 weights to uint8, whose products do not overflow: a little slower, and right
# (onnxruntime_session_options_config_keys.h, kOrtSessionOptionsAvx2PrecisionMode).
_EXACT_INT8 = ("session.x64quantprecision", "1")


class Session:
    """One model on one execution provider.

    Args:
        model: the bytes of an `.onnx` file.
        provider: ONNX Runtime's name of the one provider to use.
        threads: threads inside an operator, at least 1; None takes one, and all cores for parts of a large batch. One
            is the fastest for small models at batch 1.
        options: of the session.
        reduced_range: whether the weights of an int8 file have 7 bits, so that no sum overflows on any processor.
        timeout: seconds that the opening and each call may take; inf is no limit.

    Raises:
        InferenceTimeoutError: opening the model takes too long.
        ProviderError: the provider cannot run the whole model here.
        InputError: ONNX Runtime cannot load the bytes.

    Example:
        >>> session = Session(Path("exported/mnist/model.onnx").read_bytes())  # doctest: +SKIP
        >>> session.run(np.zeros((1, 28, 28, 1), np.uint8)).shape  # doctest: +SKIP
        (1, 10)
    """

    def __init__(
        self,
        model: bytes,
        *,
        provider: str = CPU,
        threads: int | None = 1,
        options: SessionOptions = DEFAULT_OPTIONS,
        reduced_range: bool = False,
        timeout: float = math.inf,
    ) -> None:
        self.provider, self.threads = provider, 1 if threads is None else threads
        self.native = open_session(
            model, provider, self.threads, options=options, reduced_range=reduced_range, timeout=timeout
        )
        self.options = options
        only_input, only_output = _first_arrays(self.native)
        self._input_name: str = only_input.name
        self._output_name: str = only_output.name
        self._dtype = np.dtype(_NUMPY_TYPES.get(only_input.type, "float32"))
        # ONNX Runtime names dynamic axes with strings, or None where the file gives no name.
        self._shape = tuple(axis if isinstance(axis, int) else None for axis in only_input.shape)
        self._most = IMAGES_AT_ONCE * self.threads  # Each has a cache of its own.
        self._any_batch = self._shape[:1] == (None,)
        self._whole = math.inf if not self._any_batch else 1 if options.cuts_batches else self._most
        self._calls = options.calls_at_once or (None if threads is None else 1)
        self._bound: BoundSample | None = None
        self._may_bind, self._asked_before = provider == CPU, False

    @property
    def metadata(self) -> Mapping[str, str]:
        """The file's own key-value pairs."""
        return metadata_of(self.native)

    def run(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Run the model on a batch; on a CPU a large one in parts, see `SessionOptions`.

        Args:
            images: (batch, ...) of the model's own dtype and shape; uint8 0-255 where it takes raw pixels.

        Returns:
            The model's first output: float32, (batch, classes).

        Raises:
            InputError: names the dtype and shape that are required and those received.
            InferenceTimeoutError: a call takes too long.
        """
        if self._bound is not None and (answer := self._bound.run(images)) is not None:
            return answer
        # The common case in one comparison: a small model answers in 30 us, and looking at each axis takes one of them.
        if images.shape[1:] != self._shape[1:] or images.dtype != self._dtype or not self._any_batch:
            self._check(images)
        if len(images) == 1:
            return self._answer_one(images)
        parts = self._in_parts(self._answer, images)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def run_arrays(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return every output by its name, of arrays by the names of all inputs; ONNX Runtime alone checks them."""
        names = [output.name for output in self.native.get_outputs()]
        return dict(zip(names, run_native(self.native, names, feeds), strict=True))

    def run_all(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return every output by its name, of images in parts as `run` takes them."""
        self._check(images)
        parts = self._in_parts(lambda part: self.run_arrays({self._input_name: part}), images)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _in_parts(self, answer: Callable[[NDArray[Any]], Answer], images: NDArray[Any]) -> list[Answer]:
        if len(images) <= self._whole:
            return [answer(images)]
        from edgeconv.runtime.parts import answer_parts  # Here, since most batches are small.

        on_cpu = self.provider == CPU
        most = self.options.images_at_once or (self._most if on_cpu else len(images))
        return answer_parts(answer, images, most=most, calls=self._calls if on_cpu else 1)

    def _answer_one(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Return the answer to one image, and bind memory for those behind the second call."""
        answer = self._answer(image)
        if self._may_bind and self._asked_before:
            from edgeconv.runtime.binding import bind  # Here, since a program that asks once has no use for it.

            self._bound, self._may_bind = bind(self.native, image, answer), False
        self._asked_before = True
        return answer

    def _answer(self, images: NDArray[Any]) -> NDArray[np.float32]:
        (answer,) = run_native(self.native, (self._output_name,), {self._input_name: images})
        return np.asarray(answer, dtype=np.float32)

    def _check(self, images: NDArray[Any]) -> None:
        fits = len(images.shape) == len(self._shape) and all(
            axis is None or axis == size for axis, size in zip(self._shape, images.shape, strict=True)
        )
        if fits and images.dtype == self._dtype:
            return
        wanted = "(" + ", ".join("batch" if axis is None else str(axis) for axis in self._shape) + ")"
        if len(images.shape) + 1 == len(self._shape):
            advice = "Add the batch axis with `x[None]`"
        elif fits:
            from edgeconv.pictures.reading import pixels_advice

            cast = f"Convert it with `x.astype(np.{self._dtype})`"
            advice = pixels_advice(images) if self._dtype == np.uint8 else cast
        else:
            advice = "Prepare pictures with `Predictor.prepare`"
        raise InputError(
            f"`{self._input_name}` must be {self._dtype} {wanted}. "
            f"Received: {images.dtype} {tuple(images.shape)}. {advice}."
        )


def run_native(
    session: Any, outputs: Sequence[str] | None, feeds: Mapping[str, NDArray[Any]], *, give_back: bool = False
) -> Any:
    """Return these outputs of ONNX Runtime's own session.

    Args:
        session: ONNX Runtime's own.
        outputs: their names.
        feeds: arrays by the names of the inputs.
        give_back: whether it keeps no memory for the next call.

    Raises:
        InferenceError: an operator fails on these arrays, the model takes others, or the call takes too long.
    """
    options = None
    if give_back:
        options = ort.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        return session.run(outputs, feeds, options)
    except InferenceError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base class.
        raise InferenceError(
            f"The model must run on arrays of {', '.join(feeds)}. Received: {one_line(error)}. Export it again."
        ) from error


def metadata_of(session: Any) -> dict[str, str]:
    """Return the key-value pairs of the file that ONNX Runtime's own session was opened with.

    Raises:
        InputError: they are no text.
    """
    try:
        return dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise _no_text(error) from error


def _no_text(error: UnicodeDecodeError) -> InputError:
    return InputError(f"The model must have names and metadata in UTF-8. Received: {one_line(error)}. Export it again.")


def _first_arrays(session: Any) -> tuple[Any, Any]:
    """Return ONNX Runtime's descriptions of the first input and output.

    Raises:
        InputError: there are none, or they hold no numbers.
    """
    ends = [found[0] for found in (session.get_inputs(), session.get_outputs()) if found]
    try:
        _ = [end.name for end in ends]
    except UnicodeDecodeError as error:
        raise _no_text(error) from error
    kinds = [end.type for end in ends if end.type.startswith("tensor(") and end.type != "tensor(string)"]
    if len(kinds) != 2:
        received = ", ".join(f"{end.name} {end.type}" for end in ends) or "neither"
        raise InputError(f"The model must take and give an array of numbers. Received: {received}. Export it again.")
    return ends[0], ends[1]


_NUMPY_TYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(int8)": "int8"}

_LEVELS = {
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


def open_session(
    model: bytes,
    provider: str,
    threads: int,
    *,
    options: SessionOptions = DEFAULT_OPTIONS,
    reduced_range: bool = False,
    timeout: float = math.inf,
) -> Any:
    """Open ONNX Runtime's own session on one provider, without a silent fall back; see `Session`."""
    native = native_options(threads, options=options, reduced_range=reduced_range)
    return open_with(native, model, provider, timeout=timeout)


def native_options(threads: int, *, options: SessionOptions = DEFAULT_OPTIONS, reduced_range: bool = False) -> Any:
    """Return ONNX Runtime's own options of a session; see `Session`."""
    check_threads(threads)
    native = ort.SessionOptions()
    native.intra_op_num_threads = int(threads)
    native.inter_op_num_threads = 1
    native.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    native.log_severity_level = _NOTHING
    native.graph_optimization_level = _LEVELS[options.optimization]
    native.enable_cpu_mem_arena = options.arena
    native.enable_mem_pattern = options.memory_pattern
    if not options.spinning:
        native.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if int8_overflows() and not reduced_range:
        native.add_session_config_entry(*_EXACT_INT8)
    return native


def open_with(options: Any, model: bytes, provider: str, *, timeout: float = math.inf) -> Any:
    """Open a session with ONNX Runtime's own options on one provider, without a silent fall back; see `Session`."""
    if provider != CPU:
        from edgeconv.runtime.strict import open_strictly  # Here, since most devices have the CPU alone.

        return open_strictly(options, model, provider, timeout=timeout)

    def opened(**more: Any) -> Any:
        return ort.InferenceSession(model, options, providers=[CPU], enable_fallback=0, **more)

    try:
        return opened() if timeout == math.inf else _limited(options, opened, timeout)
    except InferenceError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base class.
        raise InputError(
            f"The model must be an ONNX file that ONNX Runtime {ort.__version__} loads. Received: {one_line(error)}. "
            "Export it again, or upgrade onnxruntime."
        ) from error


def _limited(options: Any, opened: Callable[..., Any], timeout: float) -> Any:
    from edgeconv.runtime.time_limit import LimitedSession  # Here, since models of our own need none of it.

    # Folding computes parts of the graph in an opening that nothing stops; left to the calls, it can be stopped. In the
    # files that `edgeconv export` writes nothing is left to fold.
    return LimitedSession(options, lambda: opened(disabled_optimizers={"ConstantFolding"}), timeout)
