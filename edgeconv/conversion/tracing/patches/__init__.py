"""What Keras, TensorFlow and tf2onnx get wrong between them, put right while a model is traced: one file a rewrite.

Each file says why it is there, which upstream issue it answers, and when it can go. A rewrite is a context manager,
active only while a model is traced or converted, or a handler of a TensorFlow operation given to tf2onnx for one
conversion. Nothing stays changed afterwards.
"""
