from __future__ import annotations

from collections.abc import Iterator

import onnx
import pytest

from edgeconv.conversion.int8.forms.speed import fastest
from edgeconv.conversion.int8.forms.writing import to_blocked
from edgeconv.errors import ConfigError
from tests.conversion.int8.forms.networks import Network


class Machine:
    """A clock that runs only while models do, for as long as a test says."""

    def __init__(self, **times: Iterator[int]) -> None:
        self.times, self.now, self.order = times, 0, ""

    def start(self, model: onnx.ModelProto) -> object:
        def run(_: object) -> None:
            self.order += model.producer_name
            self.now += next(self.times[model.producer_name])

        return run

    def comparison(self, **options: object) -> object:
        models = {name: onnx.ModelProto(producer_name=name) for name in self.times}
        return fastest(models, {}, start=self.start, clock=lambda: self.now, **{"rounds": 20, "runs": 1, **options})


def always(time: int) -> Iterator[int]:
    while True:
        yield time


def in_turn(*times: int) -> Iterator[int]:
    while True:
        yield from times


def test_the_faster_model_wins() -> None:
    comparison = Machine(a=always(100_000), b=always(80_000)).comparison()
    assert (comparison.winner, comparison.told_apart) == ("b", True)
    assert comparison.times["b"].median_us == pytest.approx(80.0)
    assert list(comparison.times["b"].ratio.as_dict().values()) == [pytest.approx(0.8)] * 3


def test_the_first_model_stays_where_another_gains_too_little() -> None:
    assert Machine(a=always(100_000), b=always(98_000)).comparison().winner == "a"
    assert Machine(a=always(100_000), b=always(98_000)).comparison(least_gain=0.01).winner == "b"


def test_a_gain_within_the_noise_is_not_believed() -> None:
    # Before each run that is timed there is one that is not.
    comparison = Machine(a=always(100_000), b=in_turn(1, 80_000, 1, 98_000)).comparison()
    assert (comparison.winner, comparison.told_apart) == ("a", False)
    assert comparison.times["b"].ratio.low == pytest.approx(0.8)
    assert comparison.times["b"].ratio.high == pytest.approx(0.98)


def test_of_two_that_are_surely_faster_the_faster_one_wins() -> None:
    assert Machine(a=always(100_000), b=always(80_000), c=always(70_000)).comparison().winner == "c"


def test_one_fast_round_is_no_win() -> None:
    comparison = Machine(a=always(100_000), b=in_turn(*[60_000] * 2, *[110_000] * 20)).comparison()
    assert comparison.winner == "a"


@pytest.mark.parametrize(("time", "runs", "rounds"), [(1_000, 10, 200), (8_000_000, 2, 200), (10**9, 1, 8)])
def test_models_that_take_long_run_less_often(time: int, runs: int, rounds: int) -> None:
    machine = Machine(a=always(time), b=always(time))
    machine.comparison(rounds=None, runs=None)
    assert len(machine.order) == 2 * (2 + (runs + 1) * rounds)


def test_a_race_needs_candidates_and_rounds() -> None:
    with pytest.raises(ConfigError, match=r"requires a candidate, 4 rounds .* Received: 0 candidates"):
        fastest({}, {})
    with pytest.raises(ConfigError, match=r"rounds=3, runs=1"):
        Machine(a=always(1)).comparison(rounds=3)


def test_models_are_run_by_onnx_runtime() -> None:
    network = Network(1, ("batch", 12, 12, 1))
    model = network.model(network.max_pool(network.convolution(network.pixels, 8)))
    comparison = fastest({"qdq": model, "blocked": to_blocked(model)}, network.images(1), rounds=4, runs=2)
    assert set(comparison.times) == {"qdq", "blocked"}
    assert all(time.median_us > 0 for time in comparison.times.values())
