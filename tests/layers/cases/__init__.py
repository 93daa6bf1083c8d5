"""The cases by topic; importing this package registers all of them."""

from tests.layers.cases import (
    activations,
    attention,
    augmentation,
    convolutions,
    core,
    features,
    foreign,
    images,
    merging,
    normalization,
    pooling,
    recurrent,
    regularization,
    reshaping,
)

__all__ = [
    "activations",
    "attention",
    "augmentation",
    "convolutions",
    "core",
    "features",
    "foreign",
    "images",
    "merging",
    "normalization",
    "pooling",
    "recurrent",
    "regularization",
    "reshaping",
]
