"""Layers that bring code or a graph from elsewhere."""

from __future__ import annotations

import tempfile
from typing import Any

from keras import layers

from tests.layers.case import Feed, built


@built("TFSMLayer", Feed((4,)))
def of_a_saved_model(x: Any) -> Any:
    import tensorflow as tf

    module = tf.Module()
    signature = [tf.TensorSpec((None, 4), tf.float32)]
    module.serve = tf.function(lambda tensor: tensor * 2.0, input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        return layers.TFSMLayer(folder, call_endpoint="serve")(x)
