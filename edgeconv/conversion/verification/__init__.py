"""Whether an ONNX file may stand for a Keras model: its structure, and its answers."""
