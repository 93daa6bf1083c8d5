"""Every model of `keras.applications`, exported by edgeconv, by tf2onnx and by Keras: `python -m tests.zoo`."""
