from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from edgeconv.conversion.int8 import measuring  # noqa: E402
from edgeconv.conversion.int8.measuring import measure  # noqa: E402
from edgeconv.conversion.int8.probing import activations_of, with_tensors  # noqa: E402
from edgeconv.conversion.int8.quantizing import prepare  # noqa: E402
from edgeconv.conversion.int8.ranges import CalibrationStatistics  # noqa: E402
from edgeconv.errors import ConfigError, UnsupportedModelError  # noqa: E402
from tests.conversion.int8.networks import convnet, residual_net, stream  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (123, 8, 8, 3), dtype=np.uint8)


def _equal(first: CalibrationStatistics, second: CalibrationStatistics) -> None:
    assert first.extremes == second.extremes
    assert first.histograms.keys() == second.histograms.keys()
    for name, histogram in first.histograms.items():
        np.testing.assert_array_equal(histogram.counts, second.histograms[name].counts)


def test_extremes_and_counts_are_those_of_the_tensors_themselves() -> None:
    prepared = prepare(convnet())
    tensors = activations_of(prepared.model)
    session = ort.InferenceSession(with_tensors(prepared.model, tensors).SerializeToString())
    feeds = {"image": IMAGES.astype(np.float32)}
    names = [output.name for output in session.get_outputs()]
    expected = feeds | dict(zip(names, session.run(names, feeds), strict=True))
    found = measure(prepared, stream(IMAGES))
    assert found.count == 123
    assert set(found.extremes) == set(expected) >= {"image", "nchw", "conv", "relu", "logits"}
    for name, values in expected.items():
        np.testing.assert_allclose(found.extremes[name], (values.min(), values.max()), rtol=1e-5, atol=1e-6)
        histogram = found.histograms[name]
        assert histogram.low <= 0 <= histogram.high
        assert histogram.counts.sum() == np.count_nonzero(values), name
        theirs, _ = np.histogram(values[values != 0], bins=len(histogram.counts), range=(histogram.low, histogram.high))
        assert np.abs(histogram.counts - theirs).sum() <= 0.02 * theirs.sum(), name


def test_memory_is_bounded_by_measuring_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer images at once, and where one is too much, fewer tensors: the counts are the same."""
    prepared = prepare(residual_net())
    whole = measure(prepared, stream(IMAGES))
    held: list[int] = []
    opened = measuring.open_probed

    class Watched:
        def __init__(self, session: Any) -> None:
            self.session = session
            self.get_outputs = session.get_outputs

        def run(self, names: Any, feeds: Any) -> Any:
            answers = self.session.run(names, feeds)
            held.append(sum(array.nbytes for array in answers))
            return answers

    monkeypatch.setattr(measuring, "open_probed", lambda model: Watched(opened(model)))
    monkeypatch.setattr(measuring, "BYTES_AT_ONCE", 3000)
    _equal(measure(prepared, stream(IMAGES)), whole)
    assert max(held) <= 3000


DEEP = """
from pathlib import Path
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from edgeconv.conversion.int8.probing import LOW, open_probed, with_extremes

def peak_mib():
    status = Path("/proc/self/status").read_text(encoding="ascii").split()
    return int(status[status.index("VmHWM:") + 1]) / 1024

names = ["image", *(f"map{number}" for number in range(40))]
nodes = [helper.make_node("Mul", [read, "factor"], [made], made) for read, made in zip(names, names[1:])]
kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1024, 1024]) for name in names]
factor = numpy_helper.from_array(np.float32(0.5), "factor")
graph = helper.make_graph(nodes, "deep", kinds[:1], kinds[-1:], [factor], value_info=kinds[1:-1])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = open_probed(with_extremes(model, names))
image = np.ones((1024, 1024), np.float32)
before = peak_mib()
(last,) = session.run([LOW + names[-1]], {"image": image})
assert last == 0.5**40
session.run(None, {"image": image})
print(peak_mib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak memory of a process")
def test_memory_does_not_grow_with_the_depth() -> None:
    """Loads onnx in a process of its own. Forty maps of 4 MiB, of which two or three are needed at once."""
    ended = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=True)
    assert float(ended.stdout) < 60


