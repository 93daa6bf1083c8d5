from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType

import keras
import pytest

from tests.layers import cases  # noqa: F401 - registers every case.
from tests.layers.case import CASES
from tests.layers.excuses import EXCUSES, PACKAGES

pytestmark = pytest.mark.train
SUBJECTS = {case.subject for case in CASES.values()}


def public_names(module: ModuleType) -> dict[str, object]:
    return {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}


def names_without_a_case(module: ModuleType, prefix: str = "") -> list[str]:
    """Return the public names of a module that nobody has looked at; an alias is looked at with its object."""
    known = SUBJECTS | set(EXCUSES)
    public = public_names(module)
    seen = [thing for name, thing in public.items() if prefix + name in known]
    return [name for name, thing in public.items() if not any(thing is other for other in seen)]


def test_every_public_layer_has_a_case_or_an_excuse() -> None:
    assert names_without_a_case(keras.layers) == []


def test_every_activation_has_a_case_or_an_excuse() -> None:
    assert names_without_a_case(keras.activations, "activations.") == []


def test_a_layer_that_keras_adds_is_missed() -> None:
    module = ModuleType("layers")
    module.Dense, module.Convolution2D, module.Conv2D = keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2D
    module.Novelty = type("Novelty", (keras.layers.Layer,), {})
    assert names_without_a_case(module) == ["Novelty"]


def test_nothing_has_both_a_case_and_an_excuse() -> None:
    assert sorted(SUBJECTS & set(EXCUSES)) == []


@pytest.mark.parametrize(("name", "package"), PACKAGES.items())
def test_a_layer_of_another_framework_cannot_be_made_without_it(name: str, package: str) -> None:
    if find_spec(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises((ImportError, RuntimeError), match=f"(?i){package}"):
        getattr(keras.layers, name)(object())
