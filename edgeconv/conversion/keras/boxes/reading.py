"""Which outputs of a detector hold boxes, scores and classes: read from their shapes, stated, or asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from edgeconv.boxes import BoxStatement
from edgeconv.conversion.keras.boxes.layout import BOXES, CLASSES, SCORES, BoxLayout, Columns
from edgeconv.conversion.keras.boxes.scores import found_activation, found_background
from edgeconv.conversion.keras.head import Head
from edgeconv.conversion.keras.interface import Interface
from edgeconv.conversion.keras.ports import IMAGE, Port, is_picture, named
from edgeconv.conversion.keras.structure import leaves
from edgeconv.errors import ConfigError

OWN = "own_"
"""Begins the names of a detector's own outputs, which are decoded behind them."""


def read_box_head(
    path: Path, interface: Interface, statement: BoxStatement, labels: int | None
) -> tuple[Interface, Head, BoxLayout]:
    """Find boxes and scores in the outputs of a detector.

    Args:
        path: what the errors call the model.
        interface: of the model.
        statement: what its user says.
        labels: number of the classes, where they have names.

    Returns:
        The interface, its names free for the outputs of the file; the head; and where its outputs hold what.

    Raises:
        ConfigError: the shapes do not tell what is not stated, or contradict what is.
    """
    layout = _Outputs(path, interface, statement, labels).layout()
    ports = [
        replace(port, name=OWN + port.name) if port.name in layout.own_outputs else port for port in interface.outputs
    ]
    outputs = named(ports, taken=(IMAGE, BOXES, SCORES, CLASSES))
    names = {before.name: after.name for before, after in zip(interface.outputs, outputs, strict=True)}
    parts = {
        part: replace(columns, output=names[columns.output])
        for part in ("boxes", "scores", "classes", "objectness")
        if (columns := getattr(layout, part)) is not None
    }
    inputs = (replace(interface.inputs[0], name=IMAGE),)
    head = Head("boxes", f"as stated: {layout.found}")
    return replace(interface, inputs=inputs, outputs=outputs), head, replace(layout, **parts)