def test_a_file_of_one_batch_size_leaves_the_rest_out() -> None:
    prepared = prepare(convnet(batch=10))
    assert prepared.batch == 10
    found = measure(prepared, stream(IMAGES))
    assert found.count == 120
    _equal(found, measure(prepare(convnet(batch=10)), stream(IMAGES[:120])))
    with pytest.raises(ConfigError, match=r"the batch size 10 requires as many samples\. Received: 9"):
        measure(prepared, stream(IMAGES[:9]))


def test_values_that_are_not_finite_are_refused() -> None:
    model = convnet()
    (kernel,) = (item for item in model.graph.initializer if item.name == "kernel")
    kernel.CopyFrom(onnx.numpy_helper.from_array(np.full((8, 3, 3, 3), 3e37, np.float32), "kernel"))
    with pytest.raises(UnsupportedModelError, match=r"All activations must be finite .*Received: .* in `"):
        measure(prepare(model), stream(IMAGES))


class _KilledError(Exception):
    pass


def _breaking(batches_read: int) -> Any:
    """Return images whose reading fails after so many blocks of 7."""
    images = stream(IMAGES)
    whole = images.blocks
    left = [batches_read]

    def blocks(start: int) -> Iterator[np.ndarray]:
        for block in whole(start):
            if not left[0]:
                raise _KilledError
            left[0] -= 1
            yield block

    return replace(images, blocks=blocks)


@pytest.mark.parametrize("blocks_read", [1, 9, 15, 20, 30])
def test_an_interrupted_measurement_goes_on_where_it_was(
    blocks_read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first pass or in the second: what was measured is not measured again, and the result is the same."""
    monkeypatch.setattr(measuring, "STORE_EVERY_S", 0.0)
    monkeypatch.setattr(measuring, "BATCH", 14)
    prepared = prepare(convnet())
    whole = measure(prepared, stream(IMAGES))
    with pytest.raises(_KilledError):
        measure(prepared, _breaking(blocks_read), cache=tmp_path)
    starts: list[int] = []
    images = stream(IMAGES)
    watched = replace(images, blocks=lambda start: [starts.append(start), images.blocks(start)][1])
    _equal(measure(prepared, watched, cache=tmp_path), whole)
    # 18 blocks a pass. A batch that was not complete is lost.
    done = (blocks_read % 18) // 2 * 14
    assert starts == ([done, 0] if blocks_read < 18 else [done])


def test_a_second_measurement_reads_nothing(tmp_path: Path) -> None:
    prepared = prepare(convnet())
    first = measure(prepared, stream(IMAGES), cache=tmp_path)
    _equal(measure(prepared, _breaking(0), cache=tmp_path), first)


def test_other_images_or_another_model_are_measured_anew(tmp_path: Path) -> None:
    prepared = prepare(convnet())
    measure(prepared, stream(IMAGES), cache=tmp_path)
    others = IMAGES.copy()
    others[5, 2, 2, 2] ^= 1
    _equal(measure(prepared, stream(others), cache=tmp_path), measure(prepared, stream(others)))
    other = prepare(convnet())
    for item in other.model.graph.initializer:
        if item.name == "bias":
            item.CopyFrom(onnx.numpy_helper.from_array(np.full(8, 5, np.float32), "bias"))
    assert (
        measure(other, stream(IMAGES), cache=tmp_path).extremes["conv"]
        != (measure(prepared, stream(IMAGES), cache=tmp_path).extremes["conv"])
    )


def test_a_damaged_cache_is_measured_anew(tmp_path: Path) -> None:
    prepared = prepare(convnet())
    first = measure(prepared, stream(IMAGES), cache=tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-50])
    _equal(measure(prepared, stream(IMAGES), cache=tmp_path), first)
