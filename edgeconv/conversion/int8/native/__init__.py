"""The quantized graph written for one runtime: the same int8 numbers out of fewer and faster nodes of ONNX Runtime."""
