"""Variants of the table are made, judged, written, chosen and offered by its rows alone."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import click
import numpy as np
import pytest
from click.testing import CliRunner

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.benchmarking.configurations import usable_configurations  # noqa: E402
from edgeconv.bundling.collect import collect_context  # noqa: E402
from edgeconv.cli.variant_options import export_options, taken_variants, variant_option  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.conversion.variants.context import VariantContext  # noqa: E402
from edgeconv.conversion.variants.converted import ConvertedFile  # noqa: E402
from edgeconv.errors import ArtifactError, ConfigError, ParityError, UnsupportedModelError  # noqa: E402
from edgeconv.progress import SILENT  # noqa: E402
from edgeconv.runtime import session  # noqa: E402
from edgeconv.runtime.files import read_files  # noqa: E402
from edgeconv.variants import VARIANTS, VariantSpec  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers

HALVED = VariantSpec(
    name="half-size",
    file="model.half-size.onnx",
    title="half-size",
    option="half_size",
    help="Make a variant of half the size too.",
    made_from="fp32",
    precision="float32",
    tolerance=1e-3,
    cpu_rank=0,
)


def _copy(context: VariantContext) -> ConvertedFile | None:
    """Pretend: fp32 under another name."""
    context.progress.say("Halving")
    return ConvertedFile(context.fp32.model, context.fp32.bytes)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Add a variant as its author would: a row, and a module of its name."""
    module = ModuleType("edgeconv.conversion.variants.half_size")
    module.make = _copy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(VARIANTS, HALVED.name, HALVED)
    return module


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variants") / "net.keras"
    picture = keras.Input((8, 8, 1), dtype="uint8")
    features = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(picture))
    scores = layers.Dense(3, activation="softmax")(layers.Flatten()(features))
    alive(keras.Model(picture, scores)).save(path)
    return path


@pytest.fixture
def folder(made_up: ModuleType, model: Path, tmp_path: Path) -> Path:
    """Return an artifact with the variant that was made up."""
    del made_up
    config = edgeconv.ExportConfig(variants=("half-size",))
    return export_here(model, config=config, out=tmp_path / "net").path


def test_a_new_variant_is_exported_judged_and_written(folder: Path) -> None:
    files = read_files(folder)
    assert files.variants == ("fp32", "half-size")
    assert files.manifest.variants["half-size"].file == "model.half-size.onnx"
    assert (folder / "model.half-size.onnx").is_file()
    gates = {(gate.stage, gate.name, gate.limit) for gate in files.manifest.parity.gates}
    assert ("half-size", "max error over spread", 1e-3) in gates
    assert "half-size" in (folder / "report.html").read_text(encoding="utf-8")


def test_fp32_is_opened_once_to_be_verified_proved_and_timed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, open_with = [], session.open_with
    monkeypatch.setattr(session, "open_with", lambda *args, **more: opened.append(args) or open_with(*args, **more))
    exported = export_here(model, config=edgeconv.ExportConfig(), out=tmp_path / "net")
    assert len(opened) == 1
    row = exported.ledger.row("fp32")
    assert row is not None
    assert row.p50_latency_ms


def test_a_new_variant_is_chosen_by_its_rank_and_measured(folder: Path) -> None:
    assert edgeconv.Predictor(folder).variant == "half-size"
    assert edgeconv.Predictor(folder, variant="fp32").variant == "fp32"
    assert edgeconv.Predictor(folder / "model.half-size.onnx").variant == "half-size"
    files = read_files(folder)
    assert {configuration.variant for configuration in usable_configurations(files, SILENT)} == {"fp32", "half-size"}
    assert collect_context(files, None).variant == "fp32", "its row does not offer it to bundles"


def test_a_new_variant_goes_with_the_next_export_that_does_not_make_it(folder: Path, model: Path) -> None:
    export_here(model, config=edgeconv.ExportConfig(), out=folder)
    assert not (folder / "model.half-size.onnx").exists()
    with pytest.raises(ArtifactError, match=r"Make half-size with `edgeconv export --half-size`"):
        edgeconv.Predictor(folder, variant="half-size")


def test_a_new_variant_that_answers_otherwise_is_not_written(made_up: ModuleType, model: Path, tmp_path: Path) -> None:
    def other(context: VariantContext) -> ConvertedFile:
        broken = type(context.fp32.model)()
        broken.CopyFrom(context.fp32.model)
        for tensor in broken.graph.initializer:
            if tensor.data_type == 1:
                tensor.raw_data = bytes(len(tensor.raw_data))
        return ConvertedFile(broken, broken.SerializeToString(deterministic=True))

    made_up.make = other  # type: ignore[attr-defined]
    with pytest.raises(ParityError, match=r"Received: half-size max error over spread: at most 0\.001, got"):
        export_here(model, config=edgeconv.ExportConfig(variants=("half-size",)), out=tmp_path / "net")
    assert not (tmp_path / "net" / "model.half-size.onnx").exists()


def test_a_variant_that_gains_nothing_is_left_out(made_up: ModuleType, model: Path, tmp_path: Path) -> None:
    def nothing(context: VariantContext) -> None:
        del context

    made_up.make = nothing  # type: ignore[attr-defined]
    exported = export_here(model, config=edgeconv.ExportConfig(variants=("half-size",)), out=tmp_path / "net")
    assert list(exported.manifest.variants) == ["fp32"]


def test_a_new_variant_is_offered_by_the_commands(made_up: ModuleType) -> None:
    del made_up

    @click.command()
    @export_options
    @variant_option("int8")
    def command(variant: str | None, **options: bool) -> None:
        click.echo(f"{variant} {taken_variants(options)} {options}")

    result = CliRunner().invoke(command, ["--half-size", "--fp16", "--variant", "half-size"])
    assert result.output == "half-size ('fp16', 'half-size') {}\n"
    assert "Make a variant of half the size too." in CliRunner().invoke(command, ["--help"]).output


def test_an_option_is_short_for_its_variant(model: Path) -> None:
    config = edgeconv.ExportConfig(variants=("int8", "fp16"))
    assert [name for name in VARIANTS if config.makes(name)] == ["fp32", "fp16", "int8"]
    assert edgeconv.ExportConfig(quantize=True).makes("int8")
    with pytest.raises(ConfigError, match=r"`variants` must be one of fp32, .*Received: 'int4'"):
        edgeconv.ExportConfig(variants=("int4",))
    with pytest.raises(ConfigError, match=r"`fast` is a form of int8\. Received: no `--quantize`"):
        export_here(model, config=edgeconv.ExportConfig(variants=("int8-fast",)))


def test_the_batch_size_that_a_model_declares_is_tried_where_no_other_can_be(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeconv.conversion.keras import load_keras
    from edgeconv.conversion.variants import fp32
    from edgeconv.conversion.variants.making import make_variants

    path = tmp_path / "fixed.keras"
    given = keras.Input(batch_shape=(2, 4))
    alive(keras.Model(given, layers.Dense(3)(given))).save(path)
    convert = fp32.make

    def picky(context: VariantContext) -> ConvertedFile:
        if context.reference.batch is None:
            raise UnsupportedModelError("not so")
        return convert(context)

    monkeypatch.setattr(fp32, "make", picky)
    made = make_variants(VariantContext(load_keras(path)))
    assert made.reference.batch == 2
    assert np.shape(made.sample_inputs.batches[0].feeds[made.reference.inputs[0].name]) == (2, 4)
    with pytest.raises(UnsupportedModelError, match="not so"):
        make_variants(VariantContext(load_keras(model)))
