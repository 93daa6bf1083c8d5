"""The last activation of a TensorFlow graph, through calls and identities."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

from edgeconv.conversion.keras.graph_head import last_activation  # noqa: E402


@pytest.mark.parametrize(
    ("end", "name"), [(tf.nn.softmax, "softmax"), (tf.sigmoid, "sigmoid"), (tf.nn.relu, None), (tf.identity, None)]
)
def test_the_last_activation_is_found_in_called_functions(end: Any, name: str | None) -> None:
    inner = tf.function(lambda x: tf.identity(end(2.0 * x)), autograph=False)
    outer = tf.function(lambda x: tf.identity(inner(x)), autograph=False)
    found = last_activation(outer.get_concrete_function(tf.TensorSpec((None, 3))))
    assert getattr(found, "__name__", None) == name


def test_several_outputs_have_no_last_activation() -> None:
    both = tf.function(lambda x: (tf.nn.softmax(x), x), autograph=False)
    assert last_activation(both.get_concrete_function(tf.TensorSpec((None, 3)))) is None
