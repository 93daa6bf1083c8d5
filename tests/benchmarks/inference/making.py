"""Makes the files of every contender, as the users of each library make them, in processes of their own.

    python -m tests.benchmarks.inference.making PEER NETWORK

The peers get the network as notebooks have it: float pixels that are scaled already, without the Rescaling layer that
edgeconv folds into the weights. The scaling, and Keras' answers to the images of the check, go beside the files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.networks import NETWORKS, Network, edgeconv

CHECKED = 200
CALIBRATION = 256
OPSET = 17


def make(network: Network, *, again: bool) -> Path:
    """Return the folder with all files of a network. The artifact is exported anew; the peers' files are kept.

    Args:
        network: made too, where it is not there yet.
        again: make the peers' files anew, too.
    """
    folder = network.folder / "inference"
    if again:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    keras_file = network.keras_file
    for peer, made in PEERS.items():
        if not (folder / made).exists():
            print(f"{network.title}: making {made}", file=sys.stderr, flush=True)
            _child(peer, network.name)
    print(f"{network.title}: edgeconv export --quantize --fast, benchmark --tune", file=sys.stderr, flush=True)
    artifact = folder / "artifact"
    shutil.rmtree(artifact, ignore_errors=True)
    # The drop is what `make accuracy` holds: here every variant is to be timed, and its accuracy is shown.
    options = ["--quantize", "--fast", "--max-drop", "100", *network.data_options, "--out", str(artifact)]
    # Tuned, so that `Predictor` runs what edgeconv would have its users run on this machine.
    for command in (["export", str(keras_file), *options], ["benchmark", str(artifact), "--tune"]):
        if edgeconv(*command).returncode != 0:
            sys.exit(f"{network.title}: `edgeconv {command[0]}` must end well. Received: a failure.")
    return folder


def _child(peer: str, name: str) -> None:
    # TensorFlow 2.21 has the converter of LiteRT; the variable silences its log.
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = subprocess.run(
        [sys.executable, "-m", __spec__.name, peer, name], check=False, env=environment, capture_output=True, text=True
    )
    if ended.returncode != 0:
        sys.exit(f"{peer} must make its files of {name}. Received:\n{ended.stderr[-2000:]}")


def make_truth(network: Network, folder: Path) -> None:
    """Write the images of the check, their labels, and Keras' answers; and Keras' network without its scaling."""
    model = _loaded(network)
    scale, offset = _scaling(model)
    images, labels = network.images("test", CHECKED)
    answers = model.predict(images, batch_size=32, verbose=0)
    known = {} if labels is None else {"labels": labels}
    np.savez(folder / "truth.npz", images=images, answers=answers, scale=scale, offset=offset, **known)
    _bare(model, None).save(folder / "bare.keras")


def make_tf2onnx(network: Network, folder: Path) -> None:
    """As tf2onnx' README converts a Keras model, by the function that still works with Keras 3."""
    import tensorflow as tf
    import tf2onnx

    model = _bare(_loaded(network), None)
    signature = [tf.TensorSpec(model.inputs[0].shape, tf.float32, name="image")]
    function = tf.function(lambda image: {"out": model(image, training=False)}, input_signature=signature)
    tf2onnx.convert.from_function(
        function, input_signature=signature, opset=OPSET, output_path=str(folder / "tf2onnx.onnx")
    )


def make_static(network: Network, folder: Path) -> None:
    """`quantize_static` with default arguments, on tf2onnx' file as it is, and after `quant_pre_process`."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._images = iter([{"image": image[None]} for image in _representative(network)])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self._images, None)

    prepared = folder / "prepared.onnx"
    quant_pre_process(folder / "tf2onnx.onnx", prepared, skip_symbolic_shape=True)
    quantize_static(prepared, folder / "prepared_static.onnx", Reader())
    quantize_static(folder / "tf2onnx.onnx", folder / "static.onnx", Reader())


def make_litert(network: Network, folder: Path) -> None:
    """fp32 and full-integer int8 with uint8 in and out; with a batch of 1, which saves operators, and with any."""
    import tensorflow as tf

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        return ([image[None]] for image in _representative(network))

    for suffix, batch in (("-any", None), ("", 1)):
        model = _bare(_loaded(network), batch)
        (folder / f"fp32{suffix}.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        (folder / f"int8{suffix}.tflite").write_bytes(converter.convert())


MAKERS = {"truth": make_truth, "tf2onnx": make_tf2onnx, "static": make_static, "litert": make_litert}
PEERS = {"truth": "truth.npz", "tf2onnx": "tf2onnx.onnx", "static": "static.onnx", "litert": "int8.tflite"}
"""The file that each writes last."""


def _loaded(network: Network) -> Any:
    import keras

    return keras.models.load_model(network.keras_file, compile=False)


def _scaling(model: Any) -> tuple[float, float]:
    import keras

    (layer,) = [layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling)]
    return float(layer.scale), float(layer.offset)


def _bare(model: Any, batch: int | None) -> Any:
    """Return the network on float pixels that are scaled already; it shares the layers."""
    import keras

    def without_scaling(layer: Any) -> Any:
        return keras.layers.Identity(name=layer.name) if isinstance(layer, keras.layers.Rescaling) else layer

    pixels = keras.Input(batch_shape=(batch, *model.inputs[0].shape[1:]), dtype="float32", name="image")
    return keras.models.clone_model(model, input_tensors=pixels, clone_function=without_scaling)


def _representative(network: Network) -> NDArray[np.float32]:
    scale, offset = _scaling(_loaded(network))
    images, _ = network.images("train", CALIBRATION)
    return (images * np.float32(scale) + np.float32(offset)).astype(np.float32)


if __name__ == "__main__":
    chosen = NETWORKS[sys.argv[2]]
    MAKERS[sys.argv[1]](chosen, chosen.folder / "inference")
