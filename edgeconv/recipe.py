"""The numbers by which pictures are prepared: one recipe, read by numpy and by what writes the same steps in ONNX.

A model was trained on what these numbers make, so a change of one asks for training again. Recipes are tuples: a
dataclass of as many fields takes three times as long to make, at each start of `edgeconv predict`.
"""

from __future__ import annotations

from typing import NamedTuple

LUMA = (19595, 38470, 7471)
"""ITU-R BT.601 luma weights 0.299, 0.587, 0.114 in 1/65536, as Pillow's mode "L" rounds them."""

LUMA_WHOLE = 65536
"""What the weights of luma add up to."""

KEYS = -0.5
"""Slope at 1 of the cubic kernel of R. Keys (1981), which Pillow and TensorFlow use."""

RADIUS = {"bilinear": 1.0, "bicubic": 2.0, "lanczos3": 3.0, "lanczos5": 5.0, "box": 0.5, "hamming": 1.0}
"""How far the kernel of an interpolation goes, in pixels."""

HAMMING = (0.5400000214576721, 0.46000000834465027)
"""Mean and swing of Pillow's Hamming window: 0.54 and 0.46 as C's float has them (Resample.c)."""

BICUBIC_STEPS = 1024
"""TensorFlow's ResizeBicubic takes the place between two pixels from a table of so many steps."""

PILLOW_WHOLE = 2**22
"""What the weights of one pixel add up to in Pillow, which resizes bytes in whole numbers (Resample.c)."""


class ResizeRecipe(NamedTuple):
    """How pictures are only scaled.

    Attributes:
        background: grey that transparent pictures are shown over: white, as on a page.
    """

    background: int = 255


class DigitRecipe(NamedTuple):
    """How the picture of one digit becomes one of MNIST's; `edgeconv.pictures.digits` has the steps.

    Windows are odd, in pixels; greys are 0-255; strengths of ink are 0-1.

    Attributes:
        least_paper, least_spread: a transparent picture is paper with ink on it where more than this share is opaque,
            in greys that spread by more than this: more than noise, less than a digit on paper.
        middle_grey: darker ink is laid on white, brighter ink on black.
        prepared_edge: largest mean grey around a picture of the model's size that is white on black already: no edge
            in MNIST's 70,000 has a mean over 9, and scans on paper are brighter.
        negative_edge, negative_middle, negative_white: its negative has a blank edge, its middle this many pixels off
            at most, and white in it: it may be a small photograph.
        search_side: longest side of the copy that is searched: a digit of 1/12 of the picture has 9 rows in it. It
            is as large as the canvas, for the same operators run on both.
        smoothing: its pixels are means of so many of the picture's in each direction at least, which takes grain off,
            and are as wide as themselves where that is more: no stroke falls between two of them.
        light_offset: added before dividing by light, so that the noise of deep shadow is not taken for ink.
        surroundings: window of the local mean, as a share of the shorter side: even in a bold digit that fills it,
            paper prevails.
        mirror_share: weight of the mirrored view. It is right for uneven light, where the other moment is near 0: a
            part is enough.
        widest: window that paints ink over, there and on the canvas: twice the boldest stroke of MNIST (6 of 28) on the
            canvas, less makes holes in it; wider than the strokes of a digit that fills the copy.
        level_rounds: rounds of the search for the levels of ink; it no longer moves after three or four.
        noise: where the background's noise ends, in its mean strengths.
        faintest: share of the light that ink takes away at least: less is the grain of paper.
        clearest_noise: ink is stronger than so many times the noise's floor; the stronger half of mere noise is 1.5
            times as strong.
        tail: share of the ink that lies before the first, and behind the last, of the rows and columns that count: dust
            may have as much on each side.
        outlier_distance, outlier_pixels: ink farther from these than so many times the longer of their distances, and
            pixels, is dust. No digit of MNIST has a stroke at more than 0.74.
        canvas: side of the canvas: 4 of its pixels make one of 28, so that edges come out as smooth as MNIST's.
        margin: space left on each side of the digit on the canvas, in sizes of the digit: for light to be measured,
            and to widen.
        edge, least_gain, most_gain: contrast is raised until edges are so many pixels of the picture wide. A sharp
            photograph gives edges of one canvas pixel. A small one was enlarged: its greys are parts of pixels. Gain 1
            keeps them, 6 makes an edge of one pixel in six.
        solid_window, solid, solid_dilation: ink is solid where its mean in a window is above this: a stroke of 2
            pixels. Only what is within a window of solid ink stays; grains of noise go.
        thinnest: strokes are widened to this share of the digit: the lower quartile of MNIST's own stroke widths.
        widening_steps: most pixels that a stroke is widened by on each side.
        drawn: least strength of ink that bounds the digit that is drawn.
    """

    least_paper: float = 0.5
    least_spread: float = 10.0
    middle_grey: float = 128.0
    prepared_edge: float = 64.0
    negative_edge: float = 16.0
    negative_middle: float = 1.0
    negative_white: float = 128.0
    search_side: int = 112
    smoothing: int = 3
    light_offset: float = 16.0
    surroundings: float = 0.6
    mirror_share: float = 0.2
    widest: int = 45
    level_rounds: int = 4
    noise: float = 2.0
    faintest: float = 0.05
    clearest_noise: float = 2.5
    tail: float = 0.1
    outlier_distance: float = 0.75
    outlier_pixels: float = 1.0
    canvas: int = 112
    margin: float = 0.25
    edge: float = 3.0
    least_gain: float = 1.0
    most_gain: float = 6.0
    solid_window: int = 7
    solid: float = 0.3
    solid_dilation: int = 13
    thinnest: float = 0.1
    widening_steps: int = 5
    drawn: float = 0.3


DIGIT = DigitRecipe()
RESIZE = ResizeRecipe()
