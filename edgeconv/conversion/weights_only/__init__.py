"""Weights alone in 8 or 4 bits, for the size of a file: they become floats again when it is loaded, or run."""
