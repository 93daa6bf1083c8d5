"""From an artifact to a small project around it, which embeds ONNX Runtime. Needs numpy and onnxruntime."""
