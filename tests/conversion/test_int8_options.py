"""The export's options of int8, on one small classifier of noise. TensorFlow takes a second for each export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.conversion.int8.forms.candidates import SHIPPED  # noqa: E402
from edgeconv.conversion.int8.forms.speed import CandidateTime, SpeedComparison  # noqa: E402
from edgeconv.conversion.variants import int8_fast  # noqa: E402
from edgeconv.conversion.variants.int8 import Judge  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402
from edgeconv.parity.comparison import Batch, ComparisonSet  # noqa: E402
from edgeconv.parity.examples import answered  # noqa: E402
from edgeconv.parity.stage import answers_of, stage_of_tensors  # noqa: E402
from edgeconv.spread import Interval  # noqa: E402
from tests.conversion.int8.networks import convnet  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers
IMAGES = np.random.default_rng(5).integers(0, 256, (96, 16, 16, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an untrained classifier of raw pixels, with images to calibrate it on beside it."""
    path = tmp_path_factory.mktemp("model") / "noise.keras"
    network = keras.Sequential(
        [
            layers.Input((16, 16, 1), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu", name="first"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 3, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", name="scores"),
        ]
    )
    alive(network).save(path)
    np.savez(path.with_name("images.npz"), images=IMAGES)
    return path


def _int8(model: Path, **options: Any) -> ExportConfig:
    calibration = str(model.with_name("images.npz"))
    return ExportConfig(**{"quantize": True, "calibration": calibration, "max_drop": 100.0, **options})


def test_a_target_has_its_own_arithmetic(model: Path, tmp_path: Path) -> None:
    exported = export_here(model, config=_int8(model, target="arm64"), out=tmp_path / "m")
    record = exported.manifest.variants["int8"].quantization
    assert (record.target, record.activation_type, record.reduce_range) == ("arm64", "QInt8", False)
    assert edgeconv.Predictor(tmp_path / "m").variant == "int8"


def test_options_of_int8_without_it_are_refused(model: Path) -> None:
    with pytest.raises(ConfigError, match=r"`target` is for int8\. Received: `web` without `--quantize`"):
        export_here(model, config=ExportConfig(target="web"))
    with pytest.raises(ConfigError, match=r"`fast` is a form of int8\. Received: no `--quantize`"):
        export_here(model, config=ExportConfig(fast=True))


def test_a_target_that_int8_cannot_win_on_is_refused_before_any_work() -> None:
    with pytest.raises(ConfigError, match="CUDA provider has no int8 convolution"):
        export_here("no such file", config=ExportConfig(quantize=True, target="cuda"))


def test_layers_return_to_float_until_the_gate_holds(model: Path, tmp_path: Path) -> None:
    """Answers of noise lie so near one another that plain int8 confuses some."""
    exported = export_here(model, config=_int8(model, target="x86-avx2", max_drop=0.0), out=tmp_path / "m")
    way = exported.ledger.int8_search
    assert way is not None
    assert way["steps"][0]["drop"] > 0.0, "plain int8 flips some"
    assert way["holds"] is True
    assert way["steps"][way["chosen"]]["drop"] == 0.0
    row = exported.ledger.row("int8")
    assert row is not None
    assert row.agreement == 1.0
    assert "The search for int8" in (tmp_path / "m" / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "m" / "parity.json").read_text())["int8_search"] == way


