import copy
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, field, fields, replace

import pytest

from edgeconv.errors import ManifestError
from edgeconv.reading import read
from edgeconv.record import ABSENT, EMPTY, KEY, Record


class Side(Record):
    """One side."""

    name: str
    size: int = 3


class Shape(Record, kw_only=True):
    """A shape of sides."""

    note: str | None = field(default=None, metadata={ABSENT: True})
    first: Side
    sides: tuple[Side, ...] = ()
    value_range: tuple[float, float] | None = field(metadata={KEY: "range"})
    by_name: Mapping[str, Side] = field(default_factory=dict)
    hidden: Side | None = field(default=None, metadata={EMPTY: True})


SIDE = Side("a")
SHAPE = Shape(first=SIDE, value_range=(0, 0.5), sides=(SIDE, Side("b", 4)), by_name={"c": SIDE})


def test_it_is_a_frozen_dataclass() -> None:
    assert (SIDE, repr(SIDE), hash(SIDE)) == (Side("a", size=3), "Side(name='a', size=3)", hash(Side("a")))
    assert Side("b") not in (SIDE, "b")
    assert replace(SIDE, size=4) == Side("a", 4)
    assert [item.name for item in fields(SIDE)] == ["name", "size"]
    assert asdict(SHAPE)["sides"] == ({"name": "a", "size": 3}, {"name": "b", "size": 4})
    assert copy.deepcopy(SHAPE) == pickle.loads(pickle.dumps(SHAPE)) == SHAPE
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'size'"):
        SIDE.size = 4  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'size'"):
        del SIDE.size


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"Side\(\) lacks \['name'\], and does not expect \[\]"),
        (("a", 1, 2), {}, r"does not expect \[2\]"),
        (("a",), {"name": "b"}, r"does not expect \['name'\]"),
        (("a",), {"colour": 1}, r"does not expect \['colour'\]"),
    ],
)
def test_arguments_are_checked(args: tuple[object, ...], kwargs: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Side(*args, **kwargs)  # type: ignore[arg-type]


def test_fields_by_name_alone_take_no_place() -> None:
    with pytest.raises(TypeError, match="lacks"):
        Shape(SIDE, None)  # type: ignore[call-arg, misc]


def test_it_is_written_in_the_order_of_its_fields_and_read_again() -> None:
    side = {"name": "a", "size": 3}
    value = SHAPE.as_dict()
    assert value == {
        "first": side,
        "sides": [side, {"name": "b", "size": 4}],
        "range": [0, 0.5],
        "by_name": {"c": side},
        "hidden": {},
    }
    assert list(value) == ["first", "sides", "range", "by_name", "hidden"]
    assert read(Shape, value, "shape") == SHAPE
    assert replace(SHAPE, note="n").as_dict()["note"] == "n"
    assert read(Shape, {**value, "hidden": side}, "shape").hidden == SIDE


def test_defaults_stand_for_keys_that_are_absent_and_unknown_keys_are_ignored() -> None:
    assert read(Side, {"name": "a", "colour": "blue"}, "side") == SIDE
    assert SHAPE.by_name is not Shape(first=SIDE, value_range=None).by_name


def test_an_error_at_the_top_has_no_place() -> None:
    with pytest.raises(ManifestError, match=r"^`side` requires an object\. Received: 3\. Export the model again\.$"):
        read(Side, 3, "side")
