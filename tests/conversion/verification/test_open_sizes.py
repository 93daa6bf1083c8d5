"""Models with open axes that answer to some sizes only: each is saved, loaded and called, a second or two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.conversion.verification.sample_inputs import draw_sample_inputs  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402

layers = keras.layers


@keras.saving.register_keras_serializable("tests")
class Positions(layers.Layer):  # type: ignore[misc]
    """Adds a row of its own to each of 12 steps."""

    def build(self, shape: Any) -> None:
        self.rows = self.add_weight(shape=(12, shape[-1]))

    def call(self, x: Any) -> Any:
        return x + self.rows


def _network(shape: tuple[int | None, ...], *steps: Any) -> Any:
    given = answer = keras.Input(shape)
    for step in steps:
        answer = step(answer)
    return keras.Model(given, answer)


def _pictures(*steps: Any) -> Any:
    return _network((None, None, 3), layers.Rescaling(1 / 255.0), *steps)


def _nested_sequential() -> Any:
    inner = [keras.Input((96, 80, 3)), layers.Conv2D(4, 3, strides=8), layers.Flatten(), layers.Dense(3, "softmax")]
    return _pictures(keras.Sequential(inner))


def _nested_functional() -> Any:
    pooled = layers.GlobalAveragePooling2D()
    return _pictures(_network((96, 80, 3), layers.Conv2D(4, 3, strides=8), pooled, layers.Dense(3, "softmax")))


def _sequences(*steps: Any) -> Any:
    return _network((None, 4), *steps)


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (_nested_sequential, (96, 80)),
        (_nested_functional, (96, 80)),
        (lambda: _pictures(layers.AveragePooling2D(2), layers.Reshape((75,)), layers.Dense(3, "softmax")), (10, 10)),
        (lambda: _sequences(layers.Conv1D(4, 3, padding="same"), layers.Cropping1D(5000)), (16384,)),
        (lambda: _sequences(layers.Dense(3), lambda steps: steps[:, 1000:]), (1024,)),
        (lambda: _sequences(layers.Reshape((400,)), layers.Dense(3)), (100,)),
        (lambda: _sequences(Positions(), layers.Dense(3)), (12,)),
        (lambda: _sequences(layers.Dense(3)), (8,)),
    ],
    ids=["sequential", "functional", "count-2d", "crop", "slice", "count-1d", "positions", "any"],
)
def test_a_size_that_the_network_answers_to(make: Callable[[], Any], sizes: tuple[int, ...], tmp_path: Path) -> None:
    make().save(tmp_path / "model.keras")
    reference = load_keras(tmp_path / "model.keras", custom_objects=(f"{__name__}:Positions",))
    batches = draw_sample_inputs(reference, seed=0).batches
    (port,) = reference.inputs
    assert None in port.shape
    assert batches[0].feeds[port.name].shape == (3, *sizes, port.shape[-1])
    assert all(array.size for batch in batches for array in batch.expected.values())


def test_a_network_that_no_size_suits_says_what_it_got(tmp_path: Path) -> None:
    _sequences(layers.Conv1D(4, 3, padding="same"), layers.Cropping1D(50_000)).save(tmp_path / "model.keras")
    with pytest.raises(UnsupportedModelError, match=r"`cropping` parameter .* must be smaller than the input length"):
        draw_sample_inputs(load_keras(tmp_path / "model.keras"), seed=0)
