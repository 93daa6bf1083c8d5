"""Samples of any inputs: arrays by name, a lone array, and a function that yields feeds of several sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.conversion.int8.calibration import read_calibration
from edgeconv.conversion.int8.feeds import CalibrationFeeds
from edgeconv.conversion.keras.ports import Port
from edgeconv.errors import ConfigError

TOKENS, FACTS = Port("tokens", "int64", (None,)), Port("facts", "float32", (3,))
RNG = np.random.default_rng(4)


def _read(place: Path | str, *ports: Port, size: int = 100) -> CalibrationFeeds:
    return read_calibration(place, ports, None, size=size, seed=0)


def test_arrays_go_to_the_inputs_of_their_names_and_stay_together(tmp_path: Path) -> None:
    tokens = np.arange(4000).reshape(200, 20)
    np.savez(tmp_path / "x.npz", facts=np.repeat(tokens[:, :1], 3, axis=1).astype(np.float64), tokens=tokens)
    read = _read(tmp_path / "x.npz", TOKENS, FACTS)
    assert (read.count, read.values) == (100, 23)
    assert read.dtypes == {"tokens": "int64", "facts": "float32"}
    for batch in read.batches(30, start=15):
        np.testing.assert_array_equal(batch["tokens"][:, 0], batch["facts"][:, 2])
    assert read.record.sha256 != _read(tmp_path / "x.npz", TOKENS, FACTS, size=99).record.sha256


def test_a_lone_array_is_read_in_blocks(tmp_path: Path) -> None:
    facts = RNG.normal(size=(500, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", facts)
    np.save(tmp_path / "columns.npy", np.asfortranarray(facts))
    for name in ("x.npy", "columns.npy"):
        np.testing.assert_array_equal(_read(tmp_path / name, FACTS, size=500).first(500)["facts"], facts)


def _function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> str:
    name = f"own_{abs(hash((tmp_path, body)))}"
    (tmp_path / f"{name}.py").write_text(f"import numpy as np\n\ndef feeds():\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    return f"{name}:feeds"


def test_a_function_yields_feeds_of_several_lengths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = "for n in (5, 5, 7, 7, 7): yield {'tokens': np.full((4, n), n), 'facts': np.ones((4, 3))}"
    read = _read(_function(monkeypatch, tmp_path, body), TOKENS, FACTS, size=18)
    assert [batch["tokens"].shape for batch in read.batches(6)] == [(6, 5), (2, 5), (6, 7), (4, 7)]
    assert [batch["tokens"].shape for batch in read.batches(50, start=7)] == [(1, 5), (10, 7)]
    assert read.count == 18


def test_a_function_may_yield_bare_arrays_for_the_only_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _read(_function(monkeypatch, tmp_path, "yield np.ones((4, 3))"), FACTS).count == 4


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("yield {'tokens': np.zeros((2, 5))}", r"must hold `facts`, float32 \('batch', 3\)\. Received: nothing among"),
        ("yield {'tokens': np.zeros((2, 5)), 'facts': np.zeros((3, 3))}", r"as many samples, at least 1, for each inp"),
        ("yield {'tokens': np.full((2, 5), 0.5), 'facts': np.zeros((2, 3))}", "which that cannot hold"),
        ("yield 1 / 0", "Received: own_.*:feeds: ZeroDivisionError: division by zero"),
        ("yield from ()", "requires samples. Received: none"),
    ],
)
def test_what_a_function_may_not_yield(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        _read(_function(monkeypatch, tmp_path, body), TOKENS, FACTS)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("no_such_module:feeds", "`calibration` must name a module that Python finds"),
        ("math:no_such", "`calibration` must name a function. Received: 'math:no_such'"),
    ],
)
def test_a_function_that_is_not_there(place: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        _read(place, FACTS)


def test_an_input_without_an_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", tokens=np.zeros((4, 5), np.int64))
    with pytest.raises(ConfigError, match=r"must hold `facts`, float32 .* Received: nothing among tokens"):
        _read(tmp_path / "x.npz", TOKENS, FACTS)
