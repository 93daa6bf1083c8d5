"""A Keras model becomes verified ONNX, and int8, with its parity proved."""
