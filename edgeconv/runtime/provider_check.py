"""Whether an execution provider computes a model right: golden vectors, or what the CPU answers to the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ArtifactError, ProviderError
from edgeconv.manifest import ArraySpec
from edgeconv.pictures.drawing import draw_picture
from edgeconv.runtime.embedded import INPUT, EmbeddedModel
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import TOLERANCE, Samples, disagreement, golden_inputs
from edgeconv.runtime.session import Session, run_native
from edgeconv.variants import takes_pictures

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by the names of inputs or outputs, all of one batch size."""

_PICTURE = (120, 160)
"""Rows and columns of the picture that a variant with its preparation inside is tried on."""


def check_answers(files: ModelFiles, session: Session | EmbeddedModel, on_cpu: Callable[[], Any]) -> None:
    """Refuse a session whose provider computes something else than the model.

    A classifier of prepared images is held against what Keras answered to its golden vectors, any other model, and one
    without golden vectors, against the CPU.

    Args:
        files: of the model.
        session: on the provider.
        on_cpu: opens the same model on the CPU.

    Raises:
        ProviderError: the answers differ, or nobody knows what to ask.
    """
    provider = session.provider
    if isinstance(session, Session) and files.samples is not None and files.manifest.is_classifier:
        problem = disagreement(session, Samples.load(files.samples), files.manifest.batch)
        if problem:
            raise ProviderError(f"{provider} must answer as Keras did. Received: {problem}. Use `--device cpu`.")
        return
    pictures = isinstance(session, EmbeddedModel)

    def asked(session: Session | EmbeddedModel) -> Callable[[Any], Arrays]:
        return session.run_all if isinstance(session, EmbeddedModel) else session.run_arrays

    _check(files, provider, asked(session), lambda: asked(on_cpu()), pictures=pictures)


def check_native(files: ModelFiles, name: str, provider: str, session: Any, on_cpu: Callable[[], Any]) -> None:
    """Refuse ONNX Runtime's own session of a variant in the same way, by the CPU alone; see `check_answers`."""

    def asked(session: Any) -> Callable[[Any], Arrays]:
        names = [output.name for output in session.get_outputs()]

        def answer(inputs: Any) -> Arrays:
            feeds = {INPUT: inputs[0]} if takes_pictures(name) else inputs
            return dict(zip(names, run_native(session, names, feeds), strict=True))

        return answer

    _check(files, provider, asked(session), lambda: asked(on_cpu()), pictures=takes_pictures(name))


def _check(
    files: ModelFiles,
    provider: str,
    answer: Callable[[Any], Arrays],
    on_cpu: Callable[[], Callable[[Any], Arrays]],
    *,
    pictures: bool,
) -> None:
    try:
        inputs = [picture_of(files)] if pictures else _batch_of(files)
    except ArtifactError as error:
        raise ProviderError(f"{provider} requires golden vectors to be trusted. {error}") from error
    if problem := difference(answer(inputs), on_cpu()(inputs)):
        raise ProviderError(f"{provider} must answer as the CPU does. Received: {problem}. Use `--device cpu`.")


def difference(answers: Arrays, expected: Arrays) -> str:
    """Say how a provider's answers differ from those of the CPU; an empty text where they are as good as equal."""
    for name, array in expected.items():
        received, right = np.asarray(answers[name], np.float64), np.asarray(array, np.float64)
        error = float(np.abs(received - right).max(initial=0.0)) if received.shape == right.shape else np.inf
        allowed = TOLERANCE * float(np.ptp(right) or np.abs(right).max(initial=0.0)) if right.size else 0.0
        if not error <= allowed:
            return f"`{name}` differs by {error:.2g} from what the CPU answers, and may by {allowed:.2g}"
    return ""


def inputs_of(files: ModelFiles) -> dict[str, NDArray[Any]]:
    """Return the inputs of a model's golden vectors, else random arrays of its contract.

    Raises:
        ArtifactError: there are no golden vectors, and the contract leaves the size of an input open.
    """
    specs = (files.manifest.input, *files.manifest.more_inputs)
    if files.samples is not None:
        return golden_inputs(files.samples, specs)[0]
    random = np.random.default_rng(0)
    return {spec.name: _drawn(files, spec, random) for spec in specs}


def _batch_of(files: ModelFiles) -> dict[str, NDArray[Any]]:
    """Return the inputs as one batch of the size that a file takes."""
    arrays, size = inputs_of(files), files.manifest.batch
    if size is None:
        return arrays
    return {name: np.resize(array, (size, *array.shape[1:])) for name, array in arrays.items()}


def picture_of(files: ModelFiles) -> NDArray[np.uint8]:
    """Return a picture that an input of a model is drawn into: uint8, (height, width, 3), 0-255."""
    image, preparation = next(iter(inputs_of(files).values()))[0], files.manifest.preprocess
    if preparation is None:
        raise ArtifactError(
            f"`{files.path}` must say how pictures are prepared. Received: a contract without it. Export it again."
        )
    return draw_picture(image, preparation, _PICTURE)


def _drawn(files: ModelFiles, spec: ArraySpec, random: np.random.Generator) -> NDArray[Any]:
    """Return random arrays of a contract: pixels, numbers of its range, or, of integers, 0 and 1."""
    shape, preparation = spec.shape[1:], files.manifest.preprocess
    if spec.kind == "picture" and preparation is not None:  # a lone file with it inside
        shape = (preparation.height, preparation.width, preparation.channels)
    sizes = [size for size in shape if isinstance(size, int)]
    if len(sizes) < len(shape):
        raise ArtifactError(
            f"`{files.path}` must have golden vectors or an input of fixed size. Received: {shape}. "
            "Give the artifact's folder."
        )
    dtype = np.dtype(spec.dtype)
    if dtype.kind != "f":
        highest = 256 if dtype == np.uint8 else 2  # An index into a table of unknown length.
        return random.integers(0, highest, (1, *sizes)).astype(dtype)
    low, high = spec.value_range or (0.0, 1.0)
    return random.uniform(low, high, (1, *sizes)).astype(dtype)
