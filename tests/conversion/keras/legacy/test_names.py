"""What a file of Keras 2 may call: refused by the archive's check, before any Keras opens it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeconv.conversion.keras.archive import check_archive
from edgeconv.conversion.keras.archive.tensorflow_functions import is_plain_function
from edgeconv.errors import UnsupportedModelError
from tests.conversion.keras.archives import refusal

pytestmark = pytest.mark.train
Write = Callable[..., Path]


def keras2(kind: str, **config: Any) -> dict[str, Any]:
    layers = [
        {
            "class_name": kind,
            "config": {"name": "it", **config},
            **({"module": config.pop("module")} if "module" in config else {}),
        }
    ]
    return {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}


@pytest.mark.parametrize(
    "function",
    ["io.write_file", "io.read_file", "py_function", "raw_ops.WriteFile", "load_op_library", "numpy_function"],
)
def test_functions_that_reach_outside_are_refused(write_h5: Write, function: str) -> None:
    path = write_h5(keras2("TFOpLambda", function=function))
    assert f"calls TensorFlow's function `{function}`" in refusal(path, UnsupportedModelError)


def test_operations_that_reach_outside_are_refused(write_h5: Write) -> None:
    path = write_h5(keras2("TensorFlowOpLayer", node_def=json.dumps({"op": "WriteFile"}), constants={}))
    assert "a TensorFlowOpLayer of an operation that is not on the list" in refusal(path, UnsupportedModelError)


@pytest.mark.parametrize("kind", ["ClassMethod", "InstanceMethod", "InstanceProperty"])
def test_calls_by_name_are_refused(write_h5: Write, kind: str) -> None:
    assert "by its name" in refusal(write_h5(keras2(kind)), UnsupportedModelError)


def test_code_is_refused_as_ever(write_h5: Write) -> None:
    path = write_h5(keras2("Lambda", function=["4wAAAA==", None, None], function_type="lambda"))
    assert "is a Lambda, whose Python code would run" in refusal(path, UnsupportedModelError)


@pytest.mark.parametrize("module", ["os", "tf_keras.utils", "keras.src.utils", "tf_keras.src.saving", "tensorflow"])
def test_modules_that_do_other_things_are_refused(write_h5: Write, module: str) -> None:
    config = keras2("Dense", units=1)
    config["config"]["layers"][0]["module"] = module
    assert "needs the class" in refusal(write_h5(config), UnsupportedModelError)


@pytest.mark.parametrize("module", ["tensorflow.python.ops.init_ops_v2", "tensorflow.python.ops.init_ops"])
def test_initializers_may_be_of_tensorflow(write_h5: Write, module: str) -> None:
    """As in EfficientNetV2 of keras.applications; nothing else of TensorFlow may."""
    constant = {"module": module, "class_name": "Constant", "config": {"value": 0.0}, "registered_name": None}
    check_archive(write_h5(keras2("Dense", units=1, bias_initializer=constant)))
    path = write_h5(keras2("Dense", units=1, bias_initializer={**constant, "class_name": "load_op_library"}))
    assert f"needs the class `{module}.load_op_library`" in refusal(path, UnsupportedModelError)


def test_a_list_of_tensors_functions_has_none_that_reads_or_runs() -> None:
    assert is_plain_function("math.multiply")
    assert is_plain_function("compat.v1.transpose")
    assert not any(
        map(is_plain_function, ("io.gfile.GFile", "map_fn", "while_loop", "cond", "print", "saved_model.load", ""))
    )
