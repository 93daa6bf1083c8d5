"""The inputs and outputs of a Keras model as an ONNX file has them: a name, a dtype and a shape each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

IMAGE = "image"

CHANNELS = {1, 3, 4}
"""How many channels a picture may have."""


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        name: its name in the ONNX file.
        dtype: numpy's name of what it holds, such as ``"float32"``.
        shape: sizes behind the batch axis, None where they are dynamic.
        batch: size of the batch axis where the file fixes it, else None.
        names: of the axes behind the batch axis where they are dynamic; those of pictures and sequences if left out.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    batch: int | None = None
    names: tuple[str, ...] = ()

    @property
    def axes(self) -> tuple[int | str, ...]:
        """The whole shape, with a name in place of each dynamic size.

        Example:
            >>> Port("image", "uint8", (None, None, 3)).axes
            ('batch', 'height', 'width', 3)
        """
        of_rank = {3: ("height", "width", "channels"), 2: ("time", "features")}.get(len(self.shape), ())
        names = self.names or of_rank
        behind = (
            size if size is not None else names[place] if place < len(names) else f"{self.name}_axis{place + 1}"
            for place, size in enumerate(self.shape)
        )
        return (self.batch if self.batch is not None else "batch", *behind)

    def sized(self, batch: int, side: int) -> tuple[int, ...]:
        """Return the whole shape with `side` in place of each dynamic size behind the batch axis."""
        return (batch, *(side if size is None else size for size in self.shape))

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether an array's shape has the sizes that are known behind the batch axis.

        Example:
            >>> Port("image", "uint8", (None, None, 3)).fits((2, 8, 9, 1))
            False
        """
        behind = tuple(shape)[1:]
        return len(behind) == len(self.shape) and all(
            known is None or known == size for known, size in zip(self.shape, behind, strict=True)
        )

    @classmethod
    def of(cls, name: str, tensor: Any) -> Port:
        """Describe a Keras tensor."""
        return cls(name, str(tensor.dtype), tuple(tensor.shape)[1:])


def named(ports: Iterable[Port], taken: Sequence[str] = ()) -> tuple[Port, ...]:
    """Return ports whose names are valid in TensorFlow and ONNX, all different, and none of those `taken`.

    Example:
        >>> [port.name for port in named([Port("my mask", "bool", ()), Port("my mask", "bool", ())])]
        ['my_mask', 'my_mask_1']
    """
    used: Counter[str] = Counter(taken)
    unique = []
    for port in ports:
        base = name = re.sub(r"[^A-Za-z0-9_.-]+", "_", port.name).lstrip("_.-") or "tensor"
        while name in used:
            used[base] += 1
            name = f"{base}_{used[base] - 1}"
        used[name] += 1
        unique.append(replace(port, name=name))
    return tuple(unique)


def is_picture(inputs: Sequence[Port]) -> bool:
    """Tell whether a picture goes in: one input of rank 4 with few channels."""
    return len(inputs) == 1 and len(inputs[0].shape) == 3 and inputs[0].shape[2] in CHANNELS
