"""The variant `int8`: measured, searched until it keeps the accuracy, and verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from edgeconv.caching import cache_folder
from edgeconv.conversion.int8.quantizing import prepare
from edgeconv.conversion.int8.search.candidates import Candidates
from edgeconv.conversion.int8.search.searching import search
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, scheme_of
from edgeconv.conversion.variants.as_trained import as_trained
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.parity.accuracy import accuracy_drop
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.stage import FAKE_QUANTIZED, Stage, answers_of, scores_of, stage_of
from edgeconv.progress import SILENT, Progress
from edgeconv.timing import median_latency_ms
from edgeconv.variants import REFERENCE


class Judge:
    """Holds int8 models against fp32 on the images of the gate; fp32 itself must flip nothing against Keras there.

    Args:
        fp32: the verified file.
        compared: the images, and their classes where they are known.
        reduced_range: the models' weights take 7 bits.
        batch: the only batch size that the models take, or None.
        trained: what the model answers as it was trained to be int8, (n, classes), where it was: in place of fp32.
        progress: sees a bar for each model.
    """

    def __init__(
        self,
        fp32: bytes,
        compared: ComparisonSet,
        *,
        reduced_range: bool,
        batch: int | None,
        trained: NDArray[np.float32] | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._compared = compared
        self._reduced_range = reduced_range
        self._batch = batch
        self._trained = trained
        self._progress = progress
        self._answers: dict[str, tuple[Answers, ...]] = {}
        self._fp32 = fp32

    def drop(self, model: onnx.ModelProto) -> float:
        """Return the accuracy that a model loses, in percentage points; without labels, its flips in percent."""
        trained = self._trained
        reference = (self.answers(REFERENCE, self._fp32) if trained is None else trained).argmax(axis=1)
        predicted = self.answers("int8", _bytes_of(model)).argmax(axis=1)
        return accuracy_drop(predicted, reference, self._compared.labels)

    def cost(self, model: onnx.ModelProto) -> tuple[int, float]:
        """Return the size of a model in bytes, and the median time of one image, or of the only batch size, in us."""
        data = _bytes_of(model)
        image = {"image": self._compared.images[: self._batch or 1]}
        return len(data), 1000.0 * median_latency_ms(partial(self._stage("int8", data).run, image))

    def answers(self, name: str, model: bytes) -> NDArray[np.float32]:
        """Return what a file answers to all images, float32, (n, classes); it is run once."""
        key = hashlib.sha256(model).hexdigest()
        if key not in self._answers:
            self._answers[key] = answers_of(self._stage(name, model), self._compared, self._progress)
        return scores_of(self._answers[key])

    def known(self, files: Mapping[str, bytes]) -> Mapping[str, tuple[Answers, ...]]:
        """Return the answers of those files that have been run."""
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        return {name: self._answers[digest] for name, digest in digests.items() if digest in self._answers}

    def _stage(self, name: str, model: bytes) -> Stage:
        reduced_range = self._reduced_range and name != REFERENCE
        return stage_of(name, model, batch=self._batch, reduced_range=reduced_range)


def make(context: VariantContext) -> ConvertedFile | None:
    """Return an int8 file that loses no more accuracy than allowed, or the best one where none does.

    What was measured and judged is kept in the user's cache: the same export goes on there, or is done.
    """
    images, compared, fp32 = context.calibration, context.evaluation_set, context.fp32
    if images is None or compared is None:
        return None
    reference, progress = context.reference, context.progress
    scheme = scheme_of(context.config.target or DEFAULT_TARGET)
    progress.say(f"Quantizing to int8 for {scheme.target} on {images.count:,} images")
    reduced, batch = scheme.reduce_range, reference.batch
    trained = as_trained(context, compared)
    expected, ranges = (None, {}) if trained is None else (scores_of(trained.answers), trained.ranges)
    judge = Judge(fp32.bytes, compared, reduced_range=reduced, batch=batch, trained=expected, progress=progress)
    folder = cache_folder("calibration")
    candidates = Candidates(prepare(fp32.model), images, scheme, trained=ranges, cache=folder, progress=progress)
    cache = candidates.search_cache(f"{compared.sha256}, onnxruntime {ort.__version__}")
    max_drop = context.config.max_drop
    found = search(
        candidates, judge.drop, judge.cost, max_drop=max_drop, trained=bool(ranges), cache=cache, progress=progress
    )
    chosen = candidates.quantize(found.settings, found.float_layers)
    record = replace(chosen.arguments, target=scheme.target, **found.settings.as_dict())
    file = verify_structure(chosen.model, str(reference.path), reference.inputs, reference.outputs)
    quantized = replace(chosen, arguments=record)
    answers = {**judge.known({REFERENCE: fp32.bytes, "int8": file})}
    if trained is not None:
        answers[FAKE_QUANTIZED] = trained.answers
    return ConvertedFile(chosen.model, file, quantized, images.record, search=found, answers=answers)


def _bytes_of(model: onnx.ModelProto) -> bytes:
    data: bytes = model.SerializeToString(deterministic=True)
    return data
