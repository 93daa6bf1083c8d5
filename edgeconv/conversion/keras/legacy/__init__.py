"""Files of Keras 2: their config translated for Keras 3, their weights taken by name; what is left goes to tf-keras.

translation  config -> config      nodes    who calls whom, and TensorFlow functions among layers
layers       what Keras 3 lacks    weights  the legacy HDF5 layout, by the names of layers
opening      Keras 3, or tf_keras  tf_keras a model of Keras 2, as a Keras 3 model of one layer
"""
