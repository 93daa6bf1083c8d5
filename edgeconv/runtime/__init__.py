"""The runtime room: an artifact answers, with numpy and ONNX Runtime alone."""
