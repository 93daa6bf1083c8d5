"""An artifact answers pictures, with numpy and ONNX Runtime alone."""
