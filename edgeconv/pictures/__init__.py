"""From a file or an array to exactly what a model was trained on: numpy, with Pillow to decode."""
