"""When Keras' own answers to labelled images are called no better than chance. No framework is loaded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.steps.keras_answers import say_if_at_chance
from tests.training.conftest import Listener


@pytest.mark.parametrize(
    ("right", "count", "classes", "told"),
    [(20, 40, 2, True), (1, 10, 10, True), (2, 4, 2, True), (40, 40, 2, False), (2, 2, 2, False), (3, 4, 2, False)],
)
def test_a_few_images_of_which_most_are_right_are_not_called_chance(
    right: int, count: int, classes: int, told: bool
) -> None:
    labels = np.zeros(count, np.int64)
    answers = np.eye(classes)[[0] * right + [1] * (count - right)]
    images = np.arange(count)
    reference: Any = SimpleNamespace(is_classifier=True, classes=classes, predict=lambda chosen: answers[chosen])
    compared: Any = SimpleNamespace(labels=labels, count=count, images=images)
    words = Listener()
    say_if_at_chance(reference, compared, words)
    assert bool(words.said) == told
