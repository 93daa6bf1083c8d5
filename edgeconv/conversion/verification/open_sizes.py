"""Sizes for the open axes of a model's inputs: those that it answers to, tried, declared inside it or asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from edgeconv.conversion.keras.nested import declared_shapes
from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.keras.reference import KerasReference
from edgeconv.conversion.verification.random_inputs import RandomInputs
from edgeconv.errors import UnsupportedModelError

SIDES = (64, 128, 256)
"""Heights and widths that a picture of any size is tried at; some networks have no answer to small ones."""

LENGTHS = (8, *SIDES)
"""Those of sequences."""

LONGER = (1024, 4096, 16384)
"""Lengths of sequences where all of these are too short: a model of DNA crops 10,000 steps."""

_TOO_SHORT = re.compile(r"must be smaller than the input|negative|too short|too small", re.IGNORECASE)
"""How Keras and TensorFlow say that an input has not enough steps."""

_SHAPES = (
    re.compile(r"expected shape=[(\[](?P<wanted>[^)\]]+)[)\]], found shape=[(\[](?P<found>[^)\]]+)[)\]]"),
    re.compile(r"Incompatible shapes: \[(?P<found>[\d,]+)\] vs\. \[(?P<wanted>[\d,]+)\]"),
)
"""How they name the shape that they want, beside the one they got."""

_COUNTS = (
    re.compile(r"input_shape=\((?P<found>[^)]+)\), target_shape=\((?P<wanted>[^)]+)\)"),
    re.compile(r"expected axis -1 of input shape to have value (?P<wanted>\d+), .* shape \(\w+, (?P<found>\d+)\)"),
)
"""How they name the number of values that they want, beside the one they got."""


def find_sizes(reference: KerasReference, source: RandomInputs, batch: int) -> tuple[RandomInputs, int]:
    """Return inputs that Keras has an answer to, and a size for the axes that are still open.

    Small sizes come first; where a network refuses them, those that networks inside it declare and that the refusal
    names come before larger ones. An answer must be of the shape that the model declares: where a sequence is shorter
    than a frame of STFTSpectrogram, Keras returns memory that nobody wrote to.

    Args:
        reference: the Keras model.
        source: of inputs, whose open axes get the size.
        batch: size of the batch to try.
    """
    sequence = any(len(port.shape) == 2 and port.shape[0] is None for port in reference.inputs)
    sides = SIDES if any(len(port.shape) == 3 for port in reference.inputs) else LENGTHS
    if all(size is not None for port in reference.inputs for size in port.shape):
        return source, sides[0]
    declared = [(fixed, sides[0]) for fixed in _declared(reference, source)]
    waiting = [(source, sides[0]), *declared, *((source, side) for side in sides[1:])]
    longer = [(source, side) for side in LONGER] if sequence else []
    tried = set()
    while waiting:
        attempt, side = waiting.pop(0)
        shapes = tuple(port.sized(batch, side) for port in attempt.ports)
        if shapes in tried:
            continue
        tried.add(shapes)
        try:
            answers = reference.run(attempt.draw(batch, side))
        except UnsupportedModelError as error:
            short = _TOO_SHORT.search(str(error)) is not None
            waiting[:0] = [(fixed, side) for fixed in _named(str(error), attempt, side)]
        else:
            short = not all(array.size for array in answers.values())
            if not short and all(port.fits(answers[port.name].shape) for port in reference.outputs):
                return attempt, side
        if short and not waiting:
            waiting, longer = longer, []
    return source, sides[-1]


def _declared(reference: KerasReference, source: RandomInputs) -> Iterator[RandomInputs]:
    """Yield inputs of the sizes that networks inside the model declare."""
    for shape in declared_shapes(reference.model):
        ports = tuple(replace(port, shape=shape) if port.fits((0, *shape)) else port for port in source.ports)
        if ports != source.ports:
            yield replace(source, ports=ports)


def _named(refusal: str, source: RandomInputs, side: int) -> Iterator[RandomInputs]:
    """Yield inputs of the sizes that a refusal names."""
    for pattern in _SHAPES:
        for match in pattern.finditer(refusal):
            found, wanted = _numbers(match["found"]), _numbers(match["wanted"])
            yield replace(source, ports=tuple(_filled(port, found, wanted, side) for port in source.ports))
    for pattern in _COUNTS:
        for match in pattern.finditer(refusal):
            found, wanted = _numbers(match["found"]), _numbers(match["wanted"])
            if None in found + wanted:
                continue
            share = math.prod(size or 0 for size in wanted) / max(1, math.prod(size or 0 for size in found))
            yield replace(source, ports=tuple(_scaled(port, share, side) for port in source.ports))


def _filled(port: Port, found: list[int | None], wanted: list[int | None], side: int) -> Port:
    """Give the open axes of a port the sizes that are wanted where the present ones were found."""
    if len(found) != len(port.shape) + 1:
        return port
    behind = [None] * (len(found) - len(wanted)) + wanted
    pairs = zip(port.shape, found[1:], behind[1:], strict=True)
    return replace(port, shape=tuple(want if size is None and got == side else size for size, got, want in pairs))


def _scaled(port: Port, share: float, side: int) -> Port:
    """Give the open axes of a port the size that makes so many times the values."""
    count = port.shape.count(None)
    size = max(1, round(side * share ** (1 / count))) if count else None
    return replace(port, shape=tuple(size if known is None else known for known in port.shape))


def _numbers(text: str) -> list[int | None]:
    return [int(part) if part.strip().isdigit() else None for part in text.split(",") if part.strip()]
