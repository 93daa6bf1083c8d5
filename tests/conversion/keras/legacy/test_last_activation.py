"""The head of a model that Keras 2 itself runs is read as that of any other."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.train
tf_keras = pytest.importorskip("tf_keras", reason="needs the extra `legacy`")

from edgeconv.conversion.keras.head import activation_of  # noqa: E402
from edgeconv.conversion.keras.legacy.tf_keras import as_keras3  # noqa: E402

layers = tf_keras.layers


@pytest.mark.parametrize(
    ("ends", "name"),
    [
        ([layers.Dense(3, activation="softmax")], "softmax"),
        ([layers.Dense(3), layers.Softmax()], "softmax"),
        ([layers.Dense(1, activation="sigmoid")], "sigmoid"),
        ([layers.Dense(3)], "linear"),
        ([layers.Dense(3, activation="softmax"), layers.Dropout(0.1), layers.Activation("linear")], "softmax"),
        ([tf_keras.Sequential([layers.InputLayer((4,)), layers.Dense(3, activation="sigmoid")])], "sigmoid"),
    ],
)
def test_the_last_activation_is_known(ends: list[Any], name: str) -> None:
    model = as_keras3(tf_keras.Sequential([layers.InputLayer((4,)), *ends]))
    (tensor,) = model.outputs
    last = activation_of(tensor)
    assert (last.name, last.layer.partition("_")[0]) == (name, "softmax" if len(ends) == 2 else "dense")
