"""The blocks of a manifest that say how a model was made, and how well it does."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from edgeconv.record import ABSENT, ONE_OF, PATTERN, Json, Record
from edgeconv.tasks import TASKS

FILE_NAME = r"^(?!\.\.?$)[^/\\:\x00]+$"
"""A regular expression of names of files that lie in the artifact's folder, on any system."""


class Quantization(Record, kw_only=True):
    """Every argument given to ONNX Runtime's quantizer, by the names that it has there, and how they were found.

    Attributes:
        target: the processors that int8 was made for, such as ``"x86"`` or ``"arm64"``.
        ranges: how the ranges of activations were found: ``"minmax"``, ``"percentile"``, ``"entropy"``, or
            ``"trained"`` with the model.
        equalized: whether channels were evened out between layers first.
        corrected: whether biases make up for the means that int8 shifts.
        rounded: whether weights were rounded up or down by what their layer makes of its inputs.
        quant_format: ``"QDQ"``.
        op_types_to_quantize: the only operators that were quantized; None where all that can be were.
        per_channel: whether each output channel has a weight scale of its own.
        reduce_range: whether weights take 7 bits, so that no sum overflows on any processor.
        activation_type: ``"QUInt8"`` or ``"QInt8"``.
        weight_type: ``"QUInt8"`` or ``"QInt8"``.
        nodes_to_quantize: the only nodes that were quantized; None where all that can be were.
        nodes_to_exclude: the nodes that stayed in float.
        use_external_data_format: whether weights lie in a file of their own.
        calibrate_method: the quantizer's own name for `ranges`.
        calibration_providers: execution providers that ran the calibration.
        extra_options: options whose names and values differ between releases of ONNX Runtime.
        form: of the graph: ``"blocks"`` where layers are taken in other ones with equal answers, such as a first
            convolution in blocks of columns; of int8-fast the one that was the fastest.
    """

    target: str | None = field(default=None, metadata={ABSENT: True})
    ranges: str | None = field(default=None, metadata={ABSENT: True})
    equalized: bool | None = field(default=None, metadata={ABSENT: True})
    corrected: bool | None = field(default=None, metadata={ABSENT: True})
    rounded: bool | None = field(default=None, metadata={ABSENT: True})
    quant_format: str
    op_types_to_quantize: tuple[str, ...] | None
    per_channel: bool
    reduce_range: bool
    activation_type: str
    weight_type: str
    nodes_to_quantize: tuple[str, ...] | None
    nodes_to_exclude: tuple[str, ...]
    use_external_data_format: bool
    calibrate_method: str
    calibration_providers: tuple[str, ...]
    extra_options: Mapping[str, Json]
    form: str | None = field(default=None, metadata={ABSENT: True})


class Context(Record):
    """A variant that was compiled ahead of time for one chip, as ONNX Runtime's EP context.

    Attributes:
        file: its name inside the artifact's folder.
        provider: ONNX Runtime's name of what opens it.
        soc: Qualcomm's number of the chip, `soc_model`.
        compiler: the package that compiled it and its version: only the same one opens it.
        source_sha256: of the variant's file that it was compiled from.
        size_bytes: of the file.
        sha256: of the file.
    """

    file: str = field(metadata={PATTERN: FILE_NAME})
    provider: str
    soc: int
    compiler: str
    source_sha256: str
    size_bytes: int
    sha256: str


class FloatNode(Record):
    """A node left in float.

    Attributes:
        node: its name.
        operator: of ONNX.
        reason: why it was left in float.
    """

    node: str
    operator: str
    reason: str


class Calibration(Record):
    """What the ranges of int8 were measured on.

    Attributes:
        dataset: name of the data.
        split: the part of them that was drawn from, such as ``"train"``.
        size: images drawn.
        seed: of the drawing.
        sha256: of the images' pixels.
    """

    dataset: str
    split: str
    size: int
    seed: int
    sha256: str


class Requirements(Record):
    """What a file needs beyond the operators of ONNX.

    Attributes:
        operators: the domain of ONNX Runtime's own operators.
        onnxruntime: the releases that have them, such as ``">=1.20"``.
        processor: what the processor must do, such as ``"no overflow"`` of int8 sums.
    """

    operators: str | None = field(default=None, metadata={ABSENT: True})
    onnxruntime: str | None = field(default=None, metadata={ABSENT: True})
    processor: str | None = field(default=None, metadata={ABSENT: True})


class OutputMeaning(Record):
    """What one output of several means by itself; the task of such a model is any.

    Attributes:
        task: a key of `edgeconv.tasks.TASKS`.
        pending: ``"sigmoid"`` or ``"softmax"`` where that is still to be done to it.
    """

    task: str = field(metadata={ONE_OF: tuple(TASKS)})
    pending: str | None = field(default=None, metadata={ABSENT: True})


class Boxes(Record):
    """How detections are read from the outputs `boxes`, `scores` and `classes` of a detector.

    Attributes:
        format: ``"xyxy"``: x and y of the left upper and of the right lower corner, in pixels of the model's picture.
        suppressed: whether the file has suppressed overlapping boxes. Then there are `most` rows a picture, best first,
            filled up with scores of 0 and classes of -1. Else `scores` has a column for each class.
        confidence: the score that a detection exceeds, 0 to 1.
        iou: overlap from above which the lower of two boxes of a class is suppressed, as intersection over union.
        most: most detections of a picture.
        stated: how Keras' own outputs hold boxes and scores, as it was stated.
    """

    format: Literal["xyxy"]
    suppressed: bool
    confidence: float
    iou: float
    most: int
    stated: str


class Metrics(Record):
    """How well each stage does, and the data it was measured on.

    Attributes:
        dataset: name of the data.
        split: ``"test"``; ``"calibration"``, ``"random"`` or ``"given"`` where no labelled data were at hand.
        sha256: fingerprint of the data.
        count: images.
        accuracy: share of right answers, 0 to 1, by stage: ``"keras"`` and the variants; None without labels.
        figures: of other tasks than classes: how well each stage's answers fit what is right, by the name of the
            figure, such as ``"RMSE"``; absent where nothing is known to be right.
    """

    dataset: str
    split: str
    sha256: str
    count: int
    accuracy: Mapping[str, float | None]
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict, metadata={ABSENT: True})


class GateLimit(Record):
    """A condition that a stage met.

    Attributes:
        stage: the variant.
        name: of what is limited.
        limit: the most that is allowed; of a PSNR the least.
    """

    stage: str
    name: str
    limit: float


class Parity(Record):
    """Agreement of each stage with Keras.

    Attributes:
        flips: images that get another answer than Keras gives, by stage.
        gates: what each stage had to keep.
    """

    flips: Mapping[str, int]
    gates: tuple[GateLimit, ...]


class TrainingProvenance(Record):
    """Enough of a training to repeat it.

    Attributes:
        dataset: name of the data.
        dataset_sha256: fingerprint of the data.
        seed: of all that is random.
        recipe: name of the optimizer and its schedule.
        epochs: that were trained.
    """

    dataset: str
    dataset_sha256: str
    seed: int | None
    recipe: str | None
    epochs: int | None


class Provenance(Record):
    """Where a model comes from.

    Attributes:
        source_sha256: of the `.keras` file.
        training: None where edgeconv did not train the model.
        input_range: what was stated of a float input, such as ``"0:1"``; None where nothing was.
        parameters: of the model in Keras.
        versions: of the packages that made the artifact.
    """

    source_sha256: str
    training: TrainingProvenance | None
    input_range: str | None
    parameters: int
    versions: Mapping[str, str]
