"""From Keras models to ONNX graphs, or to one line that names the layer. TensorFlow takes seconds to come up."""

from __future__ import annotations

from typing import Any

import onnx
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
import tensorflow as tf  # noqa: E402

from edgeconv.conversion.tracing.layer_calls import layer_paths  # noqa: E402
from edgeconv.conversion.tracing.refusals import FailedNodes, plain, refuse_foreign_nodes  # noqa: E402
from edgeconv.conversion.tracing.tracer import trace  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402
from tests.conversion.tracing.tracing import traced, worst_error  # noqa: E402

layers = keras.layers
TOLERANCE = 2e-5


def _wrapped(layer: Any, *, shape: tuple[int, ...] = (4,), dtype: str = "float32") -> Any:
    """Return a model with the layer in a nested model called `inner`."""
    value = keras.Input(shape, dtype=dtype)
    inner_value = keras.Input(shape, dtype=dtype)
    inner = keras.Model(inner_value, layer(inner_value), name="inner")
    return keras.Model(value, inner(value))


@keras.saving.register_keras_serializable("tests")
class Raising(layers.Layer):
    """Raises where it is traced, and only there."""

    def call(self, value: Any) -> Any:
        if tf.inside_function() and not isinstance(value, keras.KerasTensor):
            raise RuntimeError("no\ngraph for me")
        return value

    def compute_output_spec(self, value: Any) -> Any:
        return keras.KerasTensor(value.shape, value.dtype)


@keras.saving.register_keras_serializable("tests")
class InPython(layers.Layer):
    """Calls Python from the graph."""

    def call(self, value: Any) -> Any:
        return tf.ensure_shape(tf.py_function(lambda array: array, [value], tf.float32), value.shape)

    def compute_output_spec(self, value: Any) -> Any:
        return keras.KerasTensor(value.shape, value.dtype)


def test_inputs_and_outputs_keep_names_and_order() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    signature = [tf.TensorSpec((None, 4), name=name) for name in ("zebra", "unused", "ant")]

    def answer(zebra: Any, unused: Any, ant: Any) -> dict[str, Any]:
        return {"second": model(zebra), "first": model(ant), "as_given": zebra}

    graph = trace(answer, signature, model, opset=17, source="model.keras").graph
    assert [value.name for value in graph.input] == ["zebra", "unused", "ant"]
    assert [value.name for value in graph.output] == ["second", "first", "as_given"]


def test_constants_that_keras_computed_are_no_inputs() -> None:
    model = keras.Sequential([keras.Input((300,)), layers.Normalization(mean=[1.0] * 300, variance=[2.0] * 300)])
    assert [value.name for value in traced(model).graph.input] == ["in0"]
    assert worst_error(model) < TOLERANCE


def test_large_weights_arrive_whole() -> None:
    model = alive(keras.Sequential([keras.Input((200,)), layers.Dense(200), layers.Reshape((10, 20)), layers.LSTM(60)]))
    assert worst_error(model) < TOLERANCE


@pytest.mark.parametrize("opset", [13, 15, 17, 18])
def test_opsets(opset: int) -> None:
    stack = [layers.Conv2D(6, 3, groups=3, activation="gelu"), layers.Resizing(4, 5, "area"), layers.GlobalMaxPool2D()]
    model = alive(keras.Sequential([keras.Input((9, 9, 3)), *stack, layers.Dense(4, activation="softmax")]))
    assert worst_error(model, opset=opset) < TOLERANCE
    assert {entry.domain: entry.version for entry in traced(model, opset=opset).opset_import}[""] == opset


@pytest.mark.parametrize(
    ("layer", "dtype", "says"),
    [
        (lambda: Raising(name="odd"), "float32", r"layer `inner/odd` \(Raising\): RuntimeError: no graph for me"),
        (lambda: InPython(name="odd"), "float32", r"EagerPyFunc in layer `inner/odd` \(InPython\)"),
        (
            lambda: layers.StringLookup(vocabulary=["ant"], invert=True, name="odd"),
            "int64",
            r"layer `inner/odd` \(StringLookup\)",
        ),
        (lambda: layers.Hashing(5, name="odd"), "int32", r"layer `inner/odd` \(Hashing\). Hash before"),
    ],
    ids=["raises", "python", "table", "hash"],
)
def test_a_layer_that_onnx_cannot_express_is_named(layer: Any, dtype: str, says: str) -> None:
    model = _wrapped(layer(), dtype=dtype)
    with pytest.raises(UnsupportedModelError, match=says) as refusal:
        traced(model)
    assert "\n" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)


