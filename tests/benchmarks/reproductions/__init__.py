"""What makes ONNX Runtime's CPU kernels slow, in small graphs that need nothing of this project."""
