"""What the outputs of a model mean, read from its head: the last activation, the compiled loss, and the shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.interface import Interface, maker_of
from edgeconv.conversion.keras.loss import BINARY, CLASSES, Loss, compiled_losses
from edgeconv.conversion.keras.ports import Port, is_picture
from edgeconv.conversion.keras.structure import leaves
from edgeconv.errors import ConfigError
from edgeconv.tasks import ANY, TASKS

PASSED_THROUGH = {
    *("ActivityRegularization", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze"),
    *("CenterCrop", "Cropping2D", "Resizing", "UpSampling2D"),
}
"""Layers that leave each value as it is, or move and blend whole pixels."""

LINEAR, SOFTMAX = "linear", "softmax"
SIGMOIDS = {"sigmoid", "hard_sigmoid"}
NORMALIZED = {"unitnormalization", "normalize"}
"""Layers and functions of Keras whose vectors have the length 1."""

MERGED = {"Average": {SOFTMAX, *SIGMOIDS}, "Concatenate": SIGMOIDS}
"""Layers that make of outputs of one activation more of the same, such as the average of an ensemble."""


@dataclass(frozen=True)
class Activation:
    """The last thing that is done to an output.

    Attributes:
        name: ``"linear"``, ``"softmax"``, ..., or the class of a layer that has none; empty where nobody can tell.
        layer: that does it.
    """

    name: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Head:
    """What the outputs of a model mean.

    Attributes:
        task: a key of `TASKS`; None where the model does not say, and its user has to.
        reason: what it was read from, as a part of a sentence.
        activation: the last one in the model; empty where nobody can tell.
        pending: ``"softmax"`` or ``"sigmoid"`` where that is still to be done to the outputs; None where nothing is.
        outputs: of a model with several outputs, which has the task any: what each of them means by itself.
    """

    task: str | None
    reason: str
    activation: str = ""
    pending: str | None = None
    outputs: tuple[Head, ...] = ()

    def sentences(self, ports: Sequence[Port]) -> Iterator[str]:
        """Say what comes out, and how that is known; of several outputs also what each is."""
        yield self.sentence(ports[0])
        for head, port in zip(self.outputs, ports, strict=False):
            yield f"Output `{port.name}`{head.sentence(port).removeprefix('Output')}"

    def sentence(self, port: Port) -> str:
        """Say what an output is, and how that is known."""
        name, size = self.task or ANY, port.shape[-1] if port.shape else None
        counted = {"classes": f"one class of {size}", "tags": f"{size} tags", "values": f"{size} values"}.get(name)
        pending = f"; a runtime does the {self.pending}" if self.pending else ""
        return f"Output: {TASKS[name].title if counted is None or size == 1 else counted}, {self.reason}{pending}."

    def stated(self, task: str, size: int | None) -> Head:
        """Return the head as its user states it, of so many outputs."""
        return replace(self, task=task, reason="as stated", pending=_pending(task, self.activation, size), outputs=())

    def settled(self, path: Path, outputs: Sequence[Port], *, stated: str | None, classes: bool) -> Head:
        """Return a head whose task is known.

        Args:
            path: what the error calls the model.
            outputs: of the model.
            stated: what the user says, or None.
            classes: whether the classes of the model are known, by their labels or by labelled data.

        Raises:
            ConfigError: nobody says what the outputs mean, or the task is not for such outputs.
        """
        sizes = outputs[0].shape
        if stated is not None:
            _check_stated(path, stated, outputs)
            return self.stated(stated, sizes[-1])
        if self.task is not None:
            return self
        if classes:
            return replace(self.stated("classes", sizes[-1]), reason="since the classes have labels")
        raise ConfigError(
            f"Cannot tell what the {sizes[0]} outputs of `{path}` mean. Received: {self.reason}. State it with "
            "`--task classes`, `tags`, `values` or `embedding`, or name the classes with `--labels`."
        )


def read_head(path: Path, interface: Interface) -> Head:
    """Read what the outputs of a loaded model mean; the task is None where that is ambiguous.

    Only rows of a model that takes a picture are ambiguous: nothing is done to the outputs of others.
    """
    answers = list(leaves(interface.answers))
    losses = compiled_losses(path, [key or maker_of(tensor) for key, tensor in answers])
    heads = tuple(
        _head(tensor, port, loss) for (_, tensor), port, loss in zip(answers, interface.outputs, losses, strict=True)
    )
    if len(heads) != 1:
        silent = "since nothing says what they mean"
        known = tuple(head if head.task else replace(head, task=ANY, reason=silent) for head in heads)
        return Head(ANY, f"since there are {len(heads)} outputs", outputs=known)
    ambiguous = heads[0].task is None and is_picture(interface.inputs)
    return heads[0] if ambiguous else replace(heads[0], task=heads[0].task or ANY)


def _head(tensor: Any, port: Port, loss: Loss | None) -> Head:
    """Return what one output means; the task is None where that is ambiguous."""
    last = activation_of(tensor)
    task, reason = _task(last, port, loss)
    return Head(task, reason, last.name, _pending(task, last.name, port.shape[-1] if port.shape else None))


def activation_of(tensor: Any) -> Activation:
    """Return the last activation before a symbolic tensor, through nested models and layers that change no value."""
    while (history := getattr(tensor, "_keras_history", None)) is not None:
        layer = history[0]
        if (outputs := _outputs_of(layer)) is not None:
            tensor = outputs[history.tensor_index]
            continue
        own = _activation_in(layer, len(tensor.shape))
        given = layer._inbound_nodes[history.node_index].input_tensors
        return _seen_through(layer, own, given if isinstance(given, list) else [given], tensor) or own
    return Activation()


def _outputs_of(layer: Any) -> list[Any] | None:
    """Return the symbolic outputs of a model inside a model, of Keras 3 or 2, or None for any other layer."""
    inner = getattr(layer, "_functional", None) or layer
    if (outputs := getattr(inner, "_outputs_struct", None)) is not None:
        return [leaf for _, leaf in leaves(outputs)]
    keras2 = getattr(layer, "keras2_model", layer)
    return list(keras2.outputs) if hasattr(keras2, "_nodes_by_depth") else None


def _activation_in(layer: Any, rank: int) -> Activation:
    """Return what a layer, or a function of Keras, itself does last."""
    name = getattr(getattr(getattr(layer, "layer", layer), "activation", None), "__name__", None)
    kind = name or type(layer).__name__.lower()
    axis = getattr(layer, "axis", -1)
    along_last = axis in (-1, rank - 1, (-1,), [-1])
    return Activation(
        kind if along_last or kind not in {SOFTMAX, *NORMALIZED} else f"{kind} of axis {axis}", layer.name
    )


def _seen_through(layer: Any, own: Activation, given: Sequence[Any], made: Any) -> Activation | None:
    """Return the activation before a layer that leaves values as they are, or None where it does not."""
    kind = type(layer).__name__
    if kind in MERGED:
        before = [activation_of(tensor) for tensor in given]
        return before[0] if before[0].name in MERGED[kind] and len({one.name for one in before}) == 1 else None
    if kind in PASSED_THROUGH or (kind == "Activation" and own.name == LINEAR):
        last = activation_of(given[0])
        # What is done to each row of one length says nothing of rows of another.
        return last if last.name == LINEAR or given[0].shape[-1] == made.shape[-1] else None
    return None


def _task(last: Activation, port: Port, loss: Loss | None) -> tuple[str | None, str]:
    """Return the task of one output, or None where it is ambiguous, and what it was read from."""
    by_loss = f"read from the loss {loss.name}" if loss else ""
    by_layer = f"read from the {last.name} {'layer ' if last.name == LINEAR else 'of '}`{last.layer}`"
    if port.dtype != "float32":
        return ANY, f"since they are {port.dtype}"
    channels = port.shape[-1] if port.shape else None
    if len(port.shape) == 3:
        if last.name == SOFTMAX and (channels or 0) >= 2:
            return "mask", by_layer
        if loss and loss.name in CLASSES and (channels or 0) >= 2:
            return "mask", by_loss
        by_values = loss is not None and loss.task == "values"
        if channels == 1 and last.name in SIGMOIDS and not by_values:
            return "mask", by_layer
        if channels == 1 and last.name == LINEAR and loss and loss.name in BINARY:
            return "mask", by_loss
        if channels in {1, 3}:
            return ANY, "since nothing says whether they are pictures, which `--task picture` states"
    if len(port.shape) != 1 or channels is None:
        return ANY, f"since no task has the shape ({', '.join(map(str, port.axes))})"
    if last.name == SOFTMAX and channels >= 2:
        return "classes", by_layer
    if last.name in SIGMOIDS and (loss is None or loss.task is None or loss.name in BINARY):
        return "yes-no" if channels == 1 else "tags", by_layer
    if last.name in NORMALIZED:
        return "embedding", f"read from the unit vectors of `{last.layer}`"
    if loss and loss.task is not None:
        return "yes-no" if channels == 1 and loss.task == "tags" else loss.task, by_loss
    if last.name and channels == 1:
        return "values", by_layer
    return (
        None,
        f"{by_layer.removeprefix('read from ')}, and no loss that tells" if last.name else "no layer that tells",
    )


def _pending(task: str | None, activation: str, size: int | None) -> str | None:
    """Return what is still to be done to linear outputs of a task."""
    if activation != LINEAR:
        return None
    sigmoid = "sigmoid"
    return {"classes": SOFTMAX, "mask": sigmoid if size == 1 else SOFTMAX, "tags": sigmoid, "yes-no": sigmoid}.get(
        task or ""
    )


def _check_stated(path: Path, task: str, outputs: Sequence[Port]) -> None:
    if len(outputs) > 1 and task != ANY:
        names = ", ".join(port.name for port in outputs)
        raise ConfigError(
            f"`task` is of the one output of a model. Received: {task} for `{path}` with {names}. Leave it out."
        )
    sizes = outputs[0].shape
    size = (sizes[-1] if sizes else None) or 0
    pictured = len(sizes) == 3
    fits = {
        "classes": len(sizes) == 1 and size >= 2,
        "tags": len(sizes) == 1 and size >= 1,
        "yes-no": len(sizes) == 1 and size == 1,
        "values": len(sizes) == 1,
        "embedding": len(sizes) == 1,
        "mask": pictured and size >= 1,
        "picture": pictured and size in {1, 3},
        ANY: True,
    }
    if not fits[task]:
        possible = ", ".join(name for name in TASKS if fits.get(name))
        raise ConfigError(
            f"`task` must fit the output of `{path}`, (batch, {', '.join(map(str, sizes))}). Received: {task}. "
            f"Choose one of {possible}."
        )
