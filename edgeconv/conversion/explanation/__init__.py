"""Where a file's answers part from Keras: layer by layer, with bounded memory.

recording   what the Keras layers answer              statistics  five numbers that identify a tensor
tapping     the tensors inside an ONNX graph          comparing   one tensor against another, in any layout
matching    which tensor is which layer's output      divergence  the first layer that differs, by bisection
explaining  every layer, in every variant             table       what that finds

Import from the modules: `table` is read in processes that have no onnx.
"""
