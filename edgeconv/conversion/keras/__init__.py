"""Keras models: loaded safely, described by their ports, and asked for their answers.

load_keras(path) --> KerasReference --to_onnx--> what tf2onnx makes of it

loading    opens `.keras`, `.h5` and SavedModel      ports      names, dtypes and shapes of inputs and outputs
reference  the loaded model, asked for answers       structure  nested inputs and outputs, flat and back
pixels     what a float input makes of a pixel       ranges     which values an input may take
"""

from edgeconv.conversion.keras.loading import load_keras
from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.keras.reference import KerasReference

__all__ = ["KerasReference", "Port", "load_keras"]
