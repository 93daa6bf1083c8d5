from __future__ import annotations

import keras
import numpy as np
import pytest

from edgeconv.config import RECIPES as NAMES
from edgeconv.config import TrainConfig
from edgeconv.training.recipes import RECIPES, Crossentropy, OneCycle, make_optimizer, recipe_of

pytestmark = pytest.mark.train


def test_every_recipe_that_can_be_named_exists() -> None:
    assert set(RECIPES) == set(NAMES)
    assert all(recipe.name == name for name, recipe in RECIPES.items())


def test_book_is_what_keras_means_by_rmsprop() -> None:
    recipe = recipe_of(TrainConfig(recipe="book"))
    assert recipe.batch_size == 64
    ours, theirs = (o.get_config() for o in (make_optimizer(recipe, 10), keras.optimizers.get("rmsprop")))
    rate = pytest.approx(theirs["learning_rate"])
    assert {**ours, "name": ""} == {**theirs, "name": "", "learning_rate": rate}


def test_options_win_over_the_recipe() -> None:
    recipe = recipe_of(TrainConfig(batch_size=7, learning_rate=0.5))
    assert (recipe.batch_size, recipe.learning_rate) == (7, 0.5)
    assert recipe_of(TrainConfig()) == RECIPES["onecycle"]


def test_one_cycle_rises_to_its_peak_and_falls_to_zero() -> None:
    rate = OneCycle(0.1, steps=1000, warm_up=0.25)
    rates = [float(rate(step)) for step in range(1001)]
    assert rates[0] == pytest.approx(0.1 * OneCycle.START)
    assert rates[125] == pytest.approx(0.1 * (1 + OneCycle.START) / 2)
    assert rates[250] == max(rates) == pytest.approx(0.1)
    assert rates[625] == pytest.approx(0.1 / 2)
    assert rates[:251] == sorted(rates[:251])
    assert rates[250:] == sorted(rates[250:], reverse=True)
    assert 0 < rates[999] < 1e-6
    assert rates[1000] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_a_few_steps_stays_positive(steps: int) -> None:
    rate = OneCycle(0.1, steps=steps, warm_up=0.25)
    assert all(0 < float(rate(step)) <= 0.1 for step in range(steps))


def test_onecycle_survives_being_saved_with_a_model() -> None:
    optimizer = make_optimizer(RECIPES["onecycle"], 50)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert again.weight_decay == RECIPES["onecycle"].weight_decay


def test_loss_of_indices_is_that_of_one_hot_labels() -> None:
    labels = np.array([2, 0, 1])
    probabilities = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.3, 0.3, 0.4]], "float32")
    for smoothing in (0.0, 0.1):
        theirs = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)(np.eye(3)[labels], probabilities)
        assert float(Crossentropy(smoothing)(labels, probabilities)) == pytest.approx(float(theirs), rel=1e-6)
    assert float(Crossentropy(0.0)(labels, probabilities)) == pytest.approx(-np.log([0.7, 0.5, 0.3]).mean(), rel=1e-5)


def test_loss_survives_being_saved_with_a_model() -> None:
    again = keras.losses.deserialize(keras.losses.serialize(Crossentropy(0.1)))
    assert isinstance(again, Crossentropy)
    assert again.label_smoothing == 0.1


def test_the_book_smooths_no_labels() -> None:
    assert RECIPES["book"].as_dict()["label_smoothing"] == 0.0