class _Outputs:
    """The outputs of a detector, and what is said of them."""

    def __init__(self, path: Path, interface: Interface, statement: BoxStatement, labels: int | None) -> None:
        self._path = path
        self._interface = interface
        self._stated = statement
        self._labels = labels
        self._ports = interface.outputs
        self._tensors = [tensor for _, tensor in leaves(interface.answers)]

    def layout(self) -> BoxLayout:
        if not is_picture(self._interface.inputs):
            inputs = ", ".join(port.name for port in self._interface.inputs)
            raise ConfigError(
                f"The task boxes requires a model that takes one picture. Received: `{self._path}` of the inputs "
                f"{inputs}. Leave `--task boxes` out."
            )
        if self._stated.format is None:
            self._ask("the format of the boxes", "format=xyxy")
        boxes = self._boxes()
        if len(boxes.shape) != 2:
            self._ask("which output holds the boxes", f"boxes={self._ports[0].name}")
        axis = self._axis(boxes)
        together = boxes.shape[axis - 1] != 4
        return self._together(boxes, axis) if together else self._apart(boxes, axis)

    def _port(self, role: str) -> Port | None:
        """Return the output that is stated for a role, by its name or its place."""
        wanted = getattr(self._stated, role)
        if wanted is None:
            return None
        by_place = {str(place): port for place, port in enumerate(self._ports)}
        found = {**by_place, **{port.name: port for port in self._ports}}.get(wanted)
        if found is None:
            raise ConfigError(
                f"`boxes` must name outputs of `{self._path}`, {self._listed()}. Received: {role}={wanted}. Name one "
                f"of these, or its place from 0 to {len(self._ports) - 1}."
            )
        return found

    def _boxes(self) -> Port:
        """Return the output of the boxes: the stated one, the only one, or the only one of four columns."""
        fours = [port for port in self._ports if len(port.shape) == 2 and port.shape[(self._stated.axis or 2) - 1] == 4]
        stated = [port for port in (self._port(role) for role in ("scores", "classes", "objectness")) if port]
        possible = [port for port in fours if port not in stated]
        only = self._ports if len(self._ports) == 1 else possible
        found = self._port("boxes") or (only[0] if len(only) == 1 else None)
        if found is None:
            self._ask("which output holds the boxes", f"boxes={(possible or self._ports)[0].name}")
        return found

    def _axis(self, boxes: Port) -> int:
        """Return the axis of the columns, 1 or 2: what is stated, or the one that the number of classes fits."""
        if self._stated.axis is not None:
            return self._stated.axis
        if self._labels is not None and 4 not in boxes.shape:
            fitting = [axis for axis in (1, 2) if boxes.shape[axis - 1] in {4 + self._labels, 5 + self._labels, 6}]
            return fitting[0] if len(fitting) == 1 else 2
        rows, columns = boxes.shape
        if rows is not None and columns is not None and 4 < rows < columns:
            self._ask("whether each box is a row or a column", "axis=1")
        return 2

    def _apart(self, boxes: Port, axis: int) -> BoxLayout:
        """Read outputs of their own for boxes and scores."""
        rows = boxes.shape[2 - axis]
        classes, objectness = self._port("classes"), self._port("objectness")
        used = {port.name for port in (boxes, classes, objectness) if port is not None}
        possible = [
            port
            for port in self._ports
            if port.name not in used and port.dtype.startswith("float") and _rows(port, axis) in {rows, None}
        ]
        scores = self._port("scores") or (possible[0] if len(possible) == 1 else None)
        if scores is None:
            self._ask("which output holds the scores", f"scores={(possible or self._ports)[-1].name}")
        if _rows(scores, axis) not in {rows, None}:
            self._refuse(f"scores={scores.name} of another number of boxes than {boxes.name}")
        single = len(scores.shape) == 1
        others = [port for port in self._ports if port.name not in used | {scores.name} and len(port.shape) == 1]
        if single and classes is None and any(_rows(port, axis) == rows for port in others):
            self._ask("which output holds the classes", f"scores={scores.name},classes={others[0].name}")
        if classes is not None and not single:
            self._refuse(f"classes={classes.name} beside scores={scores.name}, which has a column for each class")
        columns = 1 if single else int(scores.shape[axis - 1] or 0)
        parts = {
            "classes": None if classes is None else Columns(classes.name),
            "objectness": None if objectness is None else Columns(objectness.name),
        }
        found = f"{_shown(boxes)} and {_shown(scores)}"
        return self._layout(
            Columns(boxes.name), Columns(scores.name), columns, axis, rows, found, self._of(scores), parts
        )

    def _together(self, port: Port, axis: int) -> BoxLayout:
        """Read one output that holds all."""
        width = int(port.shape[axis - 1] or 0)
        form = self._stated.columns
        if form is None:
            counts = {"box-scores": width - 4, "box-objectness-scores": width - 5}
            fitting = [name for name, count in counts.items() if count == self._labels and width != 6]
            if len(fitting) != 1:
                self._ask(f"what the {width} columns of `{port.name}` hold", "columns=box-scores")
            form = fitting[0]
        begin = {"box-scores": 4, "box-objectness-scores": 5, "box-score-class": 4}[form]
        end = 5 if form == "box-score-class" else width
        if width <= begin or (form == "box-score-class" and width != 6):
            self._refuse(f"columns={form} of `{port.name}`, which has {width}")
        parts = {
            "classes": Columns(port.name, 5, 6) if form == "box-score-class" else None,
            "objectness": Columns(port.name, 4, 5) if form == "box-objectness-scores" else None,
        }
        boxes, scores = Columns(port.name, 0, 4), Columns(port.name, begin, end)
        found = f"{_shown(port)}, {form}"
        return self._layout(boxes, scores, end - begin, axis, port.shape[2 - axis], found, self._of(port), parts)

    def _layout(
        self,
        boxes: Columns,
        scores: Columns,
        columns: int,
        axis: int,
        rows: int | None,
        found: str,
        tensor: Any,
        parts: dict[str, Columns | None],
    ) -> BoxLayout:
        activation, pending = found_activation(tensor, self._stated.activation)
        if activation is None:
            self._ask("whether the scores are probabilities", "activation=sigmoid (softmax, or none where they are)")
        background = None
        if activation == "softmax":
            background = found_background(self._stated.background, columns, self._labels)
            if background is None:
                self._ask("which score behind the softmax is the background's", "background=first (last, or none)")
        background = None if background == "none" else background
        count = columns - (background is not None)
        if parts["classes"] is not None:
            if self._labels is None:
                raise ConfigError(
                    f"`classes` of `{self._path}` are numbers of classes. Received: no names of them. Name them, in "
                    "the order of the numbers, with `--labels`."
                )
            count = self._labels
        shown = f"{found}, {self._stated.format}, {count} classes"
        done = f", {pending} in the file" if pending else ""
        return BoxLayout(
            statement=self._stated,
            boxes=boxes,
            scores=scores,
            classes=parts["classes"],
            objectness=parts["objectness"],
            axis=axis,
            pending=pending,
            background=background,
            count=count,
            rows=rows,
            found=shown + done,
        )

    def _of(self, port: Port) -> Any:
        return self._tensors[self._ports.index(port)]

    def _listed(self) -> str:
        return ", ".join(map(_shown, self._ports))

    def _ask(self, what: str, example: str) -> NoReturn:
        raise ConfigError(
            f"Cannot tell {what} of `{self._path}`. Received: the outputs {self._listed()}. State it with `--boxes`, "
            f"as in `--boxes {example}`."
        )

    def _refuse(self, received: str) -> NoReturn:
        raise ConfigError(
            f"`boxes` must fit the outputs of `{self._path}`, {self._listed()}. Received: {received}. Look at what the "
            "outputs hold."
        )


def _shown(port: Port) -> str:
    return f"`{port.name}` ({', '.join(map(str, replace(port, names=('boxes', 'columns')).axes))})"


def _rows(port: Port, axis: int) -> int | None:
    """Return the number of boxes of an output; -1 where it has no such axis."""
    if len(port.shape) == 1:
        return port.shape[0]
    return port.shape[2 - axis] if len(port.shape) == 2 else -1
