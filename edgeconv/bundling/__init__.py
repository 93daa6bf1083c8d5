"""From an artifact to a small project around it, for one way to embed ONNX Runtime. Needs numpy and onnxruntime."""
