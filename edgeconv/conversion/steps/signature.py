"""What a contract says before anything is converted: what goes in, what comes out, and what it means."""

from __future__ import annotations

from dataclasses import replace

from edgeconv.config import ExportConfig
from edgeconv.conversion.keras import KerasReference, Port
from edgeconv.manifest import ArraySpec, Manifest
from edgeconv.manifest_blocks import OutputMeaning
from edgeconv.preparation import Preparation
from edgeconv.tasks import ANY

_RANGES = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""What a last activation keeps its values to."""


def signature_of(
    reference: KerasReference,
    config: ExportConfig,
    preparation: Preparation | None,
    labels: tuple[str, ...],
    *,
    name: str,
    kind: str = "tensor",
) -> Manifest:
    """Return the contract of a model as far as its inputs and outputs go; it names no file.

    Args:
        reference: the model.
        config: how it is exported.
        preparation: how a picture becomes its input, or None.
        labels: names of its answers.
        name: of the artifact.
        kind: of the first output, as `ArraySpec.kind`.
    """
    inputs = [_array_of(port, pixels=reference.eats_pixels) for port in reference.inputs]
    outputs = [_array_of(port) for port in reference.file_outputs(suppressed=config.nms)]
    for place, head in enumerate(reference.head.outputs):
        meaning = None if head.task in {None, ANY} else OutputMeaning(head.task, head.pending)
        outputs[place] = replace(outputs[place], meaning=meaning)
    return Manifest(
        name=name,
        input=inputs[0],
        preprocess=preparation,
        output=replace(
            outputs[0],
            value_range=(0.0, 1.0) if kind == "probabilities" else _RANGES.get(reference.head.activation),
            kind=kind,
            task=reference.task,
            pending=None if kind != "tensor" else reference.head.pending,
            threshold=config.threshold,
        ),
        labels=labels,
        variants={},
        more_inputs=tuple(inputs[1:]),
        more_outputs=tuple(outputs[1:]),
        boxes=None if reference.boxes is None else reference.boxes.contract(suppressed=config.nms),
    )


def _array_of(port: Port, *, pixels: bool = False) -> ArraySpec:
    return ArraySpec(
        port.name, port.dtype, port.axes, (0.0, 255.0) if pixels else None, "pixels" if pixels else "tensor"
    )
