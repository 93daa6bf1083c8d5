from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures.decoding import decode
from edgeconv.pictures.ink import bounds
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from tests.rendering import FILES, encode, phone_photo, stroke_digit

MNIST = Preparation("digit", 28, 28, 1)
SAMPLES = Path(__file__).parents[2] / "exported" / "mnist-reference" / "samples.npz"
GLYPHS = ["0", "1", "2", "4", "7"]


def mass_centre(image: np.ndarray) -> tuple[float, float]:
    weights = image[..., 0].astype(float)
    return tuple(weights.sum(axis=1 - axis) @ np.arange(28) / weights.sum() for axis in (0, 1))


def box(image: np.ndarray) -> tuple[int, int]:
    on = image[..., 0] > 0
    return int(np.ptp(np.flatnonzero(on.any(axis=1)))) + 1, int(np.ptp(np.flatnonzero(on.any(axis=0)))) + 1


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlate two prepared digits: above 0.9 they are the same digit, about 0.5 for two different ones.

    A centre of mass between two pixels may be rounded to either, so the best of all shifts by one pixel counts.
    """
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(float(np.corrcoef(np.roll(one, by, (0, 1)).ravel(), other.ravel())[0, 1]) for by in shifts)


def assert_prepared_as_mnist(made: np.ndarray, digit: np.ndarray, at_least: float = 0.9) -> None:
    assert made.dtype == np.uint8
    assert made.shape == (28, 28, 1)
    assert mass_centre(made) == pytest.approx((14, 14), abs=0.55)  # whole-pixel shifts, and rounding to bytes
    assert max(box(made)) in {19, 20, 21}
    assert made.max() == 255
    assert made[0].max() == 0
    assert likeness(made, digit[..., None]) > at_least


@pytest.mark.parametrize("glyph", GLYPHS)
@pytest.mark.parametrize("bright_ink", [False, True])
@pytest.mark.parametrize("size", [(60, 60), (300, 200), (600, 800)])
def test_ink_is_scaled_into_the_box_and_centred_by_its_mass(glyph, bright_ink, size):
    digit = stroke_digit(glyph)
    photo = phone_photo(
        digit, np.random.default_rng(1), height=size[0], width=size[1], share=(0.4, 0.8), bright_ink=bright_ink, turn=0
    )
    assert_prepared_as_mnist(prepare(photo, MNIST), digit)


@pytest.mark.parametrize("light", [0.0, 0.5, 0.85])
@pytest.mark.parametrize("seed", range(4))
def test_uneven_light_does_not_show(light, seed):
    digit = stroke_digit("2")
    photo = phone_photo(digit, np.random.default_rng(seed), height=300, width=400, light=light, turn=0)
    assert_prepared_as_mnist(prepare(photo, MNIST), digit)


@pytest.mark.parametrize("noise", [0.0, 8.0, 16.0])
def test_noise_does_not_show(noise):
    digit = stroke_digit("4")
    photo = phone_photo(digit, np.random.default_rng(2), height=300, width=400, noise=noise, turn=0)
    made = prepare(photo, MNIST)
    assert_prepared_as_mnist(made, digit)
    assert np.median(made) == 0


def test_noise_of_a_small_picture_ends_at_black():
    digit = stroke_digit("4")
    photo = phone_photo(
        digit, np.random.default_rng(2), height=60, width=60, share=(0.7, 0.7), light=0, noise=12.0, blur=0, turn=0
    )
    made = prepare(photo, MNIST)
    assert_prepared_as_mnist(made, digit)
    assert made[digit == 0].mean() < 4


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_the_place_in_the_picture_does_not_matter(corner):
    digit = stroke_digit("7")
    paper = np.full((300, 400), 230, np.uint8)
    ink = np.asarray(Image.fromarray(digit).resize((100, 100), Image.Resampling.BICUBIC))
    top, left = corner[0] * 200, corner[1] * 300
    paper[top : top + 100, left : left + 100] -= (ink * 0.8).astype(np.uint8)
    assert_prepared_as_mnist(prepare(paper[..., None], MNIST), digit)


def test_a_small_digit_in_a_large_photo_is_found():
    digit = stroke_digit("2")
    photo = phone_photo(digit, np.random.default_rng(0), height=1200, width=1600, share=(0.11, 0.12), turn=0)
    assert_prepared_as_mnist(prepare(photo, MNIST), digit)


@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
@pytest.mark.parametrize("bright_ink", [False, True])
def test_the_edge_of_the_table_is_not_ink(edge, bright_ink):
    digit = stroke_digit("4")
    photo = phone_photo(
        digit, np.random.default_rng(3), height=400, width=400, share=(0.4, 0.4), bright_ink=bright_ink, turn=0
    )
    pad = {"top": ((30, 0), (0, 0)), "bottom": ((0, 30), (0, 0)), "left": ((0, 0), (30, 0)), "right": ((0, 0), (0, 30))}
    table = 250 if bright_ink else 40
    photo = np.pad(photo, (*pad[edge], (0, 0)), constant_values=table)
    assert_prepared_as_mnist(prepare(photo, MNIST), digit)


def test_the_edge_of_a_shadow_is_not_ink():
    digit = stroke_digit("0")
    photo = phone_photo(digit, np.random.default_rng(4), height=400, width=400, share=(0.5, 0.5), light=0, turn=0)
    shadow = np.where(np.arange(400) < 180, 1.0, 0.6)[:, None]
    assert_prepared_as_mnist(prepare((photo * shadow).astype(np.uint8), MNIST), digit)


def test_dust_far_from_the_digit_is_left_out():
    digit = stroke_digit("7")
    photo = phone_photo(digit, np.random.default_rng(5), height=400, width=400, share=(0.4, 0.4), turn=0)
    photo[8:18, 8:18] = photo[-18:-8, -18:-8] = 20
    assert_prepared_as_mnist(prepare(photo, MNIST), digit)


def test_bounds_are_those_of_the_heap_without_the_dust():
    weight = np.zeros((200, 300), np.float32)
    weight[80:140, 100:120] = 1
    weight[4:7, 290:294] = weight[190:193, 5:9] = 1
    assert bounds(weight) == (80, 140, 100, 120)


def test_a_thin_pen_is_widened_to_a_stroke_of_mnist():
    thin, usual = (prepare(drawn("0", pen=pen), MNIST) for pen in (0.02, 0.1))
    assert_prepared_as_mnist(thin, stroke_digit("0"), at_least=0.7)
    assert thin.mean() > 0.6 * usual.mean()
    assert np.median(thin[thin > 0]) > 100


def drawn(glyph: str, pen: float) -> np.ndarray:
    return 255 - stroke_digit(glyph, side=400, pen=pen)[..., None]


@pytest.mark.parametrize("pen", [0.03, 0.1, 0.2])
@pytest.mark.parametrize("glyph", GLYPHS)
def test_polarity_is_found_in_tight_pictures(pen, glyph):
    picture = drawn(glyph, pen)
    rows, columns = (np.flatnonzero((picture[..., 0] < 128).any(axis=axis)) for axis in (1, 0))
    tight = picture[rows[0] - 8 : rows[-1] + 9, columns[0] - 8 : columns[-1] + 9]
    dark, bright = prepare(tight, MNIST), prepare(255 - tight, MNIST)
    assert_prepared_as_mnist(dark, stroke_digit(glyph, pen=pen), at_least=0.8)
    assert likeness(dark, bright) > 0.95


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_prepared_digit_passes_through_untouched(channels):
    digit = np.random.default_rng(0).permuted(stroke_digit("2"), axis=1)  # not even a digit is required
    digit[0] = digit[-1] = digit[:, 0] = digit[:, -1] = 3
    picture = np.repeat(digit[..., None], channels, axis=2)
    if channels == 4:
        picture[..., 3] = 255
    assert (prepare(picture, MNIST)[..., 0] == digit).all()


@pytest.mark.parametrize(("file_type", "mode"), [("png", "1"), ("png", "P"), ("png", "RGBA"), ("tiff", "I;16")])
def test_a_prepared_digit_passes_through_untouched_from_every_kind_of_file(tmp_path, file_type, mode):
    digit = np.where(stroke_digit("4") > 127, 255, 0).astype(np.uint8)
    file = encode(np.repeat(digit[..., None], 3, axis=2), file_type, mode, tmp_path / "digit")
    assert (prepare(decode(file), MNIST)[..., 0] == digit).all()


def test_a_blank_black_picture_of_the_models_size_passes_through():
    assert not prepare(np.zeros((28, 28, 1), np.uint8), MNIST).any()


@pytest.mark.parametrize("glyph", GLYPHS)
def test_a_negative_of_a_prepared_digit_is_only_inverted(glyph):
    digit = prepare(drawn(glyph, 0.1), MNIST)
    assert (prepare(255 - digit, MNIST) == digit).all()


def test_a_small_photo_of_the_models_size_is_prepared():
    digit = stroke_digit("0")
    photo = np.roll(200 - digit // 2, (2, -1), axis=(0, 1))[..., None]
    assert_prepared_as_mnist(prepare(photo, MNIST), digit)


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_ink_is_laid_over_its_opposite(ink):
    picture = np.full((100, 100, 4), ink, np.uint8)
    picture[..., 3] = stroke_digit("2", side=100)
    assert_prepared_as_mnist(prepare(picture, MNIST), stroke_digit("2"))


def test_a_hole_in_opaque_paper_is_not_ink():
    picture = np.full((200, 200, 4), 255, np.uint8)
    picture[80:180, 80:180, :3] -= stroke_digit("2", side=100)[..., None]
    picture[20:60, 20:60] = 0
    assert_prepared_as_mnist(prepare(picture, MNIST), stroke_digit("2"))


@pytest.mark.parametrize(
    "picture",
    [
        np.full((100, 120, 1), 255, np.uint8),
        np.full((300, 300, 3), 90, np.uint8),
        np.random.default_rng(0).normal(180, 15, (200, 300, 1)).astype(np.uint8),
        np.zeros((50, 50, 4), np.uint8),
        np.full((28, 28, 1), 255, np.uint8),
        np.full((1, 1, 1), 9, np.uint8),
    ],
)
def test_a_picture_without_ink_is_refused(picture):
    with pytest.raises(ImageError, match="A picture of a digit is required, no ink found"):
        prepare(picture, MNIST)


@pytest.mark.parametrize("shape", [(1, 40, 3), (40, 2, 1), (3, 3, 1), (5, 700, 4)])
def test_pictures_of_strange_shapes_are_read_or_refused(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    try:
        shape = prepare(picture, MNIST).shape
    except ImageError:
        shape = (28, 28, 1)
    assert shape == (28, 28, 1)


@pytest.mark.parametrize(("file_type", "mode"), FILES)
def test_every_kind_of_file_gives_the_same_digit(tmp_path, file_type, mode):
    digit = stroke_digit("7")
    photo = phone_photo(digit, np.random.default_rng(7), height=240, width=320, light=0.2, turn=0)
    orientation = 6 if file_type == "jpg" else 1
    made = prepare(decode(encode(photo, file_type, mode, tmp_path / "photo", orientation=orientation)), MNIST)
    assert_prepared_as_mnist(made, digit)


def test_real_digits_come_back_as_they_were():
    """Reads the 16 digits of the reference model's golden vectors, when there are any."""
    if not SAMPLES.exists():
        pytest.skip("exported/mnist-reference/samples.npz is not there; train and export the reference model")
    digits = np.load(SAMPLES)["images"][..., 0]
    rng = np.random.default_rng(8)
    alike = [likeness(prepare(phone_photo(digit, rng, turn=0), MNIST), digit[..., None]) for digit in digits]
    assert np.mean(alike) > 0.93
    assert min(alike) > 0.8
