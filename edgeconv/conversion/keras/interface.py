"""What a loaded Keras model takes and gives: how it is called, and the ports of the file that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgeconv.conversion.keras.dtypes import returned_dtypes
from edgeconv.conversion.keras.ports import CHANNELS, IMAGE, Port, is_picture, named
from edgeconv.conversion.keras.structure import leaves
from edgeconv.conversion.tracing.refusals import ADVICE
from edgeconv.errors import UnsupportedModelError
from edgeconv.tasks import ANY, TASKS

NUMBERS = {"float16", "float32", "float64", "uint8", "int8", "uint16", "int16", "int32", "int64", "bool"}


@dataclass(frozen=True)
class Interface:
    """How a model is called.

    Attributes:
        inputs, outputs: the ports, in the order in which the model's author wrote them.
        arguments: the structure of the inputs, a symbolic tensor at each leaf.
        answers: the structure of the outputs.
        by_name: whether `arguments` is a dict of keyword arguments.
        declared_batch: the batch size that the inputs declare, or None. Keras declares one of its own accord for a
            model that was built by a call on data.
        channels: where the one input has the axis of a picture's channels, which the port has last: ``"last"``,
            ``"first"``, or ``"absent"`` of grey pictures.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    arguments: Any
    answers: Any
    by_name: bool = False
    declared_batch: int | None = None
    channels: str = "last"

    def with_channels_last(self, stated: bool, scales: bool) -> Interface:
        """Return the interface of pictures where the one input is (batch, height, width), or has its channels first.

        Such inputs may be sequences or something else as well: only what is stated, a layer that scales pixels or a
        dtype tells.

        Args:
            stated: whether somebody said that the model takes pictures.
            scales: whether its layers scale raw pixels.
        """
        port = self.inputs[0]
        if len(self.inputs) != 1 or not (stated or scales or port.dtype == "uint8"):
            return self
        if len(port.shape) == 2 and None not in port.shape:
            return replace(self, inputs=(replace(port, shape=(*port.shape, 1)),), channels="absent")
        if len(port.shape) == 3 and port.shape[0] in CHANNELS and port.shape[2] not in CHANNELS:
            channels, height, width = port.shape
            return replace(self, inputs=(replace(port, shape=(height, width, channels)),), channels="first")
        return self

    @property
    def takes_picture(self) -> bool:
        """Whether one picture goes in."""
        return is_picture(self.inputs)

    def for_task(self, task: str, *, pixels: bool) -> Interface:
        """Return the interface with names that say what the arrays hold, where that is known.

        Args:
            task: of the one output.
            pixels: whether raw pixels may be given, whatever comes out.
        """
        inputs, outputs = self.inputs, self.outputs
        if self.takes_picture and (pixels or task != ANY):
            inputs = (replace(inputs[0], name=IMAGE),)
        if task != ANY:
            outputs = (replace(outputs[0], name=TASKS[task].output),)
        return replace(self, inputs=inputs, outputs=named(outputs, [port.name for port in inputs]))


def interface_of(path: Path, model: Any, data: Mapping[str, NDArray[Any]] | None) -> Interface:
    """Find out how a model is called.

    Args:
        path: what the errors call the model.
        model: a loaded Keras model.
        data: the user's arrays by input, whose shapes and dtypes describe the inputs of a model that does not itself.

    Raises:
        UnsupportedModelError: the model was never called, or takes or gives what ONNX Runtime does not.
    """
    by_name = False
    returned: dict[int, str] = {}
    network = getattr(model, "_functional", None) or model  # Sequential.
    if getattr(network, "_inputs_struct", None) is not None:
        arguments, answers = network._inputs_struct, network._outputs_struct
        returned = returned_dtypes(network)
    else:
        arguments, by_name = _arguments_of_subclass(path, model, data)
        answers = model(**arguments) if by_name else model(arguments)
    for _, tensor in leaves(arguments):
        _check(path, tensor, f"the input `{tensor.name}`", read_by=_reader(model, tensor))
    for _, tensor in leaves(answers):
        _check(path, tensor, f"the output `{maker_of(tensor)}`")
    tensors = [tensor for _, tensor in leaves(arguments)]
    ports = [Port.of(key or tensor.name, tensor) for key, tensor in leaves(arguments)]
    results = [
        replace(Port.of(key or maker_of(tensor), tensor), dtype=returned.get(id(tensor), str(tensor.dtype)))
        for key, tensor in leaves(answers)
    ]
    inputs = named(ports)
    outputs = named(results, [port.name for port in inputs])
    declared = next((int(tensor.shape[0]) for tensor in tensors if tensor.shape[0] is not None), None)
    return Interface(inputs, outputs, arguments, answers, by_name, declared)


def _arguments_of_subclass(path: Path, model: Any, data: Mapping[str, NDArray[Any]] | None) -> tuple[Any, bool]:
    """Return symbolic arguments of a subclassed model, from what it was built with, and whether they go by name."""
    import keras

    def tensor(name: str, shape: Any) -> Any:
        array = None if data is None else data.get(name, next(iter(data.values())) if len(data) == 1 else None)
        dtype = "float32" if array is None else str(array.dtype)
        dims = tuple(shape)[1:] if array is None else array.shape[1:]
        return keras.KerasTensor((None, *dims), dtype=dtype, name=name)

    def convert(name: str, shape: Any) -> Any:
        if isinstance(shape, dict):
            return {key: convert(str(key), part) for key, part in shape.items()}
        if isinstance(shape, list | tuple) and not all(size is None or isinstance(size, int) for size in shape):
            return type(shape)(convert(f"{name}_{place}", part) for place, part in enumerate(shape))
        return tensor(name, shape)

    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes:
        raise UnsupportedModelError(
            f"`{path}` must know the shapes of its inputs. Received: the model {model.name!r} of the class "
            f"{type(model).__name__}, which was never called. Begin it with `keras.Input`, or call it once on data "
            "before you save it."
        )
    if set(shapes) == {"input_shape"} or len(shapes) == 1:
        return convert("input", next(iter(shapes.values()))), False
    names = {key: key.removesuffix("_shape") for key in shapes}
    return {names[key]: convert(names[key], shape) for key, shape in shapes.items()}, True


def _check(path: Path, tensor: Any, role: str, read_by: Any = None) -> None:
    dtype, shape = str(tensor.dtype), getattr(tensor, "shape", None)
    sort = next((sort for sort in ("sparse", "ragged") if getattr(tensor, sort, False)), None)
    if dtype not in NUMBERS or sort is not None:
        kind = type(read_by).__name__
        reader = "" if read_by is None else f", which the layer `{read_by.name}` ({kind}) reads"
        advice = ADVICE.get(kind, "Do what needs it before the model, and export the part behind it.")
        raise UnsupportedModelError(
            f"`{path}` must take and give dense tensors of numbers. Received: {role} of {sort or dtype}{reader}. "
            f"{advice}"
        )
    if shape is None or len(shape) == 0:
        raise UnsupportedModelError(
            f"`{path}` must have a batch axis in every input and output. Received: {role} of shape {shape}. "
            "Keep the axis, with `keepdims=True` for instance."
        )


def _reader(model: Any, tensor: Any) -> Any:
    """Return the layer that reads one of a model's inputs, or None where its code alone tells."""
    for layer in getattr(model, "layers", ()):
        for node in layer._inbound_nodes:
            if any(given is tensor for given in node.input_tensors):
                return layer
    return None


def maker_of(tensor: Any) -> str:
    """Return the name of the layer that makes a symbolic tensor."""
    history = getattr(tensor, "_keras_history", None)
    return str(history.operation.name if history else "output")
