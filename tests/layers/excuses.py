"""Public names that have no case, each with the reason."""

from __future__ import annotations

EXCUSES = {
    "Layer": "the base class: it computes nothing until somebody subclasses it",
    "Wrapper": "a base class: it holds a layer and has no `call` of its own; Bidirectional and TimeDistributed have",
    "InputSpec": "describes what a layer accepts; it is no layer",
    "Input": "makes the input of every case",
    "deserialize": "makes a layer from its configuration; every case is loaded through it",
    "serialize": "makes the configuration of a layer; every case is saved through it",
    "JaxLayer": "calls a function of JAX, which the extra `train` does not install",
    "FlaxLayer": "calls a module of Flax, which the extra `train` does not install",
    "TorchModuleWrapper": "calls a module of PyTorch, which the extra `train` does not install",
    "activations.get": "returns the function of a name",
    "activations.deserialize": "returns the function of a configuration",
    "activations.serialize": "returns the configuration of a function",
}
"""Name -> reason. Aliases, such as `Convolution2D` for `Conv2D`, need none: they are the same object."""

PACKAGES = {"JaxLayer": "jax", "FlaxLayer": "flax", "TorchModuleWrapper": "torch"}
"""Layers that cannot even be constructed without a package -> the package."""
