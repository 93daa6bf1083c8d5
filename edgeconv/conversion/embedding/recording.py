"""Write down ONNX nodes and constants, named after the part of the preparation that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.tape import Tape

ROOT = "preparation"
"""What every name of a preparation begins with, so that no name of the model's own is taken."""

_Key = tuple[str, tuple[ir.Value, ...], str]
"""What makes two nodes equal: operator, inputs, attributes."""


class Recorder:
    """The nodes and constants of a preparation, in the order in which they are asked for.

    Args:
        root: what every name begins with.

    Attributes:
        tape: the nodes of the graph that is being written down, which is a branch while that is.
    """

    def __init__(self, root: str = ROOT) -> None:
        self.tape = Tape()
        self._root = root
        self._constants: list[dict[tuple[str, tuple[int, ...], bytes], ir.Value]] = [{}]
        self._constants_made = 0
        self._sections = [root]
        self._scopes: list[dict[_Key, ir.Value]] = [{}]
        self._values = 0
        self._used: Counter[str] = Counter()

    @property
    def constants(self) -> list[ir.Value]:
        """The constants of the graph that is being written down. Equal ones are one."""
        return list(self._constants[-1].values())

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Name the nodes of the body after a part of the preparation."""
        self._sections.append(name)
        yield
        self._sections.pop()

    def node(self, operator: str, inputs: Sequence[ir.Value], attributes: dict[str, Any]) -> ir.Value:
        """Write down a node of one output, and return that; a node that is there already is not written again."""
        key = (operator, tuple(inputs), repr(sorted(attributes.items())))
        known = next((scope[key] for scope in self._scopes if key in scope), None)
        if known is not None:
            return known
        made = self.node_of_many(operator, inputs, attributes, 1)[0]
        self._scopes[-1][key] = made
        return made

    def node_of_many(
        self, operator: str, inputs: Sequence[ir.Value], attributes: dict[str, Any], outputs: int
    ) -> Sequence[ir.Value]:
        """Write down a node, and return its outputs."""
        name = self._free_name(operator)
        made = [ir.Value(name=self._value_name()) for _ in range(outputs)]
        return self.tape.op_multi_out(operator, inputs, attributes, outputs=made, name=name)

    def constant(self, array: NDArray[Any]) -> ir.Value:
        """Return the constant of these numbers.

        Each graph has its own: a node in a branch that runs by ONNX Runtime's WebGPU plugin (0.4.0) does not get one
        of the graph around it that a node on the CPU reads too (tests/providers/constant_in_branch.py).
        """
        key = (array.dtype.name, array.shape, array.tobytes())
        known = self._constants[-1]
        if key not in known:
            name = f"{self._root}/constant_{self._constants_made}"
            self._constants_made += 1
            tensor = ir.tensor(np.ascontiguousarray(array).reshape(array.shape), name=name)
            known[key] = ir.val(name, const_value=tensor)
        return known[key]

    def body(
        self,
        name: str,
        inputs: Sequence[ir.DataType],
        write: Callable[[Sequence[ir.Value]], Sequence[tuple[ir.Value, ir.DataType]]],
    ) -> ir.Graph:
        """Write nodes down as a graph of their own, which may read what lies around it.

        Args:
            name: the section of its nodes.
            inputs: types of what it is given.
            write: takes the inputs, returns the values that leave the graph, and their types.
        """
        around, self.tape = self.tape, Tape()
        self._scopes.append({})
        self._constants.append({})
        given = [ir.Value(name=self._value_name(), type=ir.TensorType(dtype)) for dtype in inputs]
        outputs: list[ir.Value] = []
        with self.section(name):
            for value, dtype in write(given):
                # Only what was made inside can leave the graph itself, and only once.
                own = value.producer() in self.tape.nodes and value not in outputs
                outputs.append(value if own else self.node_of_many("Identity", [value], {}, 1)[0])
                outputs[-1].type = ir.TensorType(dtype)
        graph = ir.Graph(
            given,
            outputs,
            nodes=self.tape.nodes,
            initializers=self.constants,
            name="/".join([*self._sections, name]),
        )
        self.tape = around
        self._scopes.pop()
        self._constants.pop()
        return graph

    def _value_name(self) -> str:
        self._values += 1
        return f"{self._root}/{self._values - 1}"

    def _free_name(self, operator: str) -> str:
        path = "/".join([*self._sections, operator])
        number = self._used[path]
        self._used[path] += 1
        return f"{path}_{number}" if number else path
