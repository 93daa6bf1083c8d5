"""A call that takes too long is stopped, and what is an artifact's own costs nothing."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edgeconv.errors import ConfigError, InferenceError, InferenceTimeoutError
from edgeconv.runtime import time_limit
from edgeconv.runtime.files import TIMEOUT_S, read_files
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner

STOPPED = r"must end within 0\.2 seconds\. Received: one that was stopped\. Allow more with `timeout`, or `--timeout`"

IMAGES = np.zeros((1, 12, 12, 3), np.uint8)


@pytest.fixture(params=[1, 2])
def endless(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a lone model with a loop without an end, bare or around another."""
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.hostile import endless_graph, write

    return write(tmp_path / "endless.onnx", endless_graph(request.param))


def test_a_loop_without_an_end_is_stopped(endless: Path) -> None:
    predictor, runner = Predictor(endless, timeout=0.2), Runner(endless, timeout=0.2)
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(InferenceTimeoutError, match=STOPPED):
            predictor.predict(IMAGES[0])
    with pytest.raises(InferenceTimeoutError, match=STOPPED):
        runner.run({"image": IMAGES})
    with pytest.raises(InferenceTimeoutError, match=STOPPED):  # and not once for each picture
        list(predictor.predict_many([IMAGES[0]] * 40))
    assert time.monotonic() - start < 10.0


def test_calls_of_several_threads_have_a_limit_each(endless: Path) -> None:
    predictor, ends = Predictor(endless, timeout=0.2), list[float]()

    def call(wait: float) -> None:
        time.sleep(wait)
        start = time.monotonic()
        with pytest.raises(InferenceTimeoutError, match=STOPPED):
            predictor.predict(IMAGES[0])
        ends.append(time.monotonic() - start)

    threads = [threading.Thread(target=call, args=(0.1 * number,)) for number in range(3)]
    before = threading.active_count()
    for thread in threads:
        thread.start()
    assert threading.active_count() <= before + len(threads) + 1
    for thread in threads:
        thread.join()
    assert len(ends) == 3
    assert min(ends) > 0.19


def test_an_opening_computes_nothing(tmp_path: Path) -> None:
    """What ONNX Runtime folds at an opening cannot be stopped; a lone file's constants wait for its calls."""
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.hostile import folded_graph, write

    Predictor(write(tmp_path / "model.onnx", folded_graph()), timeout=5.0)


def test_the_thread_that_watches_ends_when_there_is_nothing_to_watch(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limit, "_IDLE_TICKS", 1)
    monkeypatch.setattr(time_limit, "_TICK_S", 0.05)
    before = set(threading.enumerate())
    runner = Runner(tiny, timeout=5.0)
    answers = [runner.run({"image": IMAGES})["probabilities"]]
    (watcher,) = set(threading.enumerate()) - before
    watcher.join(10.0)
    assert not watcher.is_alive()
    answers.append(runner.run({"image": IMAGES})["probabilities"])
    np.testing.assert_array_equal(*answers)


def test_an_artifact_is_called_directly_and_starts_no_thread(tiny: Path) -> None:
    before = threading.active_count()
    runner = Runner(tiny)
    runner.run({"image": IMAGES})
    assert type(runner._session) is ort.InferenceSession
    assert threading.active_count() == before


@pytest.fixture
def unnamed(tiny: Path, tmp_path: Path) -> Path:
    """Return an artifact whose manifest has no checksums."""
    folder = shutil.copytree(tiny, tmp_path / "unnamed")
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"].values():
        del variant["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_what_may_be_a_strangers_is_limited_to_a_minute(tiny: Path, unnamed: Path) -> None:
    def limit(path: Path, name: str = "fp32", timeout: float | None = None, more: bytes = b"") -> float:
        files = read_files(path, timeout)
        return files.timeout_of(name, files.read(name) + more)

    assert TIMEOUT_S == 60.0
    assert limit(tiny) == limit(tiny, "int8") == math.inf
    assert limit(tiny / "model.onnx") == limit(unnamed) == TIMEOUT_S
    assert [limit(tiny, more=word) for word in (b"Loop", b"Scan", b"SequenceMap", b"BeamSearch")] == [TIMEOUT_S] * 4
    assert limit(tiny, timeout=7.0) == limit(tiny / "model.onnx", timeout=7.0) == 7.0
    assert limit(tiny / "model.onnx", timeout=math.inf) == math.inf


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), "60"])
def test_a_limit_is_a_time(tiny: Path, timeout: Any) -> None:
    for open_it in (Predictor, Runner):
        with pytest.raises(ConfigError, match=r"`timeout` must be above 0 seconds\. Received: .*, or give inf for no"):
            open_it(tiny, timeout=timeout)


class _Stuck:
    """A session that does not hear."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def run(self, *_: Any) -> None:
        self.done.wait(30.0)
        raise RuntimeError("stopped at last")


def test_a_call_that_cannot_be_stopped_is_told_by_the_thread_that_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time_limit, "GRACE_S", 0.1)
    session, seen = _Stuck(), list[threading.ExceptHookArgs]()
    monkeypatch.setattr(threading, "excepthook", lambda args: (seen.append(args), session.done.set()))
    limited = time_limit.LimitedSession(ort.SessionOptions(), lambda: session, 0.1)
    with pytest.raises(InferenceTimeoutError, match=r"within 0\.1 seconds\. Received: one that was stopped"):
        limited.run(None, {})
    assert len(seen) == 1
    assert "Received: one that cannot be stopped, in an operator that goes on." in str(seen[0].exc_value)


def test_the_command_line_ends_its_process_then(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.hostile import stuck_graph, write

    path = write(tmp_path / "model.onnx", stuck_graph())
    code = (
        "import sys; from edgeconv.runtime import time_limit; time_limit.GRACE_S = 0.2; "
        f"sys.argv = ['edgeconv', 'predict', '--timeout', '0.2', '--model', {str(path)!r}, "
        f"{str(Path(__file__).parents[1] / 'data' / 'seven.png')!r}]; from edgeconv.cli.main import main; main()"
    )
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60.0)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "Received: one that cannot be stopped, in an operator that goes on." in done.stderr


def test_another_error_of_a_limited_model_stays_what_it_is(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.hostile import GRAPHS

    with pytest.raises(InferenceError, match="must run on arrays of image") as raised:
        Runner(GRAPHS["a large Expand"](tmp_path / "model.onnx")).run({"image": IMAGES})
    assert not isinstance(raised.value, InferenceTimeoutError)
