"""Keras files opened: `.keras`, `.h5` and SavedModel, in safe mode unless the user says otherwise."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgeconv.boxes import BoxStatement
from edgeconv.conversion.keras.archive import check_archive
from edgeconv.conversion.keras.boxes.layout import BoxLayout
from edgeconv.conversion.keras.boxes.reading import read_box_head
from edgeconv.conversion.keras.call_depth import deep_calls
from edgeconv.conversion.keras.custom_objects import import_custom_objects
from edgeconv.conversion.keras.fake_quantization import fake_quantization_objects, without_fake_quantization
from edgeconv.conversion.keras.head import read_head
from edgeconv.conversion.keras.importing import frameworks_imported
from edgeconv.conversion.keras.interface import interface_of
from edgeconv.conversion.keras.lambda_names import lambdas_find
from edgeconv.conversion.keras.legacy.layers import keras2_objects
from edgeconv.conversion.keras.legacy.opening import open_keras2
from edgeconv.conversion.keras.pixels import Pixels, pixels_of, scales_pixels
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.conversion.keras.saved_model import open_saved_model
from edgeconv.conversion.tracing.patches.mixed_precision import in_float32
from edgeconv.errors import ArtifactError, ConfigError, EdgeconvError, one_line, require
from edgeconv.quiet import native_log_held_back
from edgeconv.tasks import ANY

_LAYER = re.compile(r"Error when deserializing class '(\w+)' using config=\{'name': '([^']+)'")
"""How Keras says which layer it cannot make from its config; the innermost one last."""


def load_keras(
    path: Path,
    *,
    input_range: str | None = None,
    custom_objects: Sequence[str] = (),
    unsafe: bool = False,
    signature: str | None = None,
    task: str | None = None,
    classes: bool = False,
    pictures: bool = False,
    data: Mapping[str, NDArray[Any]] | None = None,
    boxes: BoxStatement | None = None,
    labels: int | None = None,
) -> KerasReference:
    """Load a Keras model, without running code that its file carries.

    Args:
        path: a `.keras` or `.h5` file, or a SavedModel's folder.
        input_range: what the model's float input expects of pixels, as `InputRange.parse` reads it; None where the
            model says so itself (a uint8 input, or layers that scale) or where nobody knows.
        custom_objects: classes and functions that the model is made of, as ``"module:Name"`` or ``"module"``,
            imported from the user's own path.
        unsafe: also run the code that the file carries: Lambda layers, and the graph of a SavedModel.
        signature: of a SavedModel; None takes `serving_default`, or the only one.
        task: what the outputs mean, a key of `TASKS`; None reads it from the model's head.
        classes: the model's classes are known: they have labels, or labelled data.
        pictures: the model takes pictures, as somebody said: an input (batch, height, width) is one without channels.
        data: arrays by input, which describe the inputs of a model that does not itself.
        boxes: what is said of the outputs of a detector.
        labels: number of its classes, where they have names.

    Raises:
        ArtifactError: there is no such model, or Keras cannot load it.
        ConfigError: `input_range` is not for such a model, an object cannot be imported, there is no such signature,
            or nobody says what the outputs mean.
        UnsupportedModelError: the model takes or gives what ONNX Runtime does not.
        MissingDependencyError: tensorflow, keras or tf2onnx is not installed.
    """
    require("tensorflow", "keras", "tf2onnx", extra="train", purpose="Exporting a Keras model")
    if not path.exists():
        raise ArtifactError(f"`{path}` must be a .keras file. Received: no such file. Make one with `edgeconv train`.")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_log_held_back():
        objects = import_custom_objects(custom_objects)
    saved = check_archive(path, custom_objects=objects, unsafe=unsafe) if path.is_file() else None
    if saved is not None and signature is not None:
        raise ConfigError(
            f"`signature` is for a SavedModel's folder. Received: {signature!r} for `{path}`, a file. Leave it out."
        )
    with native_log_held_back(), frameworks_imported():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # Logs the absence of GPUs, once.
    _check_backend(keras.backend.backend())
    own = {**fake_quantization_objects(), **objects}
    known = {**keras2_objects(), **own} if saved is not None and saved.by_keras2 else own
    try:
        with native_log_held_back(), deep_calls(), lambdas_find(objects), keras.utils.custom_object_scope(known):
            if saved is None:
                model = open_saved_model(path, signature=signature, unsafe=unsafe)
            elif saved.by_keras2:
                model = open_keras2(path, saved, unsafe=unsafe, custom_objects=objects)
            else:
                model = keras.models.load_model(path, compile=False, safe_mode=not unsafe)
            model, fake_quantized = without_fake_quantization(model)
            trained = model
            model = in_float32(model, safe_mode=not unsafe)
        interface = interface_of(path, model, data)  # Calls a model whose layers did not come with their shapes.
    except EdgeconvError:
        raise
    except Exception as error:  # Keras raises whatever the damaged part makes it raise.
        raise ArtifactError(
            f"`{path}` must be a .keras file that Keras {keras.__version__} loads{'' if unsafe else ' in safe mode'}. "
            f"Received{_refusal(error)}"
        ) from error
    stated = pictures or input_range is not None
    interface = interface.with_channels_last(stated, len(interface.inputs) == 1 and scales_pixels(model))
    layout: BoxLayout | None = None
    if boxes is not None:
        interface, head, layout = read_box_head(path, interface, boxes, labels)
    else:
        head = read_head(path, interface).settled(path, interface.outputs, stated=task, classes=classes)
    pixels = Pixels()
    if interface.takes_picture:
        pixels = pixels_of(path, model, input_range, interface.inputs[0])
    elif input_range is not None:
        raise ConfigError(
            f"`input_range` is for a model that takes a picture. Received: {input_range!r} for `{path}`, "
            f"whose inputs are {', '.join(port.name for port in interface.inputs)}. Leave it out."
        )
    if layout is None:
        interface = interface.for_task(head.task or ANY, pixels=pixels.range is not None)
    return KerasReference(path, model, interface, head, pixels, trained, boxes=layout, fake_quantized=fake_quantized)


def _refusal(error: Exception) -> str:
    """Return what Keras could not load, and what to do; the layer and its own words where it is one layer."""
    cause: BaseException = error
    while following := cause.__cause__ or cause.__context__:
        cause = following
    layers = _LAYER.findall(str(error))
    where = " in layer `{1}` ({0})".format(*layers[-1]) if layers else ""
    told = cause if layers or isinstance(cause, NameError) else error
    reason = one_line(told)
    if isinstance(cause, NameError):
        advice = (
            f"Bring it with `--custom-objects MODULE:{cause.name}`: a file holds the code of a Lambda layer, and not "
            "what it uses"
        )
    elif layers:
        advice = "Replace that layer: Keras cannot load what it saved of it"
    else:
        advice = "Save it again with `model.save`"
    return f"{where}: {type(told).__name__}: {reason}. {advice}."


def _check_backend(backend: str) -> None:
    if backend != "tensorflow":
        raise ConfigError(
            f"Conversion through tf2onnx requires Keras on TensorFlow. Received: KERAS_BACKEND={backend}. "
            "Set it to tensorflow; a .keras file does not depend on it."
        )
