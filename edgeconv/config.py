"""The options of the stages, checked before any work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeconv.errors import ConfigError
from edgeconv.fitting import Fitting, fitting_of
from edgeconv.input_range import InputRange
from edgeconv.tasks import BOXES, TASKS, check_threshold
from edgeconv.variants import VARIANTS

if TYPE_CHECKING:
    from edgeconv.boxes import BoxStatement

ARCHITECTURES = ("convnet", "convnet-nopool", "convnet-strided", "convnet-avgpool", "dense")
RECIPES = ("onecycle", "book")
PADDINGS = ("valid", "same")
DEVICES = ("auto", "cpu", "gpu")


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Attributes:
        arch: one of `ARCHITECTURES`.
        depth: convolutions of a convnet, 1 to 8.
        padding: ``"valid"`` or ``"same"``, of the convolutions.
        dropout: share of the features dropped before the classifier while training, 0 to below 1.
        augment: shift, rotate and zoom the training images.
        recipe: one of `RECIPES`.
        epochs: passes over the training images, at least 1.
        batch_size: images per step; None takes the recipe's.
        learning_rate: peak learning rate; None takes the recipe's.
        seed: equal seeds give bit-identical runs on the same CPU.
        device: ``"auto"``, ``"cpu"`` or ``"gpu"``, which is an error if there is none.
        base: a trained `.keras` model to fine-tune with a new head, instead of `arch`.
        freeze_base: train only the head, and leave the weights of `base` unchanged.
        input_range: what the float input of `base` expects, as `InputRange.parse` reads it; None if the model tells.
        qat: train with the rounding that the int8 file will have; see `edgeconv.fake_quantize`.

    Raises:
        ConfigError: names the option, what it may be and what it was.

    Example:
        >>> TrainConfig(recipe="book").epochs
        5
    """

    arch: str = "convnet"
    depth: int = 3
    padding: str = "valid"
    dropout: float = 0.0
    augment: bool = False
    recipe: str = "onecycle"
    epochs: int = 5
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    device: str = "auto"
    base: str | None = None
    freeze_base: bool = False
    input_range: str | None = None
    qat: bool = False

    def __post_init__(self) -> None:
        one_of("arch", self.arch, ARCHITECTURES)
        one_of("recipe", self.recipe, RECIPES)
        one_of("padding", self.padding, PADDINGS)
        one_of("device", self.device, DEVICES)
        between("depth", self.depth, 1, 8)
        between("epochs", self.epochs, 1, 100_000)
        between("seed", self.seed, 0, 2**32 - 1)
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"`dropout` must be at least 0 and below 1. Received: {self.dropout}. Try 0.5.")
        if self.batch_size is not None:
            between("batch_size", self.batch_size, 1, 1_000_000)
        if self.learning_rate is not None and not 0.0 < self.learning_rate < 1e6:
            raise ConfigError(f"`learning_rate` must be above 0. Received: {self.learning_rate}. Try 0.001.")
        if self.freeze_base and self.base is None:
            raise ConfigError("`freeze_base` requires a model to fine-tune. Received: none. Name one with `--from`.")
        if self.input_range is not None:
            InputRange.parse(self.input_range)

    def as_dict(self) -> dict[str, Any]:
        """Return the options as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class ExportConfig:
    """How to export.

    Attributes:
        quantize: make the int8 variant too.
        embed_preprocessing: make the variant e2e too, which has the preparation of pictures inside.
        calibration_size: samples that the int8 ranges are measured on, at least 1.
        max_drop: what int8 may lose compared with Keras, 0 to 100: percentage points of accuracy, or percent of another
            task's measure (`parity.losses`); None means 0.2 points, or 1 percent for other tasks.
        metric: your own metric for labelled data, ``"module:function"``: a function of outputs and targets that returns
            a number; higher is better.
        seed: of the choice of calibration images.
        input_range: what the model's float input expects, as `InputRange.parse` reads it; None if the model tells. The
            scaling moves into the file, and the file takes raw pixels.
        task: what the outputs mean, a key of `edgeconv.tasks.TASKS`; None reads it from the model's last activation
            and its compiled loss.
        threshold: lowest probability of a tag, a yes, a pixel of a single map or a box, 0 to 1; None means 0.5.
        boxes: which outputs of a detector hold boxes and scores, and how, as `BoxStatement.parse` reads it; it states
            the task boxes too.
        nms: suppress overlapping boxes of a class in the file, with ONNX's NonMaxSuppression.
        labels: class names in the order of the outputs; None takes those of the data, else ``"0"``, ``"1"``, ...
        fp16: make the float16 variant too.
        target: whose int8 arithmetic the file is made for, a key of `conversion.int8.targets.TARGETS` or ``"auto"`` for
            this machine's; None takes ``"x86"``, whose results are right on any CPU.
        context: Qualcomm's number of a chip, its `soc_model`, that int8 is compiled for ahead of time; it goes with
            the target ``"qnn"``.
        fast: make the variant int8-fast too, if a form of int8 is found that is faster on this machine.
        int8_weights: make the variant int8-weights too: float32 with weights stored in 8 bits, for a small file.
        int4_weights: make the variant int4-weights too: weights in 4 bits if accuracy permits, else in 8.
        variants: names of variants to make, as the options above do: ``("int8",)`` is `quantize`.
        calibration: what to measure int8 ranges on if there are no training images: a folder of pictures, a
            pattern such as ``"photos/*.jpg"``, one picture, an `.npz` of arrays by input, an `.npy` for the only one,
            or ``"module:function"`` that yields arrays by input.
        input_data: an `.npz` of inputs by name, for the comparison with Keras instead of random ones.
        custom_objects: classes and functions that the model is made of, as ``"module:Name"`` or ``"module"``.
        unsafe: run code in the model's file, such as Lambda layers.
        signature: of a SavedModel; None takes ``"serving_default"``, or the only one.
        opset: version of the ONNX operators; None takes the best that `min_runtime` loads.
        min_runtime: the oldest ONNX Runtime that must load the files, such as ``"1.16"``.
        batch: size of the batch axis; None keeps it dynamic.
        explain: compare every layer with Keras too.
        image_size: (height, width) in pixels that pictures become, for a model that takes any size.
        channels: 1 (grey), 3 (RGB) or 4 (RGB and alpha): what pictures are read as; None takes what the model does.
        fit, interpolation, antialias, transparency: how pictures are brought to the model's size; see `Fitting`.
        loader: how your own code reads a picture, ``"module:function"`` or a key of `fitting.LOADERS`: Keras also runs
            on the test images read that way, and the ledger has both. A key also says how pictures are fitted, unless
            the options above do.
        max_memory_gb: memory limit of the conversion; None means the machine's memory.
        max_minutes: time limit of the conversion.

    Raises:
        ConfigError: names the option, what it may be and what it was.
    """

    quantize: bool = False
    embed_preprocessing: bool = False
    calibration_size: int = 1000
    max_drop: float | None = None
    metric: str | None = None
    seed: int = 0
    input_range: str | None = None
    task: str | None = None
    threshold: float | None = None
    boxes: str | None = None
    nms: bool = False
    labels: tuple[str, ...] | None = None
    fp16: bool = False
    target: str | None = None
    context: int | None = None
    fast: bool = False
    int8_weights: bool = False
    int4_weights: bool = False
    variants: tuple[str, ...] = ()
    calibration: str | None = None
    input_data: str | None = None
    custom_objects: tuple[str, ...] = ()
    unsafe: bool = False
    signature: str | None = None
    opset: int | None = None
    min_runtime: str | None = None
    batch: int | None = None
    explain: bool = False
    image_size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str | None = None
    interpolation: str | None = None
    antialias: bool | None = None
    transparency: str | None = None
    loader: str | None = None
    max_memory_gb: float | None = None
    max_minutes: float = 60.0

    def __post_init__(self) -> None:
        between("calibration_size", self.calibration_size, 1, 1_000_000)
        between("seed", self.seed, 0, 2**32 - 1)
        if self.batch is not None:
            between("batch", self.batch, 1, 65_536)
        for option in ("max_memory_gb", "max_minutes"):
            limit = getattr(self, option)
            if limit is not None and not 0.0 < limit < 1e6:
                raise ConfigError(f"`{option}` must be above 0. Received: {limit}. Leave it out for the default.")
        if self.context is not None:
            between("context", self.context, 1, 9_999)
            if self.target != "qnn" or not self.makes("int8"):
                raise ConfigError("`context` goes with int8 for qnn. Add `--quantize --target qnn`, or leave it out.")
        check_max_drop(self.max_drop)
        for side in self.image_size or ():
            between("image_size", side, 1, 4096)
        if self.input_range is not None:
            InputRange.parse(self.input_range)
        if self.task is not None:
            one_of("task", self.task, TASKS)
        check_threshold(self.threshold)
        if self.task not in {None, BOXES} and self.boxes is not None:
            raise ConfigError(f"`boxes` is for the task boxes. Received: it with {self.task}. Leave one of them out.")
        if self.nms and self.box_statement is None:
            raise ConfigError("`nms` is for the task boxes. Received: no such task. State `--boxes`, or leave it out.")
        _ = self.box_statement  # Checks what is stated.
        for name in self.variants:
            one_of("variants", name, VARIANTS)
        _ = self.fitting  # Checks what is stated.

    @property
    def fitting(self) -> Fitting:
        """How pictures are brought to the model's size, as far as it is stated."""
        return fitting_of(Fitting(self.fit, self.interpolation, self.antialias, self.transparency), self.loader)

    @property
    def box_statement(self) -> BoxStatement | None:
        """What is said of the outputs of a detector; None where the task is another one."""
        from edgeconv.boxes import BoxStatement

        if self.boxes is None:
            return BoxStatement() if self.task == BOXES else None
        return BoxStatement.parse(self.boxes)

    def makes(self, name: str) -> bool:
        """Tell whether a variant is to be made."""
        option = VARIANTS[name].option
        return option is None or name in self.variants or bool(getattr(self, option, False))

    def as_dict(self) -> dict[str, Any]:
        """Return the options as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ExportConfig:
        """Read what `as_dict` wrote, as it is or from JSON."""
        options: dict[str, Any] = {
            name: tuple(given) if isinstance(given, list) else given for name, given in value.items()
        }
        return cls(**options)


def one_of(option: str, value: object, choices: Iterable[str]) -> None:
    """Raise ConfigError unless `value` is one of `choices`."""
    names = list(choices)
    if value not in names:
        raise ConfigError(f"`{option}` must be one of {', '.join(names)}. Received: {value!r}. Choose one of these.")


def between(option: str, value: object, low: int, high: int) -> None:
    """Raise ConfigError unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"`{option}` must be a whole number from {low} to {high}. Received: {value!r}. Change it.")


def check_max_drop(max_drop: float | None) -> None:
    """Raise ConfigError unless a drop is 0 to 100, in percentage points or percent, or left out."""
    if max_drop is not None and not 0.0 <= max_drop <= 100.0:
        raise ConfigError(f"`max_drop` must be 0 to 100 percentage points. Received: {max_drop}. Try 0.2.")


def artifact_folder(name: str | None, out: str | Path | None, default_name: str) -> Path:
    """Return the folder of an artifact: ``out/name``, ``out``, ``exported/name`` or ``exported/<default_name>``.

    Raises:
        ConfigError: the name would leave its folder, or the folder can neither be made nor written to.
    """
    if name is not None and (not name or Path(name).name != name or name in {".", ".."}):
        raise ConfigError(f"`name` must be the name of a folder, without slashes. Received: {name!r}. Use `--out`.")
    folder = Path("exported" if out is None else out)
    if name or out is None:
        folder /= name or default_name
    from edgeconv.transaction import require_writable

    require_writable(folder)
    return folder
