from __future__ import annotations

import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402

from edgeconv.conversion.graph.file_size import LIMIT_BYTES, check_size  # noqa: E402
from edgeconv.conversion.graph.releases import (  # noqa: E402
    NEWEST,
    OLDEST,
    OPSETS,
    check_opset,
    for_runtime,
    ir_version_of,
    oldest_runtime,
    target,
)
from edgeconv.errors import ConfigError, UnsupportedModelError  # noqa: E402

NAMED = [f"1.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]


@pytest.mark.parametrize(("release", "opset"), [("1.10", 15), ("1.11", 16), ("1.12", 17), ("1.16", 17), ("1.32", 17)])
def test_the_oldest_runtime_chooses_the_opset_and_no_more_than_is_written_well(release: str, opset: int) -> None:
    assert (target(min_runtime=release).opset, target(min_runtime=release).ir_version) == (opset, 8)


@pytest.mark.parametrize("release", NAMED)
def test_what_is_chosen_for_a_release_loads_in_it(release: str) -> None:
    chosen, limits = target(min_runtime=release), for_runtime(release)
    assert chosen.opset <= limits.opset
    assert chosen.ir_version <= limits.ir_version
    needed = tuple(map(int, chosen.oldest_runtime.split(".")))
    assert needed <= tuple(map(int, release.split(".")))


@pytest.mark.parametrize("opset", OPSETS)
def test_the_installed_runtime_loads_every_opset_at_its_ir_version(opset: int) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    chosen = target(opset=opset)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", chosen.opset)], ir_version=chosen.ir_version
    )
    onnx.checker.check_model(model, full_check=True)  # Refuses an IR version below the opset's.
    ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert chosen.opset == opset


def test_older_opsets_take_the_older_format() -> None:
    assert [ir_version_of(opset) for opset in (13, 14, 15, 17, 18)] == [7, 7, 8, 8, 8]


def test_the_sentence_says_where_a_file_loads_and_what_the_release_is() -> None:
    assert target(min_runtime="1.16").sentence == (
        "Loads in ONNX Runtime 1.12 and later. "
        "1.16 is onnxruntime for Python 3.8 to 3.11, onnxruntime-web and onnxruntime-node."
    )
    assert target().sentence.endswith(
        "1.12 is onnxruntime for Python 3.7 to 3.10, onnxruntime-web and onnxruntime-node."
    )


def test_packages_that_are_not_known_of_a_release_are_not_promised() -> None:
    assert "onnxruntime-android" in for_runtime("1.20").packages
    assert for_runtime("1.28").packages == "onnxruntime for Python 3.11 to 3.14"


def test_a_patch_release_has_the_limits_of_its_minor_version() -> None:
    assert for_runtime("1.16.3") == for_runtime("1.16")
    assert (for_runtime("1.16").opset, for_runtime("1.16").ir_version) == (19, 9)


@pytest.mark.parametrize("release", ["1.9", "0.5", "2.0", "1.33", "latest", "1", "1.16rc1", "", "\uff11.16"])
def test_a_release_that_is_not_known_is_refused_with_those_that_are(release: str) -> None:
    with pytest.raises(ConfigError, match=r"a release of ONNX Runtime from 1\.10 to 1\.32"):
        target(min_runtime=release)


@pytest.mark.parametrize("opset", [12, 19, 0, True, 17.0])
def test_an_opset_that_is_not_written_is_refused(opset: int) -> None:
    with pytest.raises(ConfigError, match="a whole number from 13 to 18"):
        check_opset(opset)


def test_an_opset_that_the_named_release_does_not_load_is_refused() -> None:
    assert target(opset=18, min_runtime="1.14").opset == 18
    with pytest.raises(ConfigError, match=r"at most 17. Received: 18. .* 1\.14 or later"):
        target(opset=18, min_runtime="1.13")


def test_a_file_newer_than_every_known_release_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"opset 99, IR 8"):
        oldest_runtime(99, 8)


def test_weights_beyond_one_protobuf_message_are_refused_before_conversion() -> None:
    check_size(LIMIT_BYTES, "m.keras")
    with pytest.raises(UnsupportedModelError, match=r"`m\.keras` must have at most 2\.13 GB .* Received: 2\.2 GB"):
        check_size(2_200_000_000, "m.keras")