@pytest.mark.parametrize("wins", ["qdq-", SHIPPED])
def test_the_fastest_form_of_int8_is_a_variant_if_it_wins(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wins: str
) -> None:
    raced: list[list[str]] = []

    def comparison(candidates: Any, feeds: Any) -> SpeedComparison:
        assert feeds["image"].shape == (1, 16, 16, 1)
        raced.append(list(candidates))
        winner = next((name for name in candidates if name.startswith(wins)), next(iter(candidates)))
        return SpeedComparison(winner, dict.fromkeys(candidates, CandidateTime(1.0, Interval(1.0, 1.0, 1.0))), True)

    monkeypatch.setattr(int8_fast, "fastest", comparison)
    exported = export_here(model, config=_int8(model, fast=True), out=tmp_path / "m")
    (forms,) = raced
    assert forms[0] == SHIPPED
    assert all(name.startswith("qdq") for name in forms[1:])
    assert ("int8-fast" in exported.manifest.variants) is (wins != SHIPPED)
    assert (tmp_path / "m" / "model.int8-fast.onnx").exists() is (wins != SHIPPED)
    if wins != SHIPPED:
        variant = exported.manifest.variants["int8-fast"]
        assert variant.quantization.form.startswith(wins)
        assert variant.requires is None, "standard operators run everywhere"
        answers = [
            edgeconv.Predictor(tmp_path / "m", variant=name).probabilities(IMAGES) for name in ("int8", "int8-fast")
        ]
        np.testing.assert_array_equal(*answers)


def test_a_form_with_other_answers_is_never_kept(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, int8: Any) -> dict[str, Any]:
        wrong = type(int8)()
        wrong.CopyFrom(int8)
        name = next(node.input[1] for node in wrong.graph.node if node.op_type == "QuantizeLinear")
        scale = next(value for value in wrong.graph.initializer if value.name == name)
        scale.CopyFrom(type(scale)(name=name, data_type=1, dims=scale.dims, float_data=[0.5]))
        return {"qdq-broken": wrong}

    monkeypatch.setattr(int8_fast, "gemm_candidates", broken)

    def comparison(candidates: Any, feeds: Any) -> SpeedComparison:
        assert "image" in feeds
        winner = "qdq-broken" if "qdq-broken" in candidates else SHIPPED
        return SpeedComparison(winner, dict.fromkeys(candidates, CandidateTime(1.0, Interval(1.0, 1.0, 1.0))), True)

    monkeypatch.setattr(int8_fast, "fastest", comparison)
    with pytest.raises(edgeconv.EdgeconvError, match="in the form qdq-broken must answer as int8 does, to the bit"):
        export_here(model, config=_int8(model, fast=True), out=tmp_path / "m")


def test_the_judge_counts_accuracy_where_classes_are_known_and_flips_where_not() -> None:
    fp32 = convnet()
    other = type(fp32)()
    other.CopyFrom(fp32)
    kernel = next(value for value in other.graph.initializer if value.name == "weights")
    kernel.raw_data = (-np.frombuffer(kernel.raw_data, np.float32)).tobytes()
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    blind = ComparisonSet.of_images(images, dataset="noise", split="calibration")
    judge = Judge(fp32.SerializeToString(deterministic=True), blind, reduced_range=False, batch=None)
    assert judge.drop(fp32).percent == 0.0
    flips = judge.drop(other).percent
    assert flips > 0.0
    told = judge.answers("fp32", fp32.SerializeToString(deterministic=True)).argmax(axis=1)
    seeing = Judge(
        fp32.SerializeToString(deterministic=True), replace(blind, labels=told), reduced_range=False, batch=None
    )
    assert seeing.drop(other).percent == pytest.approx(flips), "fp32 is always right here"
    upside_down = replace(blind, labels=judge.answers("", other.SerializeToString(deterministic=True)).argmax(axis=1))
    worse = Judge(fp32.SerializeToString(deterministic=True), upside_down, reduced_range=False, batch=None)
    assert worse.drop(other).percent == pytest.approx(-flips), "a model can also gain"
    assert set(judge.known({"int8": other.SerializeToString(deterministic=True), "new": b""})) == {"int8"}
    # Answers that are compared by their values may be large: those of the last candidate are kept.
    data = {"fp32": fp32.SerializeToString(deterministic=True), "int8": other.SerializeToString(deterministic=True)}
    batches = (Batch({fp32.graph.input[0].name: images}),)
    compared = ComparisonSet("noise", "given", "0", batches, spreads={})
    whole = answered(compared, answers_of(stage_of_tensors("fp32", data["fp32"]), compared))
    by_values = Judge(data["fp32"], whole, reduced_range=False, batch=None)
    assert by_values.drop(fp32).percent == 0.0 < by_values.drop(other).percent
    assert set(by_values.known(data)) == {"int8"}
