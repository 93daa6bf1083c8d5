"""Whether a model, the data and the options go together."""

from __future__ import annotations

from edgeconv.config import ExportConfig
from edgeconv.conversion.graph.releases import loads
from edgeconv.conversion.keras import KerasReference
from edgeconv.datasets import Dataset
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.tasks import ANY, THRESHOLD_TASKS
from edgeconv.variants import VARIANTS, flag_of


def check_fit(
    keras_model: KerasReference, data: Dataset | None, config: ExportConfig, *, labelled: bool = False
) -> None:
    """Check that model, data and options go together, before any work.

    Args:
        keras_model: the model.
        data: pictures with a class each, or None.
        config: how to export it.
        labelled: whether other labelled data are named.

    Raises:
        ConfigError: an option contradicts the model, or int8 is asked for without data.
        DatasetError: the data are of another shape, or have another number of classes.
    """
    asked = [row for row in VARIANTS.values() if config.makes(row.name)]
    for row in asked:
        if row.made_from is not None and not config.makes(row.made_from):
            flag = flag_of(VARIANTS[row.made_from])
            raise ConfigError(
                f"`{row.option}` is a form of {row.made_from}. Received: no `{flag}`. Add that, or leave it out."
            )
        if config.min_runtime and row.min_runtime and not loads(config.min_runtime, row.min_runtime):
            raise ConfigError(
                f"`{row.option}` requires ONNX Runtime {row.min_runtime}. Received: `min_runtime` "
                f"{config.min_runtime}. Leave one of them out."
            )
    quantizes = any(row.precision == "int8" for row in asked)
    calibrates = quantizes or any(row.precision == "weights" for row in asked)
    for option, is_used in (("calibration", calibrates), ("target", quantizes)):
        given = getattr(config, option)
        if given is not None and not is_used:
            raise ConfigError(
                f"`{option}` is for int8. Received: `{given}` without `--quantize`. Add that, or leave it out."
            )
    if config.metric is not None and data is None and not labelled:
        raise ConfigError(
            f"`metric` is for labelled data. Received: `{config.metric}` without any. Name them with `--dataset`."
        )
    if config.threshold is not None and keras_model.task not in THRESHOLD_TASKS:
        raise ConfigError(
            f"`threshold` is for the tasks {', '.join(THRESHOLD_TASKS)}. Received: {config.threshold} for "
            f"`{keras_model.path}` of the task {keras_model.task}. Leave it out."
        )
    if quantizes and data is None and config.calibration is None:
        raise ConfigError(
            f"`quantize` requires training images to measure ranges on. Received: `{keras_model.path}` without a "
            "record of its training. Name them with `--dataset`, or unlabelled ones with `--calibration`."
            if keras_model.answers_classes
            else f"`quantize` requires samples to measure ranges on. Received: `{keras_model.path}` of the task "
            f"{keras_model.task}. Name some with `--calibration`: {_SAMPLES[keras_model.takes_picture]}."
        )
    if not keras_model.is_classifier:
        if not keras_model.answers_classes:
            return
    elif config.labels is not None and len(config.labels) != keras_model.classes:
        raise ConfigError(
            f"`labels` must name the {keras_model.classes} outputs of the model. Received: {len(config.labels)} names. "
            "Name each class once, in the order of the outputs."
        )
    if data is not None:
        check_pixels(keras_model)
    if data is None:
        return
    shape, wanted = data.train.images.shape[1:], keras_model.inputs[0].shape
    if any(size not in {None, got} for size, got in zip(wanted, shape, strict=True)):
        raise DatasetError(
            f"`{keras_model.path}` requires images of {wanted}. Received: {shape} in {data.source}. "
            "Choose other data, or set `--image-size`."
        )
    classes = len(names_of(keras_model))
    if len(data.labels) != classes:
        raise DatasetError(
            f"`{keras_model.path}` requires data of {classes} classes. Received: {len(data.labels)} in "
            f"{data.source}. Choose the data that it was trained on."
        )


_SAMPLES = {True: "pictures, or an .npz", False: "an .npz of arrays by input, or `module:function` that yields them"}
"""What may be named, by whether the model takes a picture."""


def check_pixels(keras_model: KerasReference) -> None:
    """Raise ConfigError unless it is known what a model that takes pictures makes of a pixel."""
    if not keras_model.eats_pixels:
        raise ConfigError(
            f"`{keras_model.path}` must say what its {keras_model.inputs[0].dtype} input makes of a pixel. "
            f"Received: {keras_model.pixels.unknown}. {keras_model.pixels.advice}"
        )


def check_task(keras_model: KerasReference, config: ExportConfig) -> None:
    """Refuse what only some models have: pictures to prepare, and answers that have names.

    Args:
        keras_model: the model.
        config: how to export it.

    Raises:
        ConfigError: an option is not for such a model.
    """
    if keras_model.is_classifier:
        return
    ports = ", ".join(f"{port.name} {port.axes}" for port in (*keras_model.inputs, *keras_model.outputs))
    received = f"Received: `{keras_model.path}` of the task {keras_model.task} with {ports}."
    for variant in VARIANTS.values():
        if variant.takes_pictures and config.makes(variant.name) and not keras_model.takes_picture:
            raise ConfigError(
                f"`{variant.option}` requires a model of one picture, (batch, height, width, channels), whatever it "
                f"answers. {received} Leave it out: `Runner` gives a model its arrays."
            )
    names = names_of(keras_model)
    if config.labels is not None and not names:
        row = keras_model.takes_picture and len(keras_model.outputs[0].shape) == 1 and keras_model.classes > 1
        advice = ", or state `--task classes` if each picture has one class" if row else ""
        raise ConfigError(
            f"`labels` requires a classifier of pictures: one input (batch, height, width, channels) and one output "
            f"(batch, classes). {received} Leave it out: arrays have the names of the outputs{advice}."
        )
    if config.labels is not None and len(config.labels) != len(names):
        may_be_yes_no = ". State `--task yes-no` if it is one" if len(names) == 1 and len(config.labels) == 2 else ""
        raise ConfigError(
            f"`labels` must name the {len(names)} answers of the model. Received: {len(config.labels)} names. "
            f"Name each once, in the order of the outputs; of a yes or no the no first{may_be_yes_no}."
        )


def names_of(keras_model: KerasReference) -> tuple[str, ...]:
    """Return the names that a model's answers have where nobody gives any; none where they need none."""
    if keras_model.task in {ANY, "embedding", "picture"}:
        return ()
    if keras_model.task == "yes-no":
        return ("no", "yes")
    if keras_model.boxes is not None:
        return tuple(map(str, range(keras_model.boxes.count)))
    size = int(keras_model.outputs[0].shape[-1] or 0)
    return tuple(map(str, range(2 if keras_model.task == "mask" and size == 1 else size)))
