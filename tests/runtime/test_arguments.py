"""Arguments that nothing can be made of are refused by errors of ours, with advice that works."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import ConfigError, ImageError, InferenceError, InputError
from edgeconv.pictures.reading import read_picture
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from edgeconv.session_options import MOST_THREADS

GREY = (np.arange(144).reshape(12, 12) % 256).astype(np.uint8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": "4"}, r"`threads` must be at least 1 and at most 256\. Received: '4'"),
        ({"threads": 5000}, r"at most 256\. Received: 5000"),
        ({"threads": 1.5}, r"at most 256\. Received: 1\.5"),
        ({"device": "tpu"}, r"`device` must be one of auto, cpu, gpu, cuda, .* with :ID .*\. Received: 'tpu'"),
        ({"device": "cpu:1"}, r"`device` must be one of auto, cpu, gpu, .*\. Received: 'cpu:1'"),
        ({"device": 1}, r"`device` must be one of auto, .*\. Received: 1\. Leave"),
        ({"top_k": "3"}, r"`top_k` must be at least 1\. Received: '3'"),
        ({"threshold": "0.5"}, r"`threshold` must be 0 to 1\. Received: '0\.5'"),
        ({"threshold": float("nan")}, r"`threshold` must be 0 to 1\. Received: nan"),
    ],
)
def test_options(tiny: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Predictor(tiny, **options)
    if "threads" in options:
        with pytest.raises(ConfigError, match=message):
            Runner(tiny, **options)
    assert MOST_THREADS == 256


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_an_array(tiny: Path) -> None:
    assert Predictor(tiny).predict(np.asmatrix(GREY)) == Predictor(tiny).predict(GREY)
    with pytest.raises(InputError, match=r"`image` must be uint8 \(batch, 12, 12, 3\)\. Received: uint8 \(12, 12\)"):
        Runner(tiny).run({"image": np.asmatrix(GREY)})


def test_what_is_masked_is_not_shown(tiny: Path) -> None:
    masked = np.ma.masked_greater(GREY, 100)
    with pytest.raises(ImageError, match=r"Received: a masked array\. Fill it with `x\.filled\(0\)`"):
        Predictor(tiny).predict(masked)
    images = np.ma.masked_greater(np.zeros((1, 12, 12, 3), np.uint8), 100)
    with pytest.raises(ImageError, match="Received: a masked array"):
        Predictor(tiny).predict_prepared(images)
    with pytest.raises(InputError, match="Received: a masked array"):
        Runner(tiny).run({"image": images})
    assert read_picture(masked.filled(0)).max() == 100


@pytest.mark.parametrize(
    ("made", "advice"),
    [
        (lambda x: x / np.float32(255), "(x * 255).round().astype(np.uint8)"),
        (lambda x: x.astype(np.float64), "x.round().astype(np.uint8)"),
        (lambda x: x.astype(np.int64), "x.astype(np.uint8)"),
        (lambda x: x > 100, "x.astype(np.uint8) * 255"),
    ],
)
def test_advice_keeps_the_picture(tiny: Path, made: Callable[[Any], Any], advice: str) -> None:
    x = made(GREY)
    with pytest.raises(ImageError, match="A picture must be uint8") as raised:
        read_picture(x)
    assert f"Give raw pixels 0-255 with `{advice}`." in str(raised.value)
    kept = eval(advice, {"np": np, "x": x})
    np.testing.assert_array_equal(kept, np.where(GREY > 100, 255, 0) if x.dtype == np.bool_ else GREY)
    with pytest.raises(InputError, match="`image` must be uint8") as raised:
        Predictor(tiny).predict_prepared(np.repeat(x[None, ..., None], 3, axis=-1))
    assert f"Give raw pixels 0-255 with `{advice}`." in str(raised.value)
    with pytest.raises(InputError, match="`image` must be uint8") as raised:
        Runner(tiny).run({"image": np.repeat(x[None, ..., None], 3, axis=-1)})
    assert f"Give raw pixels 0-255 with `{advice}`." in str(raised.value)


def test_a_predictor_goes_to_processes_by_its_path(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts a process."""
    monkeypatch.chdir(tiny.parent)
    model = Predictor(tiny.name, variant="fp32", threads=2, top_k=2)
    monkeypatch.chdir(tiny)
    again = pickle.loads(pickle.dumps(model))
    assert (again.variant, again.threads, again.top_k) == ("fp32", 2, 2)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(model.predict, [GREY]) == [model.predict(GREY)]
    model.close()
    with pytest.raises(InferenceError, match="A predictor that is open is required"):
        pickle.dumps(model)
