"""ONNX graphs: read, edited, simplified, and named after the layers that they came from."""
