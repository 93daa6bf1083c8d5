"""A model answers alike in any thread, any process and any event loop, and no call waits for ever."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner

IMAGES = np.random.default_rng(0).integers(0, 256, (16, 12, 12, 3)).astype(np.uint8)

WAIT_S = 120.0
"""No answer is far off: one takes less than a millisecond, and a process some tenths of a second."""


class Asked(NamedTuple):
    """A bound method that goes to processes with its model, and what it is asked."""

    call: Callable[[Any], Any]
    inputs: list[Any]


@pytest.fixture(params=["artifact", "lone file"])
def model(request: pytest.FixtureRequest, tiny: Path) -> Path:
    """Return a model without a limit on its calls, and one with."""
    return tiny if request.param == "artifact" else tiny / "model.onnx"


@pytest.fixture(params=["Predictor", "Runner"])
def asked(request: pytest.FixtureRequest, model: Path) -> Asked:
    if request.param == "Predictor":
        return Asked(Predictor(model, variant="fp32").predict, list(IMAGES))
    return Asked(Runner(model, variant="fp32").run, [{"image": image[None]} for image in IMAGES])


def _comparable(answers: Iterable[Any]) -> list[Any]:
    """Return answers with their arrays as lists."""
    return [
        {name: array.tolist() for name, array in answer.items()} if isinstance(answer, dict) else answer
        for answer in answers
    ]


def _alone(asked: Asked) -> list[Any]:
    return _comparable(map(asked.call, asked.inputs))


def test_eight_threads(asked: Asked) -> None:
    alone = _alone(asked)
    with ThreadPoolExecutor(8) as threads:
        assert _comparable(threads.map(asked.call, 20 * asked.inputs, timeout=WAIT_S)) == 20 * alone


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", sorted({"fork", "spawn"} & {*multiprocessing.get_all_start_methods()}))
def test_processes(asked: Asked, method: str) -> None:
    """Starts a process, which imports ONNX Runtime; a fork comes behind the first call."""
    alone = _alone(asked)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert _comparable(pool.map_async(asked.call, asked.inputs).get(WAIT_S)) == alone
    assert _alone(asked) == alone


def test_an_event_loop(asked: Asked) -> None:
    async def answer() -> list[Any]:
        return list(await asyncio.gather(*(asyncio.to_thread(asked.call, given) for given in asked.inputs)))

    assert _comparable(asyncio.run(asyncio.wait_for(answer(), WAIT_S))) == _alone(asked)


def test_a_runner_goes_to_processes_by_its_path(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)
    runner = Runner(tiny.name, variant="fp32", threads=2, timeout=7.0)
    monkeypatch.chdir(tiny)
    again = pickle.loads(pickle.dumps(runner))
    assert (again.variant, again.threads, again._timeout) == ("fp32", 2, 7.0)
    given = {"image": IMAGES[:1]}
    np.testing.assert_array_equal(again.run(given)["probabilities"], runner.run(given)["probabilities"])


def test_a_process_ends_while_its_time_is_watched(tiny: Path) -> None:
    """Starts a process: the thread that watches must not hold it."""
    code = (
        f"import edgeconv; edgeconv.Predictor({str(tiny / 'model.onnx')!r}).predict({str(tiny.parent / 'seven.png')!r})"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False, timeout=WAIT_S)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
