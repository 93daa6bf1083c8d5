"""The preparation of pictures as standard ONNX operators, in front of a model: raw pixels in, probabilities out."""
