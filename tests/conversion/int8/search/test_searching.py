"""The way of the search over made-up layers whose losses add up."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edgeconv.conversion.int8.search.search_cache import SearchCache
from edgeconv.conversion.int8.search.searching import search
from edgeconv.conversion.int8.search.settings import Settings
from edgeconv.parity.intervals import Lost
from tests.conversion.int8.search.made_up_network import LAYERS, MadeUpNetwork
from tests.training.conftest import Listener


def test_plain_minmax_that_holds_is_all() -> None:
    world = MadeUpNetwork({"a": 0.1})
    found = world.search()
    assert (found.holds, found.settings, found.float_layers, len(found.steps)) == (True, Settings(), {}, 1)
    assert world.rankings == 0
    assert found.sentence == "minmax was chosen of 1 candidate: it loses 0.10 points of the 0.1 allowed."


def test_ranges_of_the_training_come_first_and_the_menu_where_they_lose_too_much() -> None:
    trained = Settings("trained")
    assert [step.settings for step in MadeUpNetwork({"a": 1.0}, {trained: 1.0}).search(trained=True).steps] == [trained]
    found = MadeUpNetwork({"a": 1.0}, {trained: 0.5, Settings("minmax"): 1.0}).search(trained=True)
    assert [step.settings.ranges for step in found.steps[:4]] == ["trained", "minmax", "percentile", "entropy"]
    assert found.settings == Settings("minmax")


@dataclass
class _Light(MadeUpNetwork):
    """A last layer that adds nearly nothing."""

    def cost(self, model: Any) -> tuple[int, float]:
        return 10_000 + 50 * len(model[1]), 50.0


@pytest.mark.parametrize(
    ("kind", "loss", "kept"),
    [(_Light, 0.5, ("j",)), (_Light, 0.01, ()), (MadeUpNetwork, 0.5, ()), (_Light, 0.0, ())],
    ids=["it pays", "it saves too little", "it costs too much", "nothing is lost there"],
)
def test_the_last_layer_of_values_is_left_in_float_where_that_pays(
    kind: type[MadeUpNetwork], loss: float, kept: tuple[str, ...]
) -> None:
    losses, listener = {"a": 0.4, "j": loss}, Listener()
    found = kind(losses).search(max_drop=1.0, values=True, progress=listener)
    assert tuple(found.float_layers) == kept
    assert found.chosen.float_layers == kept
    assert [step.aim for step in found.steps] == ["ranges", "last layer in float"]
    assert kind(losses).search(max_drop=1.0).float_layers == {}, "classes decide by their order"
    (said,) = [line for line in listener.said if "last layer" in line]
    assert said.startswith(
        "The last layer, j, " + ("is left in float: float saves 0.5 of 0.9" if kept else "is int8: ")
    )
    assert all("int8 would lose 0.50 points more" in reason for reason in found.float_layers.values())


def test_a_model_that_loses_nothing_is_left_alone() -> None:
    assert len(_Light({}).search(values=True).steps) == 1


def test_the_best_of_the_menu_is_kept_and_built_upon() -> None:
    entropy = Settings("entropy")
    both = Settings("entropy", corrected=True)
    found = MadeUpNetwork({"a": 1.0}, {entropy: 0.4, Settings("entropy", equalized=True): 0.3, both: 0.95}).search()
    assert [str(step.settings) for step in found.steps] == [
        "minmax",
        "percentile",
        "entropy",
        "entropy, equalization",
        "entropy, bias correction",
    ]
    assert (found.holds, found.settings, found.float_layers) == (True, both, {})


def test_rounding_comes_last_of_the_menu() -> None:
    entropy = Settings("entropy")
    rounded = Settings("entropy", rounded=True)
    found = MadeUpNetwork({"a": 1.0}, {entropy: 0.4, Settings("entropy", corrected=True): 0.3, rounded: 0.95}).search()
    assert str(found.steps[-1].settings) == "entropy, adaptive rounding"
    assert (found.holds, found.settings, found.float_layers) == (True, rounded, {})
    assert found.settings.as_dict()["rounded"] is True


def test_equalization_is_not_tried_without_pairs() -> None:
    world = MadeUpNetwork({"a": 1.0})
    world.pairs = False
    assert not any(step.settings.equalized for step in world.search().steps)


def test_of_equals_the_plainer_is_kept() -> None:
    found = MadeUpNetwork({"a": 1.0}).search()
    assert found.settings == Settings()


@pytest.mark.parametrize("wanted", range(1, 11))
def test_as_few_layers_as_it_takes_return_to_float(wanted: int) -> None:
    world = MadeUpNetwork(dict.fromkeys(LAYERS[:wanted], 1.0))
    found = world.search()
    assert tuple(found.float_layers) == LAYERS[:wanted]
    assert found.holds
    counts = [len(step.float_layers) for step in found.steps if step.aim == "layers in float"]
    assert len(counts) <= 8
    assert len(set(counts)) == len(counts), "no number is judged twice"


def test_layers_that_were_ranked_too_high_go_back_to_int8() -> None:
    found = MadeUpNetwork({"c": 1.0, "f": 0.5}).search()
    assert set(found.float_layers) == {"c", "f"}
    assert found.holds
    returned = [step.returned for step in found.steps if step.returned]
    assert returned == list("fedcba")
    for earlier, later in pairwise(step for step in found.steps if step.returned and step.holds):
        assert set(later.float_layers) < set(earlier.float_layers)


def test_layers_without_weights_come_last() -> None:
    found = MadeUpNetwork({"c": 1.0}, ranked="abde").search()
    assert tuple(found.float_layers) == ("c",)
    assert found.layers[0].sqnr_db is None


def test_time_decides_nothing() -> None:
    world, slow = MadeUpNetwork({"c": 1.0, "f": 0.5}), MadeUpNetwork({"c": 1.0, "f": 0.5})
    times = iter(range(10**6, 0, -1))
    slow.cost = lambda model: (1000 + 100 * len(model[1]), float(next(times)))  # type: ignore[method-assign]
    one, other = world.search(), slow.search()
    assert one.settings == other.settings
    assert one.float_layers == other.float_layers, "the reasons go into the manifest, and must be equal as well"


@pytest.mark.parametrize("killed_after", [0, 1, 4, 7, 9])
def test_a_killed_search_goes_on_where_it_was(tmp_path: Path, killed_after: int) -> None:
    losses = {"c": 1.0, "f": 0.5}
    whole = MadeUpNetwork(losses)
    expected = whole.search()
    killed = MadeUpNetwork(losses, killed_after=killed_after)
    cache = SearchCache(tmp_path, "k" * 64)
    with pytest.raises(KeyboardInterrupt):
        killed.search(cache=cache)
    again = MadeUpNetwork(losses)
    assert again.search(cache=cache) == expected
    assert len(killed.judged) + len(again.judged) == len(whole.judged), "nothing is judged twice"
    assert killed.rankings + again.rankings == 1


def test_the_cache_of_another_search_is_not_believed(tmp_path: Path) -> None:
    cache = SearchCache(tmp_path, "k" * 16 + "one")
    MadeUpNetwork({"a": 0.05}).search(cache=cache)
    world = MadeUpNetwork({"a": 1.0})
    found = world.search(cache=SearchCache(tmp_path, "k" * 16 + "two"))
    assert (len(world.judged) > 1, found.holds) == (True, True)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": "edgeconv.search/1"}'])
def test_a_damaged_cache_is_begun_anew(tmp_path: Path, damage: str) -> None:
    cache = SearchCache(tmp_path, "k" * 64)
    cache.path.write_text(damage, encoding="utf-8")
    assert MadeUpNetwork({"a": 0.05}).search(cache=cache).holds


def test_every_step_is_told() -> None:
    lines: list[str] = []

    class Listener:
        def say(self, message: str) -> None:
            lines.append(message)

    found = MadeUpNetwork({"a": 0.7}).search(progress=Listener())
    assert len(lines) == len(found.steps)
    assert lines[0] == "int8, minmax: loses 0.70 points of the 0.1 allowed, 1 kB, 50 us"
    assert "int8, minmax, 1 layer in float: loses 0.00 points of the 0.1 allowed, 1.1 kB, 57 us" in lines
    assert lines[-1].startswith("int8, `a` back in int8: loses 0.70")


def test_a_drop_that_the_sample_cannot_tell_sends_no_layer_to_float() -> None:
    world = MadeUpNetwork({"a": 0.8})
    found = search(world, lambda model: Lost(world.judge(model), 0.1, 2.0, 120), world.cost, max_drop=0.2)
    assert (found.holds, found.layers, found.settings) == (True, (), Settings())
    assert len(found.steps) > 3, "what costs no time is tried"
    assert "120 samples cannot tell that from 0.2: it may be 0.1 to 2" in found.sentence
