"""Models whose every weight has a bit width of its own, which no int8 file has."""

from __future__ import annotations

from pathlib import Path

from edgeconv.conversion.keras.archive.wording import shown
from edgeconv.errors import UnsupportedModelError

PACKAGE = "hgq"
"""What HGQ2 registers its layers under."""


def refuse_bit_widths_by_element(path: Path, layer: str, registered: str) -> None:
    """Refuse a layer of HGQ2, whether the user brings its class or not.

    Raises:
        UnsupportedModelError: it is one.
    """
    package, _, name = registered.partition(">")
    if package == PACKAGE and name:
        raise UnsupportedModelError(
            f"`{path}` must have one scale for all weights of an output channel, and one for all values of an "
            f"activation, as QuantizeLinear has. Received: the layer {shown(layer)}, a {shown(name)} of HGQ2, where "
            "each element has bits of its own. Set its `qkernel` and `qbias` as the weights of Keras' own layer, and "
            "train that on with `edgeconv.fake_quantize`."
        )
