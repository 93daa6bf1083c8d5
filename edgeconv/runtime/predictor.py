"""The object that an app embeds: pictures in, labels out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError, ImageError, InferenceError, InputError
from edgeconv.pictures.reading import plain, read_sized
from edgeconv.runtime.answering import results_of
from edgeconv.runtime.loading import find_model, open_model
from edgeconv.runtime.pipeline import Pipeline, draft_of, pipeline_of, prepare_for, prepared_by
from edgeconv.runtime.providers import short_name
from edgeconv.tasks import check_threshold

if TYPE_CHECKING:
    from types import TracebackType

    from edgeconv.pictures.reading import Picture
    from edgeconv.runtime.results import Result
    from edgeconv.runtime.streaming import Answer


class Predictor:
    """A model that is ready to run, with its preparation of pictures and its labels.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest artifact below `exported/`, else
            the reference model of the package.
        variant: a name of `edgeconv.variants.VARIANTS`; None takes what `edgeconv benchmark --tune` chose for this
            device, else int8 if there is one.
        device: ``"auto"``, ``"cpu"``, ``"gpu"`` or a provider such as ``"webgpu"`` or ``"cuda:1"``; see `open_model`.
        threads: threads inside an operator, 1 to 256; None takes what `--tune` chose, else one, the fastest for small
            models at batch 1, and all cores for the parts of a batch of 64 or more.
        top_k: how many classes an answer lists.
        threshold: lowest probability of a tag, a yes or a box, 0 to 1; None takes that of the contract, which is 0.5
            by default.
        timeout: seconds that opening the model and each call may take, above 0; inf means no limit. None means 60 for
            what may be a stranger's: a lone file, a file whose SHA-256 is not in its manifest, and any that contains a
            loop.
        draft: decode large JPEGs at a half, a quarter or an eighth of their size, which is faster and changes answers
            slightly; see `edgeconv.pictures.drafting`.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        InferenceTimeoutError: opening the model takes too long.
        ProviderError: the GPU or provider asked for does not run the whole model, or gives wrong results.

    Example:
        >>> with Predictor("exported/mnist") as model:  # doctest: +SKIP
        ...     model.predict("image.png").label
        '7'
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        variant: str | None = None,
        device: str = "auto",
        threads: int | None = None,
        top_k: int = 3,
        threshold: float | None = None,
        timeout: float | None = None,
        draft: bool = False,
    ) -> None:
        if not hasattr(top_k, "__index__") or top_k < 1:
            raise ConfigError(f"`top_k` must be at least 1. Received: {top_k!r}. Leave it out for 3.")
        check_threshold(threshold)
        path = Path(model) if model else find_model()
        opened = open_model(path, variant=variant, device=device, threads=threads, timeout=timeout)
        self.path = opened.path
        self._place = str(opened.path.absolute())  # The working directory may be another one later.
        self.manifest = opened.manifest
        self.variant = opened.variant
        self.provider = opened.session.provider
        self.threads = opened.session.threads
        self.top_k = top_k
        self.threshold = threshold
        self._timeout = timeout
        self._draft = draft_of(opened.manifest.preprocess, shrunk=draft)
        self._pipeline: Pipeline | None = pipeline_of(opened.manifest, opened.session, self._draft)

    def __reduce__(self) -> tuple[partial[Predictor], tuple[()]]:
        """Pickle by path, for a pool of processes: each opens the model anew, from the same place, in the same way.

        Raises:
            InferenceError: the predictor is closed.
        """
        self._opened()
        device = short_name(self.provider)
        again = partial(Predictor, self._place, variant=self.variant, device=device, threads=self.threads)
        again = partial(again, top_k=self.top_k, threshold=self.threshold, timeout=self._timeout)
        return partial(again, draft=self._draft.least is not None), ()

    def __enter__(self) -> Predictor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the model and its memory; closing twice does nothing."""
        self._pipeline = None

    def predict(self, picture: Picture) -> Result:
        """Run the model on one picture.

        Args:
            picture: a path; the bytes of a PNG, JPEG, BMP, GIF, WebP or TIFF file, or such a file opened for reading
                bytes; an image of Pillow in any mode; or an array, uint8, (height, width) or (height, width, 1, 3 or 4
                channels), 0-255, of any size and strides.

        Returns:
            A `Prediction` of a model of one class of many; of another task its own type, such as `Tags` or `Mask`.

        Raises:
            ImageError: it is none of these, or cannot be read.
            InferenceError: the predictor is closed, or the model fails.
            InferenceTimeoutError: the call takes too long.
        """
        pipeline = self._opened()
        prepared, size = prepared_by(pipeline, picture)
        return self._results(pipeline.answer(prepared[None]), [size])[0]

    def predict_many(self, pictures: Iterable[Picture]) -> Iterator[Answer]:
        """Run the model on many pictures, and yield the answers in order; decoding overlaps inference.

        Args:
            pictures: any iterable of what `predict` takes, read lazily, a few batches ahead.

        Yields:
            One answer per picture. A picture that cannot be read gives an answer with an `error`, and the others go on.

        Raises:
            ImageError: `pictures` is a single picture, or not an iterable.
            InferenceError: the predictor is closed.
            InferenceTimeoutError: a call takes too long; no other picture is tried.

        Example:
            >>> for answer in model.predict_many(Path("photos").glob("*.jpg")):  # doctest: +SKIP
            ...     print(answer.picture, answer.prediction.label if answer.prediction else answer.error)
        """
        from edgeconv.runtime.streaming import stream

        is_one = isinstance(pictures, str | bytes | bytearray | memoryview) or hasattr(pictures, "read")
        if is_one or not hasattr(pictures, "__iter__"):
            raise ImageError(
                f"`pictures` must be an iterable of pictures. Received: {type(pictures).__name__}. "
                "Give one picture to `predict`."
            )
        return stream(self._opened(), self._results, pictures)

    def predict_prepared(self, images: NDArray[Any]) -> list[Result]:
        """Answer images that are prepared already, at once.

        Args:
            images: uint8, (batch, height, width, channels), 0-255, as `prepare` makes them.

        Returns:
            One answer an image, in order; boxes in pixels of that image.

        Raises:
            InputError: the array has another dtype or shape.
            InferenceError: the predictor is closed.
        """
        return self._results(self.probabilities(images))

    def probabilities(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return the bare probabilities, float32, (batch, classes), of prepared images; see `predict_prepared`."""
        if not isinstance(images, np.ndarray):
            raise InputError(
                f"`images` must be an array (batch, height, width, channels). Received: {type(images).__name__}. "
                "Stack prepared images with `numpy.stack`, or give pictures to `predict_many`."
            )
        return self._opened().answer(plain(images))

    def prepare(self, picture: Picture) -> NDArray[np.uint8]:
        """Make of a picture what the model takes, as its training data were made.

        Args:
            picture: as `predict` takes it.

        Returns:
            uint8, (height, width, channels) of the model, 0-255.

        Raises:
            ImageError: the picture cannot be read, or there is nothing in it to answer to.
        """
        return prepare_for(self.manifest, read_sized(picture, draft=self._draft).pixels)

    def _opened(self) -> Pipeline:
        if self._pipeline is None:
            raise InferenceError("A predictor that is open is required. Received: a closed one. Make another.")
        return self._pipeline

    def _results(self, outputs: NDArray[np.float32], sizes: Sequence[tuple[int, ...]] | None = None) -> list[Result]:
        return results_of(self.manifest, outputs, top_k=self.top_k, threshold=self.threshold, sizes=sizes)
