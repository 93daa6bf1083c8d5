from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from edgeconv.config import ExportConfig, TrainConfig, artifact_folder
from edgeconv.errors import ConfigError


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("arch", "resnet", "`arch` must be one of convnet"),
        ("recipe", "sgd", "`recipe` must be one of onecycle, book"),
        ("padding", "reflect", "`padding` must be one of valid, same"),
        ("device", "tpu", "`device` must be one of auto, cpu, gpu"),
        ("depth", 0, "`depth` must be a whole number from 1"),
        ("epochs", 0, "`epochs` must be a whole number from 1"),
        ("epochs", True, "Received: True"),
        ("batch_size", 0, "`batch_size` must be"),
        ("seed", -1, "`seed` must be"),
        ("dropout", 1.0, "`dropout` must be at least 0 and below 1"),
        ("learning_rate", 0.0, "`learning_rate` must be above 0"),
        ("learning_rate", float("nan"), "`learning_rate` must be above 0"),
        ("freeze_base", True, "`freeze_base` requires a model"),
        ("input_range", "1:1", "`input_range` must be LOW:HIGH, .* or one of caffe, torch, tf. Received: '1:1'"),
    ],
)
def test_train_options_are_checked(option: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**{option: value})


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("calibration_size", 0, "`calibration_size` must be"),
        ("max_drop", -0.1, "`max_drop` must be 0 to 100"),
        ("max_drop", float("nan"), "`max_drop` must be 0 to 100"),
        ("input_range", "pixels", "`input_range` must be LOW:HIGH"),
    ],
)
def test_export_options_are_checked(option: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExportConfig(**{option: value})


def test_export_options_come_back_from_json() -> None:
    config = ExportConfig(labels=("a", "b"), custom_objects=("m:C",), input_range="0:1", max_memory_gb=2.0)
    assert ExportConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


def test_configs_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        TrainConfig().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "out", "expected"),
    [
        (None, None, "exported/mnist"),
        ("digits", None, "exported/digits"),
        (None, "models/a", "models/a"),
        ("digits", "models", "models/digits"),
    ],
)
def test_name_and_out_choose_the_folder(name: str | None, out: str | None, expected: str) -> None:
    assert artifact_folder(name, out, "mnist") == Path(expected)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", "."])
def test_a_name_stays_in_its_folder(name: str) -> None:
    with pytest.raises(ConfigError, match="without slashes"):
        artifact_folder(name, None, "mnist")
