"""What a bundle says of its model in words."""

from __future__ import annotations

from collections.abc import Sequence

from edgeconv.bundling.interface import ARRAYS, BundleArray, BundleInterface
from edgeconv.preparation import FILTERS, Preparation


def purpose_of(interface: BundleInterface, labels: Sequence[str]) -> str:
    """Say what the model does, behind its name: "tells which of 10 classes a picture shows"."""
    if interface.answer == ARRAYS:
        source = "a picture" if interface.preparation else _names(interface.inputs)
        return f"makes {_names(interface.answers)} of {source}"
    count = len(labels)
    return {
        "classes": f"tells which of {count} classes a picture shows",
        "tags": f"tells which of {count} things are in a picture",
        "yes-no": "answers yes or no to a picture",
        "values": f"estimates {count} numbers from a picture" if count > 1 else "estimates a number from a picture",
        "mask": f"tells which of {count} classes each pixel of a picture shows",
    }[interface.answer]


def row_in_words(interface: BundleInterface) -> str:
    """Say what a bundle's program prints of each input."""
    return {
        "classes": "its path, the likeliest class with its probability, and the three likeliest",
        "tags": f"its path, the things whose probability reaches {interface.threshold}, and the probabilities of all",
        "yes-no": f"its path, the answer, and the probability of yes, which is answered from {interface.threshold} on",
        "values": "its path, and the numbers by their names",
        "mask": "its path, the share of the pixels that each class has, and the PNG of classes that it writes",
        ARRAYS: "its path, and of each output its dtype, its shape and its numbers, row by row",
    }[interface.answer]


def in_words(items: Sequence[str]) -> str:
    """Return a list as people write it.

    Example:
        >>> in_words(["a", "b", "c"])
        'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def _names(arrays: Sequence[BundleArray]) -> str:
    return in_words([array.name for array in arrays]) if len(arrays) <= 3 else f"{len(arrays)} arrays"


def invitation(preparation: Preparation) -> str:
    """Say what a page takes: a pen draws digits and what else is grey, and no photographs in colour."""
    if preparation.kind == "digit":
        return "Draw a digit, or drop a picture"
    return "Draw, or drop a picture" if preparation.channels == 1 else "Drop or paste a picture"


def preparation_in_words(preparation: Preparation) -> str:
    """Say what becomes of a picture, behind the word "it"."""
    size = f"{preparation.height}x{preparation.width}"
    if preparation.kind == "digit":
        return (
            f"finds the ink, dark on bright or bright on dark, scales it into {preparation.box}x{preparation.box}, "
            f"and centres it by its mass in {size}, white on black"
        )
    colours = {1: "grey", 3: "RGB", 4: "RGB and alpha"}[preparation.channels]
    fitted = {
        "crop": f"cuts out the middle with the aspect of {size} and resizes it",
        "stretch": f"resizes the picture to {size}",
        "pad": f"resizes the picture into {size} and adds black bars",
    }[preparation.fit]
    interpolation, antialias = FILTERS[preparation.filter]
    return f"turns the picture to {colours}, {fitted}, {interpolation}, {'' if antialias else 'not '}antialiased"
