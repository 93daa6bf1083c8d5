"""Draw every figure of the documentation that comes from the reference model.

    python docs/tools/draw_figures.py [FOLDER]

Default folder: docs/images. Needs the extra `train`. The same model gives the same files, byte for byte.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from figures.convolution import draw_convolution, draw_feature_maps, draw_receptive_fields
from figures.pooling import draw_pooling, draw_shift
from figures.preparation import draw_preparation
from figures.quantization import draw_scales, draw_steps
from figures.reference import Reference, read_reference

FIGURES = {
    "preparation": draw_preparation,
    "convolution": draw_convolution,
    "feature-maps": draw_feature_maps,
    "max-pooling": draw_pooling,
    "shift-by-one-pixel": draw_shift,
    "receptive-fields": draw_receptive_fields,
    "int8-steps": draw_steps,
    "int8-scales": draw_scales,
}
IMAGES = Path(__file__).parents[1] / "images"
STYLE = {"font.size": 9, "axes.titlesize": 9, "savefig.facecolor": "white", "figure.dpi": 150}


def main(folder: Path = IMAGES) -> None:
    """Write a PNG for each figure."""
    folder.mkdir(parents=True, exist_ok=True)
    reference: Reference = read_reference()
    with mpl.rc_context(STYLE):
        for name, draw in FIGURES.items():
            figure: Figure = draw(reference)
            # Without the version of matplotlib among the metadata.
            figure.savefig(folder / f"{name}.png", metadata={"Software": None}, bbox_inches="tight", pad_inches=0.05)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