def test_a_layer_that_keeps_state_is_refused() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(3, 7, 3)), layers.LSTM(5, stateful=True, name="memory")])
    with pytest.raises(UnsupportedModelError, match=r"layer `memory` \(LSTM\).*`stateful=False`"):
        traced(model)


@keras.saving.register_keras_serializable("tests")
class Counting(layers.Layer):
    """Answers by a variable that it changes."""

    def build(self, _: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, value: Any) -> Any:
        self.calls.assign_add(1.0)
        return value + self.calls


@keras.saving.register_keras_serializable("tests")
class CountingInside(Counting):
    """Does so in the body of a loop."""

    def call(self, value: Any) -> Any:
        def step(place: Any, total: Any) -> Any:
            return place + 1, super(CountingInside, self).call(total)

        return tf.while_loop(lambda place, _: place < 3, step, [0, value])[1]


@pytest.mark.parametrize("kind", [Counting, CountingInside])
def test_a_layer_of_ones_own_that_keeps_state_is_refused(kind: Any) -> None:
    with pytest.raises(UnsupportedModelError, match=r"layer `inner/odd` \(Counting.*Keep what it changes out"):
        traced(_wrapped(kind(name="odd")))


def test_what_changes_and_is_not_read_is_no_state() -> None:
    """Nor is it in the next run: Python gives the identities of tensors that are gone to others."""
    value = keras.Input((8, 8, 3))
    model = keras.Model(value, layers.RandomHue(0.2)(layers.MixUp()(value)))
    for _ in range(3):
        assert worst_error(model) == 0.0


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "Sizes 6 and 5 for '{{node model._1/conv._2/Mul_1}} = Mul[T=FLOAT, f=\"NHWC\"](model._1/conv._2/x)' of [5]",
            "Sizes 6 and 5 for `Mul` of [5]",
        ),
        ("Input 0 of node model._1/block._1/conv._2/Mul_1 is odd.", "Input 0 of node block/conv/Mul_1 is odd"),
        ("Shape of functional./dense./MatMul:0 unknown", "Shape of dense/MatMul:0 unknown"),
        ("See ./notes/mine or 3.5/2.\nEnd", "See ./notes/mine or 3.5/2. End"),
    ],
)
def test_messages_hold_names_as_their_author_knows_them(message: str, told: str) -> None:
    assert plain(ValueError(message)) == told


def test_strings_are_refused() -> None:
    model = keras.Sequential([keras.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["ant"])])
    with pytest.raises(UnsupportedModelError, match=r"input `in0` of strings"):
        traced(model)


def test_a_refusal_leaves_the_model_and_the_terminal_as_they_were(capfd: pytest.CaptureFixture[str]) -> None:
    model = _wrapped(InPython(name="odd"))
    names = [layer.name for layer in layer_paths(model).values()]
    with pytest.raises(UnsupportedModelError, match="odd"):
        traced(model)
    assert [layer.name for layer in layer_paths(model).values()] == names
    assert keras.config.is_traceback_filtering_enabled()
    assert capfd.readouterr() == ("", "")


def test_nodes_are_named_after_layers_at_every_depth() -> None:
    value = keras.Input((6, 8))
    model = keras.Model(value, layers.MultiHeadAttention(2, 4, name="attention")(value, value))
    names = [node.name for node in traced(model).graph.node]
    assert any("attention._1/query._1/" in name for name in names)


def test_graphs_in_nodes_are_searched_for_foreign_operators() -> None:
    helper = onnx.helper
    inner = helper.make_graph([helper.make_node("Erfc", ["x"], ["y"])], "inner", [], [])
    node = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    proto = helper.make_model(helper.make_graph([node], "outer", [], []))
    with pytest.raises(UnsupportedModelError, match=r"must consist of operations that ONNX has. Received: Erfc"):
        refuse_foreign_nodes(proto, _wrapped(layers.Dense(2)), FailedNodes(), opset=17, source="model.keras")
