"""The options of a dataset: what they may be, and that they survive JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ConfigError


def test_the_defaults_are_automatic() -> None:
    spec = DatasetSpec()
    assert (spec.dataset, spec.val_split, spec.seed, spec.is_path) == ("auto", 0.2, 0, False)


@pytest.mark.parametrize("name", ["auto", "mnist", "mnist-sample", "fashion-mnist"])
def test_a_known_name_is_no_path(name: str) -> None:
    assert not DatasetSpec(name).is_path
    assert DatasetSpec(f"./{name}").is_path


@pytest.mark.parametrize(
    "spec",
    [
        DatasetSpec(),
        DatasetSpec("fashion-mnist", data_dir="data"),
        DatasetSpec("photos", image_size=(48, 96), val_split=0.5, channels=3, preparation="resize", seed=7),
    ],
)
def test_a_spec_comes_back_from_json(spec: DatasetSpec) -> None:
    assert DatasetSpec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec


def test_options_that_are_left_out_of_a_dict_have_their_defaults() -> None:
    assert DatasetSpec.from_dict({"dataset": "mnist"}) == DatasetSpec("mnist")


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"options of a dataset are dataset, .*Received: colour"):
        DatasetSpec.from_dict({"dataset": "mnist", "colour": True})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": ""}, r"`dataset` must be a name or a path. Received: ''"),
        ({"dataset": 3}, r"`dataset` must be a name or a path. Received: 3"),
        ({"dataset": "mnist", "data_dir": ""}, r"`data_dir` must be the path of a folder. Received: ''"),
        ({"dataset": "photos", "data_dir": "x"}, r"`data_dir` is for auto, mnist and fashion-mnist. Received: 'x'"),
        ({"dataset": "mnist-sample", "data_dir": "x"}, r"`data_dir` is for .* Leave `data_dir` out"),
        ({"image_size": 64}, r"`image_size` must be \(height, width\). Received: 64"),
        ({"image_size": (64, 64, 3)}, r"`image_size` must be \(height, width\). Received: \(64, 64, 3\)"),
        ({"image_size": (0, 64)}, r"`image_size` must be a whole number from 1 to 4096. Received: 0"),
        ({"image_size": (64, 64.0)}, r"`image_size` must be a whole number from 1 to 4096. Received: 64.0"),
        ({"image_size": (64, 5000)}, r"`image_size` must be .* Received: 5000"),
        ({"val_split": 0.0}, r"`val_split` must be above 0 and below 1. Received: 0.0"),
        ({"val_split": 1.0}, r"`val_split` must be above 0 and below 1. Received: 1.0"),
        ({"val_split": float("nan")}, r"`val_split` must be above 0 and below 1. Received: nan"),
        ({"val_split": "0.2"}, r"`val_split` must be above 0 and below 1. Received: '0.2'"),
        ({"channels": 2}, r"`channels` must be 1 \(grey\), 3 \(rgb\) or 4 \(rgba\). Received: 2"),
        ({"preparation": "crop"}, r"`preparation` must be one of auto, digit, resize. Received: 'crop'"),
        ({"preparation": "digit", "channels": 3}, r"`channels` must be 1 with preparation 'digit'. Received: 3"),
        ({"seed": -1}, r"`seed` must be a whole number .* Received: -1"),
        ({"seed": 0.5}, r"`seed` must be a whole number .* Received: 0.5"),
    ],
)
def test_an_impossible_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DatasetSpec(**options)
