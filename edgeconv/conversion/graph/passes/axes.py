"""Names of dynamic axes: `batch`, `height`, `width`, `time`, instead of a counter's."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from edgeconv.conversion.graph.editing import is_counted, quiet_inference

_AXES_BY_RANK = {3: ("batch", "time"), 4: ("batch", "height", "width")}


def name_input_axes(model: ir.Model) -> int:
    """Name the dynamic axes of the inputs that have no name yet; return how many.

    Axis 0 is `batch`; axes 1 and 2 of four are `height` and `width`, and axis 1 of three is `time`; others are
    numbered. Axes of equal names are equally long: with several inputs, all but `batch` begin with the input's name.
    """
    several, named = len(model.graph.inputs) > 1, 0
    for value in model.graph.inputs:
        known = dict(enumerate(_AXES_BY_RANK.get(len(value.shape or ()), ("batch",))))
        names = [
            name if axis == 0 or not several or axis not in known else f"{value.name}_{name}"
            for axis in range(len(value.shape or ()))
            for name in [known.get(axis, f"{value.name}_axis{axis}")]
        ]
        if value.shape is not None:
            named += sum(is_counted(size) for size in value.shape)
            value.shape = ir.Shape(
                [name if is_counted(size) else size for size, name in zip(value.shape, names, strict=True)]
            )
    return named


def name_output_axes(model: ir.Model) -> int:
    """Name the dynamic axes of the outputs that have no name yet: after the input's axis that they are, or numbered.

    Returns how many were named.

    Axis 0 is `batch` unless it is known to be something else.
    """
    names = {str(size) for value in model.graph.inputs for size in value.shape or () if not isinstance(size, int)}
    declared = [value.shape for value in model.graph.outputs]
    for value, shape in zip(model.graph.outputs, declared, strict=True):
        if shape is not None:
            value.shape = ir.Shape([None if is_counted(size) else size for size in shape])
    with quiet_inference():
        ShapeInferencePass(check_type=False, strict_mode=False, data_prop=True)(model)
    named = 0
    for value, shape in zip(model.graph.outputs, declared, strict=True):
        found = value.shape if value.shape is not None else shape
        if found is None:
            continue
        shape = shape if shape is not None and len(shape) == len(found) else found
        named += sum(is_counted(size) for size in shape)
        value.shape = ir.Shape(
            [
                _name(inferred, axis, value, names) if is_counted(size) else size
                for axis, (size, inferred) in enumerate(zip(shape, found, strict=True))
            ]
        )
    return named


def _name(inferred: int | ir.SymbolicDim, axis: int, value: ir.Value, names: set[str]) -> int | str:
    if isinstance(inferred, int):
        return inferred
    if inferred.value in names:
        return str(inferred.value)
    return "batch" if axis == 0 else f"{value.name}_axis{axis}"
