"""What a TensorFlow graph makes of pixels and indices, and its last activation, through calls and identities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

from edgeconv.conversion.keras.graph_reading import ServedGraph  # noqa: E402
from edgeconv.scaling_layers import Scaling  # noqa: E402

PIXELS = np.array([[0.0], [255.0]])


def read(function: Callable[[Any], Any], *shape: int | None, dtype: str = "float32") -> ServedGraph:
    inner = tf.function(function, autograph=False)
    outer = tf.function(lambda x: tf.nest.map_structure(tf.identity, inner(x)), autograph=False)
    return ServedGraph.of(outer.get_concrete_function(tf.TensorSpec((None, *shape), dtype)))


def made_of_pixels(function: Callable[[Any], Any]) -> list[Scaling]:
    return read(lambda x: tf.nn.conv2d(function(x), tf.ones((2, 2, 3, 1)), 1, "SAME"), 8, 8, 3).scalings(
        Scaling((), PIXELS, PIXELS)
    )


@pytest.mark.parametrize(
    ("end", "name"),
    [
        (tf.nn.softmax, "softmax"),
        (tf.sigmoid, "sigmoid"),
        (lambda x: tf.nn.bias_add(x, [1.0, 2.0, 3.0]), "linear"),
        (tf.nn.relu, None),
        (lambda x: (tf.nn.softmax(x), x), None),
    ],
    ids=["softmax", "sigmoid", "linear", "relu", "two outputs"],
)
def test_the_last_activation_is_found_in_called_functions(end: Callable[[Any], Any], name: str | None) -> None:
    found = read(lambda x: end(2.0 * x), 3).activation
    assert getattr(found, "__name__", None) == name


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        (lambda x: x / 127.5 - 1.0, -1.0, 1.0),
        (lambda x: tf.pad(tf.image.resize(x, (4, 4)), [[0, 0], [1, 1], [1, 1], [0, 0]]) * (1 / 255), 0.0, 1.0),
        (lambda x: 1.0 - x / 255.0, 1.0, 0.0),
        (lambda x: tf.nn.bias_add(x[..., ::-1], [-100.0, -100.0, -100.0]), -100.0, 155.0),
        (lambda x: x, 0.0, 255.0),
    ],
    ids=["both", "moved", "inverted", "mean", "nothing"],
)
def test_pixels_are_followed_to_the_first_operator_that_computes(
    scale: Callable[[Any], Any], low: float, high: float
) -> None:
    (scaling,) = made_of_pixels(scale)
    np.testing.assert_allclose(scaling.values[0], low, atol=1e-6)
    np.testing.assert_allclose(scaling.values[1], high, atol=1e-4)


def test_constants_count_that_the_function_brings_along_and_variables_do_not() -> None:
    mean, learnt = tf.constant([50.0, 50.0, 50.0]), tf.Variable([2.0, 2.0, 2.0])
    (scaling,) = made_of_pixels(lambda x: (x - mean) * learnt)
    assert scaling.values.tolist() == [[-50.0] * 3, [205.0] * 3]
    assert (scaling.layers, scaling.before) == (("sub",), "mul")


def test_an_input_that_is_added_to_what_is_made_of_it_is_not_scaled() -> None:
    scalings = made_of_pixels(lambda x: x / 255.0 + tf.nn.relu(x))
    assert sorted(scaling.values.max() for scaling in scalings) == [1.0, 255.0]


def test_a_graph_that_does_not_run_alone_is_followed_no_further() -> None:
    """Pixels are shown at a size that cutting leaves something of; what a generator keeps is not there to be shown."""
    cut = read(lambda x: tf.nn.relu(x[:, 2:-2, 2:-2] / 255.0), None, None, 3)
    (scaling,) = cut.scalings(Scaling((), PIXELS, PIXELS))
    assert scaling.values.max() == 1.0
    state = tf.Variable([1.0, 2.0, 3.0])
    (scaling,) = read(lambda x: tf.reshape(x, tf.cast(state, tf.int32)[:1]) * x, 8, 8, 3).scalings(
        Scaling((), PIXELS, PIXELS)
    )
    assert scaling.values.max() == 255.0


def test_the_smallest_table_is_found() -> None:
    tables = [tf.Variable(tf.ones((rows, 4))) for rows in (9, 7)]
    scale = tf.Variable(2.0)  # Has no rows at all.
    graph = read(lambda x: scale * tf.gather(tables[0], x) + tf.gather(tables[1], x), 5, dtype="int32")
    assert graph.smallest_table == 7
