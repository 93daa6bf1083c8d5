"""From a Keras model to the graph that tf2onnx makes of it, or an error that names the layer.

tracer        the steps, one at a time          freezing   weights and constants written into the graph
layer_calls   which layer is being called       refusals   what to say of a layer that ONNX cannot express
side_effects  layers whose answers change from call to call
library       TensorFlow's, linked by a thread while Python imports something else
"""
