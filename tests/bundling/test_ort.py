from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling import ort_format  # noqa: E402
from edgeconv.bundling.bundler import bundle  # noqa: E402
from edgeconv.bundling.collect import collect_context  # noqa: E402
from edgeconv.bundling.context import BundleContext  # noqa: E402
from edgeconv.bundling.ort_order import in_order  # noqa: E402
from edgeconv.bundling.portable import portable  # noqa: E402
from edgeconv.conversion.int8.unsigned_weights import with_unsigned_weights  # noqa: E402
from edgeconv.formatting import format_size  # noqa: E402
from edgeconv.manifest import METADATA_KEY, Manifest  # noqa: E402
from edgeconv.runtime.files import read_files  # noqa: E402
from edgeconv.runtime.loading import reference_model  # noqa: E402
from tests.bundling.networks import NETWORKS, make_artifact  # noqa: E402
from tests.bundling.python.running import load  # noqa: E402
from tests.variations import with_disturbed_weights, with_flipped_polarity  # noqa: E402

EXTENDED = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED


@pytest.fixture(scope="module")
def context() -> BundleContext:
    return collect_context(read_files(reference_model() or Path()), "int8")


@pytest.fixture(scope="module")
def made(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("ort")


def _session(model: str | bytes, level: ort.GraphOptimizationLevel = EXTENDED) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def test_the_model_answers_as_the_onnx_file_it_was_made_of(made: Path, context: BundleContext) -> None:
    converted, original = _session(str(made / "model" / "model.ort")), _session(portable(context.model, "int8"))
    for sample in context.samples:
        for received, wanted in zip(
            converted.run(None, {"picture": sample.inputs[0]}),
            original.run(None, {"picture": sample.inputs[0]}),
            strict=True,
        ):
            np.testing.assert_array_equal(received, wanted)


def test_the_plain_model_answers_a_batch_as_the_onnx_file_it_was_made_of(made: Path, context: BundleContext) -> None:
    images = np.concatenate([sample.outputs[-1] for sample in context.samples])
    (received,) = _session(str(made / "plain" / "model.ort")).run(None, {"image": images})
    (wanted,) = _session(portable(context.plain, "int8")).run(None, {"image": images})
    np.testing.assert_array_equal(received, wanted)


def test_both_models_are_right_without_a_session_option_on_this_processor(made: Path, context: BundleContext) -> None:
    plain = _session(str(made / "plain" / "model.ort"))
    picture = _session(str(made / "model" / "model.ort"))
    for sample in context.samples:
        wanted, prepared = sample.outputs
        for answer in (
            plain.run(["probabilities"], {"image": prepared}),
            picture.run(["probabilities"], {"picture": sample.inputs[0]}),
        ):
            assert np.abs(answer[0] - wanted).max() <= context.tolerances[0].limit


def _operators_of(graph: onnx.GraphProto) -> Iterator[tuple[str, str]]:
    for node in graph.node:
        yield node.domain or "ai.onnx", node.op_type
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _operators_of(attribute.g)


@pytest.mark.parametrize("place", ["model", "plain"])
def test_the_configuration_lists_exactly_the_operators_of_the_optimised_graph(
    place: str, made: Path, context: BundleContext, tmp_path: Path
) -> None:
    from onnxruntime.tools.reduced_build_config_parser import parse_config

    options = ort.SessionOptions()
    options.graph_optimization_level = EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    model = portable(context.model if place == "model" else context.plain, "int8")
    ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted = set(_operators_of(onnx.load(tmp_path / "optimised.onnx").graph))
    for name, with_types in ((ort_format.OPERATORS_FILE, False), (ort_format.TYPES_FILE, True)):
        required, types = parse_config(str(made / place / name), with_types)
        assert {(domain, op) for domain, sets in required.items() for ops in sets.values() for op in ops} == wanted
        assert (types is not None) is with_types
        assert "# - model.ort\n" in (made / place / name).read_text()


def test_nothing_in_the_models_is_laid_out_for_a_processor(made: Path) -> None:
    for config in made.rglob(ort_format.OPERATORS_FILE):
        assert "nchwc" not in config.read_text()
        assert "Nhwc" not in config.read_text()


@pytest.mark.parametrize("place", ["model", "plain"])
def test_the_contract_survives(place: str, made: Path, context: BundleContext) -> None:
    metadata = _session(str(made / place / "model.ort")).get_modelmeta().custom_metadata_map
    assert Manifest.from_json(metadata[METADATA_KEY], "model.ort").labels == context.manifest.labels


def _selftest(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "predict.py", "--selftest", "--rows"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _with_model(made: Path, folder: Path, model: bytes) -> Path:
    shutil.copytree(made, folder)
    ort_format._convert(model, folder / "model")
    return folder


def test_the_self_test_passes(made: Path, context: BundleContext) -> None:
    done = _selftest(made)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"PASS: {len(context.samples)} samples;")
    assert [json.loads(line)["sample"] for line in done.stdout.splitlines()] == list(range(len(context.samples)))


@pytest.mark.parametrize("row", NETWORKS)
def test_the_self_test_of_every_task_passes(row: str, tmp_path: Path) -> None:
    made = bundle(make_artifact(row, tmp_path / "artifact"), target="ort", out=tmp_path / "made").path
    package = load(made)
    report = package.selftest(package.Model())
    assert report.passed, report.verdict
    assert (made / "plain" / "model.ort").is_file() == NETWORKS[row].takes_picture
    assert "BUNDLE_" not in (made / "README.md").read_text(encoding="utf-8")


def test_the_self_test_names_a_flipped_polarity(made: Path, context: BundleContext, tmp_path: Path) -> None:
    done = _selftest(_with_model(made, tmp_path / "flipped", portable(with_flipped_polarity(), "int8")))
    assert done.returncode == 1
    assert "FAIL: preparation is off" in done.stderr
    assert "inference is off" not in done.stderr


def test_the_self_test_names_disturbed_weights(made: Path, context: BundleContext, tmp_path: Path) -> None:
    done = _selftest(_with_model(made, tmp_path / "disturbed", portable(with_disturbed_weights(), "int8")))
    assert done.returncode == 1
    assert "FAIL: inference is off" in done.stderr
    assert "preparation is off" not in done.stderr


def test_the_readme_states_the_measured_sizes_and_calls_the_rest_an_estimate(made: Path) -> None:
    text = (made / "README.md").read_text(encoding="utf-8")
    assert format_size((made / "model" / "model.ort").stat().st_size) in text
    assert format_size((made / "plain" / "model.ort").stat().st_size) in text
    assert "**estimated**" in text
    assert "No reduced library was built" in text


def test_fp32_is_bundled_without_onnx_and_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    fp32 = collect_context(read_files(tiny), "fp32")
    assert portable(fp32.plain, "fp32") is fp32.plain
    made = bundle(tiny, target="ort", out=tmp_path / "tiny", variant="fp32").path
    assert _selftest(made).returncode == 0


def _table_of(data: bytes) -> list[tuple[bytes, dict[bytes, list[tuple[int, int]]]]]:
    """Return the operators of an `.ort` file, with the arguments that decide about their kernels."""
    from ort_flatbuffers_py.fbs import InferenceSession as Root

    resolver = Root.InferenceSession.GetRootAs(bytearray(data)).KernelTypeStrResolver()
    table = []
    for number in range(resolver.OpKernelTypeStrArgsLength()):
        operator = resolver.OpKernelTypeStrArgs(number)
        names = [operator.KernelTypeStrArgs(i) for i in range(operator.KernelTypeStrArgsLength())]
        arguments = {name.KernelTypeStr(): [name.Args(i) for i in range(name.ArgsLength())] for name in names}
        table.append(
            (operator.OpId(), {key: [(a.ArgType(), a.Index()) for a in row] for key, row in arguments.items()})
        )
    return table


@pytest.mark.parametrize("embedded", [True, False], ids=["with preparation", "plain"])
def test_sorting_the_operators_changes_their_order_only(embedded: bool, context: BundleContext, tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.graph_optimization_level = EXTENDED
    options.optimized_model_filepath = str(tmp_path / "model.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(context.model if embedded else context.plain, options, providers=["CPUExecutionProvider"])
    data = (tmp_path / "model.ort").read_bytes()
    ordered = in_order(data)
    assert len(_table_of(data)) > 3
    assert _table_of(ordered) == sorted(_table_of(data), key=lambda row: row[0])
    assert in_order(ordered) == ordered
    before, after = _session(data).get_modelmeta(), _session(ordered).get_modelmeta()
    assert before.custom_metadata_map == after.custom_metadata_map
    assert data[-50_000:] == ordered[-50_000:]


def test_making_the_configuration_leaves_the_root_logger_alone(tmp_path: Path, context: BundleContext) -> None:
    code = (
        "import logging, sys; from pathlib import Path; from edgeconv.bundling import ort_format; "
        "ort_format._convert(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])); print(logging.root.handlers)"
    )
    (tmp_path / "plain.onnx").write_bytes(context.plain)
    command = [sys.executable, "-c", code, str(tmp_path / "plain.onnx"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_unsigned_weights_are_the_same_numbers(context: BundleContext) -> None:
    """Without fusions ONNX Runtime dequantizes in float, where nothing overflows: answers must be equal to the bit."""
    changed = with_unsigned_weights(context.plain)
    weights = [tensor for tensor in onnx.load_model_from_string(changed).graph.initializer if len(tensor.dims) > 1]
    assert len(weights) > 1
    assert {tensor.data_type for tensor in weights} == {onnx.TensorProto.UINT8}
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1), np.uint8)
    off = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    received, wanted = (_session(model, off).run(None, {"image": images})[0] for model in (changed, context.plain))
    np.testing.assert_array_equal(received, wanted)


def test_unsigned_weights_are_left_alone_and_metadata_stays(context: BundleContext) -> None:
    changed = with_unsigned_weights(context.model)
    assert with_unsigned_weights(changed) == changed
    before, after = (onnx.load_model_from_string(model) for model in (context.model, changed))
    assert list(before.metadata_props) == list(after.metadata_props)
    onnx.checker.check_model(after, full_check=True)
