"""Any model: arrays by name in, arrays by name out, everything checked against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InferenceError, InputError
from edgeconv.manifest import METADATA_KEY, ArraySpec, Manifest
from edgeconv.runtime.files import ModelFiles, read_again, read_files
from edgeconv.runtime.fitness import check_fitness
from edgeconv.runtime.loading import find_model, has_reduced_range, open_first
from edgeconv.runtime.providers import CPU, short_name
from edgeconv.runtime.session import metadata_of, open_session, run_native
from edgeconv.session_options import SessionOptions, check_threads
from edgeconv.variants import takes_pictures

BATCH = "batch"
"""Name of the axis whose size all inputs of a call share."""


class Runner:
    """A model of any inputs and outputs, ready to run on arrays.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest artifact below `exported/`, else the
            reference model of the package.
        variant: a name of `edgeconv.variants.VARIANTS`; None takes int8 where it is there, else fp32; on another
            provider than the CPU's fp32.
        device: ``"auto"``, ``"cpu"``, ``"gpu"`` or a provider; see `open_model`.
        threads: threads inside an operator, 1 to 256; None takes what `--tune` chose, if `tuned`, else one.
        timeout: seconds that the opening and each call may take; None: see `Predictor`.
        tuned: whether to use what `edgeconv benchmark --tune` chose for this device, unless another argument overrides
            it.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: `threads` or `timeout` is out of its range, or there is no such device.
        InferenceTimeoutError: opening the model takes too long.
        ProviderError: the GPU or provider asked for does not run the whole model, or gives wrong results.

    Example:
        >>> runner = Runner("exported/kws")  # doctest: +SKIP
        >>> runner.run({"mfcc": np.zeros((1, 49, 10), np.float32)})["scores"].shape  # doctest: +SKIP
        (1, 12)
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        variant: str | None = None,
        device: str = "auto",
        threads: int | None = None,
        timeout: float | None = None,
        tuned: bool = False,
    ) -> None:
        if threads is not None:
            check_threads(threads)
        path = Path(model) if model else find_model()
        self._tuned = tuned
        read_again(path, lambda: self._open(read_files(path, timeout), variant, device, threads))
        self._place = str(path.absolute())  # The working directory may be another one later.
        self._timeout = timeout

    def __reduce__(self) -> tuple[partial[Runner], tuple[()]]:
        """Pickle by path, for a pool of processes: each opens the model anew, from the same place, in the same way."""
        device = short_name(self.provider)
        again = partial(Runner, self._place, variant=self.variant, device=device, threads=self.threads)
        return partial(again, timeout=self._timeout, tuned=self._tuned), ()

    def _open(self, files: ModelFiles, variant: str | None, device: str, threads: int | None) -> None:
        self.path = files.path
        self.manifest = files.manifest
        opened = open_first(files, variant, device, partial(_session_on, files), threads=threads, tuned=self._tuned)
        self.variant, self.provider, self.threads, self._session = opened
        if takes_pictures(self.variant):  # Its contract is its own: one picture of any size goes in.
            metadata = metadata_of(self._session)
            self.manifest = Manifest.from_json(metadata.get(METADATA_KEY, "null"), str(files.path))

    @property
    def inputs(self) -> tuple[ArraySpec, ...]:
        """What the model takes, in its order."""
        return (self.manifest.input, *self.manifest.more_inputs)

    @property
    def outputs(self) -> tuple[ArraySpec, ...]:
        """What it answers, in its order."""
        return (self.manifest.output, *self.manifest.more_outputs)

    def check(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        """Check arrays by the names of the inputs, and return the sizes of the axes that they share; see `run`."""
        names = [spec.name for spec in self.inputs]
        if set(arrays) != set(names):
            raise InputError(
                f"`{self.manifest.name}` takes arrays named {', '.join(names)}. Received: "
                f"{', '.join(arrays) or 'none'}. Give each by its name."
            )
        sizes: dict[str, int] = {}
        for spec in self.inputs:
            _check(spec, arrays[spec.name], sizes)
        return sizes

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Answer arrays by the names of the inputs.

        Args:
            arrays: one for each of `inputs`, of its dtype and shape, all of one batch size; for the variant e2e one
                `picture`, uint8, (height, width, 1, 3 or 4 channels), 0-255.

        Returns:
            The outputs by name, as the model gives them: no softmax or sigmoid is added.

        Raises:
            InputError: names the input, the dtype and shape that are required and those received.
            InferenceError: the model is not as its contract says.
            InferenceTimeoutError: the call takes too long.
        """
        sizes = self.check(arrays)
        wanted = [spec.name for spec in self.outputs]
        feeds = {name: np.asarray(array) for name, array in arrays.items()}
        answers = dict(zip(wanted, run_native(self._session, wanted, feeds), strict=True))
        for spec in self.outputs:
            rows = sizes.get(BATCH) if spec.shape[:1] == (BATCH,) else None
            if rows is not None and np.shape(answers[spec.name])[:1] != (rows,):
                raise InferenceError(
                    f"`{spec.name}` must have a row for each of {rows} inputs, as its contract says. Received: "
                    f"{np.shape(answers[spec.name])}. Export the model again."
                )
        return answers


def _session_on(
    files: ModelFiles, name: str, provider: str, *, threads: int | None, options: SessionOptions
) -> tuple[str, str, int, Any]:
    """Return a variant, a provider, a number of threads and their session, which must compute it right."""
    threads = threads or 1
    check_fitness(files.manifest, name, provider)
    reduced, model = has_reduced_range(files.manifest, name), files.read(name)
    timeout = files.timeout_of(name, model)

    def opened(data: bytes, provider: str) -> Any:
        return open_session(data, provider, threads, options=options, reduced_range=reduced, timeout=timeout)

    if provider == CPU:
        session = opened(model, CPU)
    else:  # Here, since most devices have the CPU alone.
        from edgeconv.runtime.contexts import open_compiled
        from edgeconv.runtime.provider_check import check_native

        session = open_compiled(files, name, provider, model, opened)
        check_native(files, name, provider, session, lambda: opened(model, CPU))
    return name, provider, threads, session


def _check(spec: ArraySpec, array: Any, sizes: dict[str, int]) -> None:
    """Check an array against its contract, and its named axes against those of the arrays before it."""
    # The common case in one comparison: a server checks each request, and to make the words takes as long as to answer.
    if type(array) is np.ndarray and spec.shape[0] == BATCH and array.shape[1:] == spec.shape[1:]:
        rows = array.shape[0] if array.ndim else None
        if array.dtype == spec.dtype and rows is not None and sizes.setdefault(BATCH, rows) == rows:
            return
    what = f"`{spec.name}` must be {spec.dtype} ({', '.join(map(str, spec.shape))})"
    if not isinstance(array, np.ndarray):
        raise InputError(f"{what}. Received: {type(array).__name__}. Make it with `np.asarray(x, np.{spec.dtype})`.")
    received = f"Received: {array.dtype} {array.shape}"
    if hasattr(array, "mask"):
        raise InputError(f"{what}. Received: a masked array. Fill it with `x.filled(0)`.")
    if array.dtype != np.dtype(spec.dtype):
        if spec.kind in {"pixels", "picture"}:
            from edgeconv.pictures.reading import pixels_advice

            raise InputError(f"{what}. {received}. {pixels_advice(array)}.")
        raise InputError(f"{what}. {received}. Convert it with `x.astype(np.{spec.dtype})`.")
    if spec.kind == "picture":
        from edgeconv.runtime.embedded import check_pictures

        check_pictures([array])
    fixed = [axis if isinstance(axis, int) else None for axis in spec.shape]
    if array.ndim != len(fixed) or any(axis not in {None, size} for axis, size in zip(fixed, array.shape, strict=True)):
        advice = "Add the batch axis with `x[None]`" if array.ndim + 1 == len(fixed) else "Bring it to that shape"
        raise InputError(f"{what}. {received}. {advice}.")
    if spec.shape[0] == BATCH and sizes.setdefault(BATCH, len(array)) != len(array):
        raise InputError(f"{what} with a batch of {sizes[BATCH]}, as the inputs before it. {received}. Give as many.")
