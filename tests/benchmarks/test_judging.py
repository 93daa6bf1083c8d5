"""What the benchmarks say must be true: figures of which the right verdict is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.runtime.processor import int8_overflows
from tests.benchmarks import accuracy
from tests.benchmarks.inference import contenders, measuring, products, table
from tests.benchmarks.inference.children import Child
from tests.benchmarks.inference.contenders import LIMIT, LITERT_INT8, OWN, PEER, STATIC, Contender
from tests.pages import BENCHMARKS, read_between

RIGHT = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]


def row(name: str, rounds_us: list[float], side: str = PEER, precision: str = "int8") -> dict[str, Any]:
    return {
        "name": name,
        "side": side,
        "precision": precision,
        "runner": "onnxruntime",
        "rounds_us": rounds_us,
        "best_us": min(rounds_us),
        "accuracy": 0.99,
        "correlation": 1.0,
        "load_ms": 3.2,
        "memory_bytes": 5 << 20,
        "size_bytes": 109_527,
        "images_per_s": {"1": [1000.0, 1200.0, 1100.0]},
    }


def results(**int8: Any) -> dict[str, Any]:
    rows = [
        row("fp32", [20.0, 20.0, 200.0], OWN, "fp32"),
        row("int8", [10.0, 10.0, 100.0], OWN) | int8,
        row(STATIC, [40.0, 40.0, 400.0]),
        row(LITERT_INT8, [8.0, 8.0, 80.0]),
        row("fp32 matrices", [4000.0, 3000.0, 5000.0], LIMIT, "fp32"),
        row("uint8 x int8 matrices", [1500.0, 1000.0, 1500.0], LIMIT) | {"exact": False},
    ]
    network = {"title": "the book's convnet", "machine": "a machine", "multiply_adds": 2_700_000, "rows": rows}
    return {"networks": {"mnist": network}, "packages": {"numpy": "2.4.6"}}


def test_answers_are_judged_by_labels_and_by_what_keras_said() -> None:
    found = measuring.judge(RIGHT, {"answers": RIGHT, "labels": np.array([0, 1, 2, 2])})
    assert found == pytest.approx({"accuracy": 0.75, "agreement": 1.0, "correlation": 1.0})


def test_answers_that_ignore_the_image_do_not_correlate() -> None:
    constant = np.tile(np.float32([0.1, 0.8, 0.1]), (4, 1))
    assert measuring.judge(constant, {"answers": RIGHT})["correlation"] == 0.0
    assert "accuracy" not in measuring.judge(constant, {"answers": RIGHT})


def test_a_ratio_is_that_of_rounds_not_of_medians_of_a_machine_that_slowed_down() -> None:
    assert table.ratio(row("a", [10.0, 100.0, 100.0]), row("b", [20.0, 20.0, 200.0])) == 0.5


def test_verdicts_say_what_is_held_and_what_is_not() -> None:
    static, litert, *missing = table.verdicts(results())
    assert static == "int8 takes 0.25 of the time of ONNX Runtime, `quantize_static` (limit 0.5): met."
    assert litert.endswith("takes 1.25 of the time of LiteRT int8 (limit 1.0): **not met**.")
    assert missing == [
        "fp32 and LiteRT fp32: **not measured**.",
        "fp32 and ONNX Runtime, tf2onnx: **not measured**.",
    ]


def test_the_share_of_the_limit_rests_on_the_best_call_of_the_fastest_product() -> None:
    limits = table.limits_of(results()["networks"]["mnist"]["rows"])
    assert limits["int8"] == pytest.approx(products.MULTIPLY_ADDS / 1e-3)
    share = 100 * 2_700_000 / 10e-6 / limits["int8"]
    line = next(line for line in table.render(results()).splitlines() if line.startswith("| **int8**"))
    assert f" {share:.0f} % " in line


def test_the_table_marks_wrong_answers_and_sums_that_overflow() -> None:
    text = table.render(results(correlation=0.2))
    assert text.count("**wrong**: 99.0 %") == 1
    assert "uint8 x int8 matrices, whose sums overflow here, 67 G (median call: " in text
    assert "\n\na machine.\n\n| " in text
    assert text.endswith("  \nnumpy 2.4.6.")


def test_who_could_not_run_is_named_with_the_reason() -> None:
    found = results()
    found["networks"]["mnist"]["rows"].append({"name": "OpenVINO", "side": PEER, "failed": "RuntimeError: no"})
    assert "OpenVINO: RuntimeError: no" in table.render(found)


def test_variants_come_from_the_manifest_less_the_one_that_takes_any_picture(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    artifact.mkdir()
    variants = {name: {"file": f"{name}.onnx"} for name in ("fp32", "int8", "int8-ort", "e2e")}
    variants["int8-ort"]["quantization"] = {"reduce_range": True}  # type: ignore[assignment]
    (artifact / "manifest.json").write_text(json.dumps({"variants": variants}), encoding="utf-8")
    own = {item.name: item for item in contenders.contenders(tmp_path) if item.side == OWN}
    assert list(own) == ["fp32", "int8", "int8-ort", contenders.PREDICTOR]
    assert own["int8"].exact == int8_overflows()
    assert not own["int8-ort"].exact


def test_a_child_times_calls_and_one_that_cannot_open_its_file_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes: two seconds."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # A child finds its own code as `make bench` would.
    pytest.importorskip("onnx", reason="matrix products are made with the extra `train`")
    truth = {"images": np.zeros((2, 4, 4, 1), np.uint8), "scale": np.float64(1), "offset": np.float64(0)}
    child = Child(products.products(tmp_path)[0], truth, 1)
    assert (child.times(1, 3) > 0).all()
    child.close()
    missing = Contender("missing", PEER, "onnxruntime", tmp_path / "missing.onnx", "fp32")
    with pytest.raises(RuntimeError, match=r"missing\.onnx"):
        Child(missing, truth, 1)


def test_a_product_of_reals_counts_as_exact(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="matrix products are made with the extra `train`")
    found = {item.name: products.exact(item.name, item.file) for item in products.products(tmp_path)}
    assert found["fp32 matrices"]
    assert found["uint8 x uint8 matrices"]
    assert found["uint8 x int8 matrices"] != int8_overflows()


def test_the_table_of_accuracy_says_what_int8_loses_and_whether_that_is_held() -> None:
    stages = {"keras": 0.91, "fp32": 0.91, "int8": 0.9, accuracy.DYNAMIC: 0.1}
    rows = [{"stage": stage, "accuracy": share} for stage, share in stages.items()]
    text = accuracy.render({"mobilenet": {"images": 10_000, "max_drop": 0.5, "passed": False, "rows": rows}})
    assert text.splitlines()[-1].endswith("| 91.00 % | 91.00 % | 90.00 % | 1.00 pp | 0.5 pp, **not met** | 10.00 % |")


def test_the_page_has_the_tables_of_the_stored_figures() -> None:
    found = json.loads(accuracy.FILE.read_text(encoding="utf-8"))
    assert read_between(BENCHMARKS, "accuracy") == accuracy.render(found)
    stored = Path(__file__).with_name("results.json")
    assert read_between(BENCHMARKS, "inference") == table.render(json.loads(stored.read_text(encoding="utf-8")))
