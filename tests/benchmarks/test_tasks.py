"""The networks of the table of tasks: each builds and answers, and its figures are those of the page."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.tasks import __main__ as tasks
from tests.benchmarks.tasks import everywhere
from tests.benchmarks.tasks.nets import autoencoder, detector, tagger, unet
from tests.benchmarks.tasks.network import Samples, accuracy
from tests.benchmarks.tasks.networks import NETWORKS
from tests.benchmarks.tasks.table import render
from tests.pages import BENCHMARKS, read_between

FEWEST, MOST = 50_000, 500_000
"""Weights of networks that small devices run."""


@pytest.mark.parametrize(("module", "name"), [(tasks, "tasks"), (everywhere, "everywhere")])
def test_the_tables_are_those_of_the_figures(module: Any, name: str) -> None:
    figures = json.loads(module.FILE.read_text(encoding="utf-8"))
    draw = render if module is tasks else everywhere.render
    assert read_between(BENCHMARKS, name) == draw(figures)


def test_a_figure_that_misses_its_target_is_bold() -> None:
    figures = {
        "metric": "mean IoU",
        "parameters": 1000,
        "settings": "minmax",
        "scores": {"keras": 0.9, "fp32": 0.9, "plain int8": 0.4, "int8": 0.895, "equalization": 0.88},
        "bytes": {"fp32": 1000, "int8": 360},
        "times": {"fp32_us": 100.0, "int8_us": 90.0, "ratio": 0.9},
    }
    _, _, row, _, steps = render({"unet": figures}).splitlines()
    assert row.endswith("| 90.00 | 90.00 | 40.00 | 89.50 | **0.56 %** | 1 → 0 | **0.36** | 100 → 90 | 0.90 |")
    assert "each step alone: equalization 88.00. Shipped: minmax." in steps


@pytest.mark.train
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_builds_and_answers(name: str) -> None:
    """Loads TensorFlow."""
    keras = pytest.importorskip("keras", reason="needs the extra `train`")
    model = NETWORKS[name].build()
    assert FEWEST < model.count_params() < MOST
    given = np.random.default_rng(0).uniform(0, 1, (2, *model.input_shape[1:])).astype(np.float32)
    answers = keras.tree.flatten(model(given))
    assert all(len(answer) == 2 and np.isfinite(np.asarray(answer)).all() for answer in answers)


def test_right_answers_score_1_and_wrong_ones_less() -> None:
    masks = np.array([[[0, 1], [2, 3]]])
    eye = np.eye(4, dtype=np.float32)
    samples = Samples(masks, masks)
    assert unet.mean_iou({"mask": eye[masks]}, samples) == 1.0
    assert unet.mean_iou({"mask": eye[[[[0, 1], [2, 2]]]]}, samples) == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    tags = np.eye(10, dtype=np.float32)
    assert tagger.macro_f1({"tags": tags}, Samples(tags, tags)) == 1.0
    assert tagger.macro_f1({"tags": np.maximum(tags, tags[0])}, Samples(tags, tags)) == pytest.approx((9 + 2 / 11) / 10)
    assert accuracy({"scores": eye}, Samples(eye, np.array([0, 1, 2, 2]))) == 0.75


def test_boxes_are_scored_by_how_far_they_overlap() -> None:
    right = np.array([[[0, 0, 10, 10, 1, 0]]], np.float32)
    answers = {"boxes": right[..., :4], "scores": np.full((1, 1), 0.9, np.float32), "classes": np.zeros((1, 1))}
    assert detector.average_precision(answers, Samples(right, right)) == 1.0
    # 77 % of the area: found at six of the ten overlaps.
    moved = {**answers, "boxes": right[..., :4] * np.float32([1, 1, 1, 0.77])}
    assert detector.average_precision(moved, Samples(right, right)) == pytest.approx(0.6)


def test_what_an_autoencoder_cannot_rebuild_ranks_first() -> None:
    frames, damaged = np.zeros((4, 2), np.float32), np.array([0.0, 0.0, 1.0, 1.0])
    rebuilt = np.float32([[0.1, 0.1], [0.4, 0.4], [0.35, 0.35], [0.8, 0.8]])
    assert autoencoder.auc_of_error({"rebuilt": rebuilt}, Samples(frames, damaged)) == 0.75
