from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edgeconv
from edgeconv.benchmarking import tuning
from edgeconv.benchmarking.configurations import Configuration
from edgeconv.benchmarking.tuning import tune
from edgeconv.errors import ConfigError
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.tuned import fingerprint
from edgeconv.session_options import SessionOptions, Tuned
from edgeconv.spread import interval_of
from tests.runtime.faked_providers import OPENVINO, fake_providers

Timed = Callable[[Callable[[str], float]], None]


def _costs(**costs: float) -> Callable[[str], float]:
    """Return a pace: a time is the product of the costs of the words in the name; underscores stand for spaces."""

    def time_ms(name: str) -> float:
        words, product = name.split(", "), 1.0
        for key, cost in costs.items():
            product *= cost if key.replace("_", " ").strip() in words else 1.0
        return product

    return time_ms


def _manifest(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return value


def test_the_best_configuration_is_found_step_by_step(timed: Timed, copy: Path) -> None:
    timed(_costs(fp32=0.8, basic=0.9, no_spinning=0.7, no_arena=0.6, no_memory_pattern=1.2, _2_threads=0.5))
    found = tune(copy, max_threads=2)
    assert found.default == Configuration("int8")
    assert found.best == Configuration("fp32", threads=2, options=SessionOptions("basic", spinning=False, arena=False))
    assert found.ratio.median == pytest.approx(0.8 * 0.9 * 0.7 * 0.6 * 0.5)
    steps = list(dict.fromkeys(trial.step for trial in found.trials))
    assert steps == ["variant, provider, threads", "spinning", "optimization", "memory", "final"]
    assert all(sum(trial.chosen for trial in found.trials if trial.step == step) == 1 for step in steps)


def test_providers_that_run_here_race_the_cpu_and_the_fastest_is_what_predictor_takes(
    timed: Timed, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = fake_providers(monkeypatch)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [OPENVINO, CPU])
    timed(_costs(openvino=0.7, fp32=0.8, _2_threads=0.9))
    found = tune(copy, max_threads=2)
    assert (found.best.provider, found.best.variant, found.best.threads) == (OPENVINO, "fp32", 2)
    assert found.default == Configuration("int8")
    assert edgeconv.Predictor(copy).provider == OPENVINO
    native.error = 0.9
    assert tune(copy, max_threads=2).best == Configuration("fp32", threads=2)  # The fast one is wrong.


def test_what_is_not_installed_is_said_and_nothing_is_promised(timed: Timed, copy: Path, listener: Any) -> None:
    timed(_costs())
    tune(copy, max_threads=1, progress=listener)
    said = [word for word in listener.words if "was not tried" in word]
    assert len(said) == 1
    assert said[0].startswith("openvino is not installed; it was not tried. It comes with `pip")
    listener.words.clear()
    tune(copy, max_threads=1, device="cpu", progress=listener)
    assert not [word for word in listener.words if "was not tried" in word]


def test_how_a_batch_is_cut_is_tried_and_kept(timed: Timed, copy: Path) -> None:
    timed(_costs(_2_calls_at_once=0.6, _2_threads=0.8, _16_images_at_once=0.9, fp32=1.1))
    found = tune(copy, max_threads=2, batch=40)
    assert found.default == Configuration("int8")
    assert found.best == Configuration("int8", options=SessionOptions(calls_at_once=2, images_at_once=16))
    tried = {trial.configuration.options.images_at_once for trial in found.trials if trial.step == "batch"}
    assert tried == {None, 8, 16, 20}
    assert edgeconv.Predictor(copy)._pipeline.session.options == found.best.options  # type: ignore[union-attr]


def test_the_default_for_a_large_batch_takes_all_cores(timed: Timed, copy: Path) -> None:
    timed(_costs(_2_calls_at_once=0.9, _2_threads=0.5, _no_spinning=0.9))
    found = tune(copy, max_threads=2, batch=64)
    assert found.default == Configuration("int8", options=SessionOptions(calls_at_once=2))
    assert found.best.threads == 2


def test_what_is_found_is_what_predictor_runs(timed: Timed, copy: Path) -> None:
    timed(_costs(fp32=0.8, no_arena=0.6))
    found = tune(copy, max_threads=1)
    model = edgeconv.Predictor(copy)
    assert (model.variant, model.threads) == (found.best.variant, 1)
    assert (
        "It takes 0.48 (95 % interval 0.48 to 0.48) of the time of the default: int8, cpu, 1 thread."
        in found.sentence()
    )


def test_all_else_in_the_manifest_stays(timed: Timed, copy: Path) -> None:
    before = _manifest(copy)
    other = Tuned("int8", CPU, 1, SessionOptions(), None).as_dict()
    before["session"] = {"another device": {**other, "of a later edgeconv": 1}}
    before["of a later edgeconv"] = [1]
    (copy / "manifest.json").write_text(json.dumps(before))
    files = {path.name: path.read_bytes() for path in copy.iterdir() if path.name != "manifest.json"}
    timed(_costs(fp32=0.8))
    tune(copy, max_threads=1)
    after = _manifest(copy)
    entry = after["session"].pop(fingerprint())
    assert after == before
    assert entry["variant"] == "fp32"
    assert entry["evidence"]["machine"]["fingerprint"] == fingerprint()
    assert {path.name: path.read_bytes() for path in copy.iterdir() if path.name != "manifest.json"} == files


def test_where_nothing_is_surely_faster_the_default_stays(
    timed: Timed, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(_costs(fp32=0.8))
    monkeypatch.setattr(tuning, "ratio_of", lambda *_: interval_of([0.5, 0.6, 0.7, 0.8, 0.9, 1.01]))
    found = tune(copy, max_threads=1)
    assert found.best == found.default == Configuration("int8")
    assert found.sentence() == "Nothing is significantly faster here than the default: int8, cpu, 1 thread."
    assert edgeconv.Predictor(copy).variant == "int8"


def test_a_configuration_that_was_lucky_loses_in_the_end(
    timed: Timed, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tuning._TuningSearch._time

    def lucky_until_the_end(self: Any, step: str, configurations: Any, seconds: float) -> Any:
        timed(_costs(fp32=0.8 if step != "final" else 1.1))
        return real(self, step, configurations, seconds)

    monkeypatch.setattr(tuning._TuningSearch, "_time", lucky_until_the_end)
    assert tune(copy, max_threads=1).best == Configuration("int8")


def test_only_variants_with_a_gate_are_tried(timed: Timed, copy: Path, listener: Any) -> None:
    value = _manifest(copy)
    value["parity"]["gates"] = [gate for gate in value["parity"]["gates"] if gate["stage"] != "fp32"]
    (copy / "manifest.json").write_text(json.dumps(value))
    timed(_costs(fp32=0.1, e2e=0.1))
    found = tune(copy, max_threads=1, progress=listener)
    assert {trial.configuration.variant for trial in found.trials} == {"int8"}
    assert any(word.startswith("fp32 is left out: it was not checked") for word in listener.words)


def test_configurations_that_answer_otherwise_are_left_out(
    timed: Timed, copy: Path, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        tuning, "distrust", lambda _, configuration: "it is wrong." if configuration.variant == "fp32" else None
    )
    timed(_costs(fp32=0.1))
    found = tune(copy, max_threads=1, progress=listener)
    assert found.best.variant == "int8"
    assert "fp32, cpu, 1 thread is left out: it is wrong." in listener.words


def test_a_tuning_is_json(timed: Timed, copy: Path) -> None:
    timed(_costs(fp32=0.8))
    value = json.loads(json.dumps(tune(copy, max_threads=1, batch=4).as_dict()))
    assert (value["batch"], value["best"]) == (4, "fp32, cpu, 1 thread")
    assert value["trials"][-1]["step"] == "final"


def test_a_lone_file_and_the_shipped_model_cannot_be_tuned(tiny: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"`tune` requires the folder of an artifact of yours.*Received: .*a lone file"
    ):
        tune(tiny / "model.onnx")
    with pytest.raises(ConfigError, match=r"Received: `.*`, which comes with edgeconv\. Export a model, or copy it"):
        tune(reference_model())


def test_a_batch_is_checked(copy: Path) -> None:
    with pytest.raises(ConfigError, match=r"`batch` must be at least 1\. Received: 0"):
        tune(copy, batch=0)


def test_real_calls_are_tuned(copy: Path) -> None:
    """Some thirty sessions, and twelve rounds of each: about a second."""
    found = tune(copy, max_threads=1, seconds=0.001)
    assert found.best.variant in {"fp32", "int8"}
    assert edgeconv.Predictor(copy).variant == found.best.variant


def test_the_folder_is_checked_before_anything_is_measured(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(tuning, "read_machine", None)
    with pytest.raises(ConfigError, match="which is a folder that may not be written to"):
        tune(copy)


def test_what_was_measured_is_not_lost_where_it_cannot_be_kept(
    timed: Timed, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    timed(_costs(fp32=0.8))
    monkeypatch.setattr("edgeconv.transaction.sync", full)
    found = tune(copy, max_threads=1)
    assert found.best == Configuration("fp32")
    assert found.unsaved == "[Errno 28] No space left on device"
    assert not _manifest(copy).get("session")
