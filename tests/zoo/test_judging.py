"""What the zoo says about an export must be true: small graphs of which the right verdict is known."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pages import MODEL_ZOO, read_between
from tests.zoo import __main__ as command
from tests.zoo import ours, results, table
from tests.zoo.children import GIB, Ended, Limits, run, short
from tests.zoo.comparison import compare

onnx = pytest.importorskip("onnx", reason="the zoo needs the extra `train`")

LIMITS = Limits(seconds=20)


def doubling(factor: float = 2.0, *, inputs: tuple[str, ...] = ("image",), operator: str = "Mul") -> Any:
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node(operator, ["image", "factor"], ["answer"])],
        "doubling",
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, 3]) for name in inputs],
        [helper.make_tensor_value_info("answer", onnx.TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor("factor", onnx.TensorProto.FLOAT, [], [factor])] if "factor" not in inputs else [],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    image = np.random.default_rng(0).random((2, 3), dtype=np.float32)
    np.savez(tmp_path / "reference.npz", image=image, expected=2 * image)
    return tmp_path / "reference.npz"


def judged(model: Any, reference: Path) -> dict[str, Any]:
    onnx.save(model, reference.with_name("model.onnx"))
    return compare(reference.with_name("model.onnx"), reference)


def test_a_file_that_agrees_is_ok(reference: Path) -> None:
    found = judged(doubling(), reference)
    assert (found["outcome"], found["nodes"], found["transposes"], found["error"]) == ("ok", 1, 0, 0.0)


def test_an_error_of_a_hundredth_of_the_spread_is_a_wrong_answer(reference: Path) -> None:
    found = judged(doubling(2.02), reference)
    assert found["outcome"] == "wrong answers"
    assert found["error"] > 1e-3
    assert "of the spread" in found["reason"]


def test_an_operator_that_onnx_has_not_does_not_load(reference: Path) -> None:
    found = judged(doubling(operator="StatefulPartitionedCall"), reference)
    assert found["outcome"] == "does not load"
    assert "StatefulPartitionedCall" in found["reason"]


def test_a_constant_that_became_an_input_does_not_load(reference: Path) -> None:
    found = judged(doubling(inputs=("image", "factor")), reference)
    assert found["outcome"] == "does not load"
    assert "image, factor" in found["reason"]


def test_a_reason_is_one_line_without_folders() -> None:
    assert short("Load\n/home/me/zoo-X/a.onnx, m-1/b/Sub") == "Load a.onnx, m-1/b/Sub"


def test_a_process_that_takes_too_long_is_stopped_with_what_it_started() -> None:
    sleeper = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    started = time.monotonic()
    ended = run([sys.executable, "-c", sleeper], Limits(seconds=1))
    assert (ended.over, ended.reason) == ("time", "stopped at the limit of time")
    assert time.monotonic() - started < 20


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process tree is read from /proc")
def test_a_process_that_takes_too_much_memory_is_stopped() -> None:
    hungry = "import time; x = b'x' * (300 << 20); time.sleep(60)"
    assert run([sys.executable, "-c", hungry], Limits(20, GIB // 5)).over == "memory"


def test_the_peak_counts_what_a_child_took() -> None:
    hungry = "x = b'x' * (300 << 20)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    assert run([sys.executable, "-c", parent], LIMITS).peak_bytes > 300 << 20


def test_a_refusal_is_one_line_and_no_file_and_a_traceback_is_none(tmp_path: Path) -> None:
    def ended(code: int, stderr: str) -> Ended:
        return Ended(code, "", "", stderr, 1.0, 1.0, 1)

    file, npz = tmp_path / "model.onnx", tmp_path / "reference.npz"
    refused = ours.judge(ended(1, "Error: `x` must be y. Received: z. Write w.\n"), file, npz, LIMITS)
    assert (refused["outcome"], refused["reason"]) == ("refused", "Error: `x` must be y. Received: z. Write w.")
    raised = ours.judge(ended(1, "Traceback (most recent call last):\nValueError: z\n"), file, npz, LIMITS)
    assert (raised["outcome"], raised["reason"]) == ("raises", "ValueError: z")
    file.touch()
    assert ours.judge(ended(1, "Error: refused.\n"), file, npz, LIMITS)["outcome"] == "raises"


OK = {
    "outcome": "ok",
    "reason": "",
    "seconds": 61.4,
    "peak_bytes": 1 << 30,
    "nodes": 30,
    "transposes": 2,
    "error": 2e-5,
}
RESULTS = {
    "python": "3.11.7",
    "packages": {"keras": "3.15.1"},
    "models": {
        "Small": {
            "ours": OK,
            "tf2onnx": {"outcome": "does not load", "reason": "|", "seconds": 1, "peak_bytes": 1},
            "int8": {
                "outcome": "yes",
                "reason": "",
                "size_bytes": 3 << 20,
                "sqnr_db": 27.1,
                "seconds": 1,
                "peak_bytes": 1,
            },
        },
        "Large": {"keras": {"outcome": "raises", "reason": "x", "seconds": 1, "peak_bytes": 1}},
    },
}


def test_the_table_has_a_row_a_model() -> None:
    rows = table.render(RESULTS).splitlines()
    assert "| Small | 30 | 2 | 61 | 1024 | 2e-05 | 3 MiB, 27 dB | ok | **does not load** | - |" in rows
    assert "| Large | - | - | - | - | - | - | - | - | **raises** |" in rows


def test_the_counts_are_of_what_was_measured() -> None:
    assert table.summary(RESULTS) == ["edgeconv: 1 ok", "tf2onnx: 1 does not load", "`model.export`: 1 raises"]


def test_a_progress_line_says_what_was_found() -> None:
    line = " ".join(command.progress_line("Small", "ours", OK).split())
    assert line == "Small ours ok 30 nodes, 2 transposes, error 2.0e-05 of the spread, 61 s, 1.0 GiB"


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, taken = tmp_path / "results.json", []
    out.write_text(json.dumps({"models": {"A": {"keras": OK, "tf2onnx": OK}, "B": {"keras": OK}}}), encoding="utf-8")
    monkeypatch.setattr(command, "model_names", lambda: list("ABC"))
    monkeypatch.setattr(command, "explore", lambda name, parts, *_: taken.append((name, list(parts))))
    monkeypatch.setattr(sys, "argv", ["zoo", "--parts", "keras", "tf2onnx", "--out", str(out)])
    command.main()
    assert taken == [("B", ["tf2onnx"]), ("C", ["keras", "tf2onnx"])]


def test_the_page_has_the_table_of_the_stored_results() -> None:
    assert read_between(MODEL_ZOO, "zoo") == table.render(results.read(results.FILE))
