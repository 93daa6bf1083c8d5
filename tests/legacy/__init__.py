"""Files that Keras 2 writes, of each layer and of keras.applications: exported and compared with its answers."""
