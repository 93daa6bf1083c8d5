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
from edgeconv.conversion.detection.stages import found_in
from edgeconv.conversion.int8.quantizing import prepare
from edgeconv.conversion.int8.search.candidates import Candidates
from edgeconv.conversion.int8.search.searching import search
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, scheme_of
from edgeconv.conversion.keras.boxes.layout import BoxLayout
from edgeconv.conversion.variants.as_trained import as_trained
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.parity.accuracy import limit_of, unit_of
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.intervals import Lost
from edgeconv.parity.judging import lost
from edgeconv.parity.meaning import ARRAYS, Meaning
from edgeconv.parity.stage import FAKE_QUANTIZED, Stage, answers_of, scores_of, stage_of, stage_of_tensors
from edgeconv.progress import SILENT, Progress
from edgeconv.tasks import ANY
from edgeconv.timing import median_latency_ms
from edgeconv.variants import REFERENCE

VALUES = frozenset({ANY, "embedding", "values"})
"""Tasks whose answers are numbers, which 256 steps make coarse."""


class Judge:
    """Holds int8 models against the reference on the inputs of the gate.

    Args:
        fp32: the verified file, which is the reference where classes are compared; else Keras is.
        compared: the inputs, and what is right where that is known.
        meaning: of the one output, or of each.
        max_drop: what the user allows; None takes what `limit_of` has for each task.
        reduced_range: the models' weights take 7 bits.
        batch: the only batch size that the models take, or None.
        trained: what the model answers as it was trained to be int8, where it was: in place of fp32.
        boxes: of a detector: where its outputs hold boxes and scores.
        progress: sees a bar for each model.
    """

    def __init__(
        self,
        fp32: bytes,
        compared: ComparisonSet,
        meaning: Meaning = ARRAYS,
        *,
        max_drop: float | None = None,
        reduced_range: bool,
        batch: int | None,
        trained: tuple[Answers, ...] = (),
        boxes: BoxLayout | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._compared = compared
        self._meaning = meaning
        self._max_drop = max_drop
        self._reduced_range = reduced_range
        self._batch = batch
        self._trained = trained
        self._boxes = boxes
        self._progress = progress
        self._answers: dict[str, tuple[Answers, ...]] = {}
        self._fp32 = fp32

    def drop(self, model: onnx.ModelProto) -> Lost:
        """Return what a model loses, as its gates count it: points of accuracy, or percent."""
        answers = self._run("int8", _bytes_of(model))
        return lost(answers, self._reference(), self._compared, self._meaning, self._max_drop)

    def cost(self, model: onnx.ModelProto) -> tuple[int, float]:
        """Return the size of a model in bytes, and the median time of one sample, or of the only batch size, in us."""
        data, feeds = _bytes_of(model), self._compared.batches[0].feeds
        one = {name: array[: self._batch or 1] for name, array in feeds.items()}
        return len(data), 1000.0 * median_latency_ms(partial(self._stage("int8", data).run, one))

    def answers(self, name: str, model: bytes) -> NDArray[np.float32]:
        """Return what a file answers to all images, float32, (n, classes); it is run once."""
        return scores_of(self._run(name, model))

    def known(self, files: Mapping[str, bytes]) -> Mapping[str, tuple[Answers, ...]]:
        """Return the answers of those files that have been run, and are kept."""
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        return {name: self._answers[digest] for name, digest in digests.items() if digest in self._answers}

    def _reference(self) -> tuple[Answers, ...]:
        if self._trained:
            return self._trained
        if self._compared.spreads is None:
            return self._run(REFERENCE, self._fp32)
        return tuple(batch.expected for batch in self._compared.batches)

    def _run(self, name: str, model: bytes) -> tuple[Answers, ...]:
        key = hashlib.sha256(model).hexdigest()
        if key not in self._answers:
            if self._compared.spreads is not None:  # Those of each candidate's masks would be gigabytes.
                self._answers.clear()
            self._answers[key] = answers_of(self._stage(name, model), self._compared, self._progress)
        return self._answers[key]

    def _stage(self, name: str, model: bytes) -> Stage:
        reduced_range, layout = self._reduced_range and name != REFERENCE, self._boxes
        if self._compared.spreads is None:
            return stage_of(name, model, batch=self._batch, reduced_range=reduced_range)
        stage = stage_of_tensors(name, model, batch=self._batch, reduced_range=reduced_range)
        if layout is None:
            return stage
        return replace(stage, run=lambda feeds: found_in(stage.run(feeds), feeds, layout))


def make(context: VariantContext) -> ConvertedFile | None:
    """Return an int8 file that loses no more than allowed, or the best one where none does.

    What was measured and judged is kept in the user's cache: the same export goes on there, or is done.
    """
    feeds, compared, fp32 = context.calibration, context.compared, context.fp32
    if feeds is None:
        return None
    reference, progress, meaning = context.reference, context.progress, context.meaning
    scheme = scheme_of(context.config.target or DEFAULT_TARGET)
    what = "images" if reference.takes_picture else "samples"
    progress.say(f"Quantizing to int8 for {scheme.target} on {feeds.count:,} {what}")
    trained, layout = as_trained(context, compared), reference.boxes
    judge = judge_of(context, reduced_range=scheme.reduce_range, trained=trained.answers)
    folder = cache_folder("calibration")
    candidates = Candidates(prepare(fp32.model), feeds, scheme, trained=trained.ranges, cache=folder, progress=progress)
    found = search(
        candidates,
        judge.drop,
        judge.cost,
        max_drop=limit_of(reference.task, context.config.max_drop),
        unit=unit_of(reference.task),
        trained=bool(trained.ranges),
        values=reference.task in VALUES,
        # What the user's own code answers may be another thing tomorrow.
        cache=None if meaning.metric else candidates.search_cache(_judged_on(compared, meaning)),
        progress=progress,
    )
    found = replace(found, fp32=judge.cost(fp32.model))
    if found.warning:
        progress.say(f"Warning: {found.warning}")
    chosen = candidates.quantize(found.settings, found.float_layers)
    record = replace(chosen.arguments, target=scheme.target, **found.settings.as_dict())
    file = verify_structure(chosen.model, str(reference.path), reference.inputs, reference.outputs)
    quantized = replace(chosen, arguments=record)
    # What decodes a detector's outputs is not in the file yet.
    answers = dict(judge.known({REFERENCE: fp32.bytes, "int8": file})) if layout is None else {}
    if trained.answers:
        answers[FAKE_QUANTIZED] = trained.answers
    return ConvertedFile(chosen.model, file, quantized, feeds.record, search=found, answers=answers)


def judge_of(context: VariantContext, *, reduced_range: bool = False, trained: tuple[Answers, ...] = ()) -> Judge:
    """Return what holds models of a context against its reference; see `Judge`."""
    return Judge(
        context.fp32.bytes,
        context.compared,
        context.meaning,
        max_drop=context.config.max_drop,
        reduced_range=reduced_range,
        batch=context.reference.batch,
        trained=trained,
        boxes=context.reference.boxes,
        progress=context.progress,
    )


def _judged_on(compared: ComparisonSet, meaning: Meaning) -> str:
    """Return what a judge's answers depend on."""
    by = "" if compared.spreads is None else f", {meaning}{', what is right' * bool(compared.right)}"
    return f"{compared.sha256}, onnxruntime {ort.__version__}{by}"


def _bytes_of(model: onnx.ModelProto) -> bytes:
    data: bytes = model.SerializeToString(deterministic=True)
    return data
