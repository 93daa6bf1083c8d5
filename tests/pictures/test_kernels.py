"""Resizing to the numbers of Pillow, to the last bit, and of TensorFlow; with alpha as Keras' loaders have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.pictures.kernels import KERNELS, resize_as_pillow, resize_with_kernel
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import FILTERS, Preparation
from edgeconv.recipe import RADIUS

PILLOW = {
    "pillow-nearest": Image.Resampling.NEAREST,
    "triangle": Image.Resampling.BILINEAR,
    "pillow-bicubic": Image.Resampling.BICUBIC,
    "pillow-lanczos3": Image.Resampling.LANCZOS,
    "pillow-box": Image.Resampling.BOX,
    "pillow-hamming": Image.Resampling.HAMMING,
}
TENSORFLOW = ("bicubic", "lanczos3", "lanczos5", "area")
SIZES = [(1, 1), (2, 3), (7, 5), (40, 60), (48, 32), (301, 199), (20, 500), (33, 64), (32, 48), (96, 144)]
"""Smaller and larger than what is made, of other aspects, and equal; of (48, 32) Pillow 13 takes the rows first."""


def noise(size: tuple[int, int], channels: int) -> np.ndarray:
    generator = np.random.default_rng(size[0] * channels)
    picture = generator.integers(0, 256, (*size, channels), dtype=np.uint8)
    if channels == 4:  # Faint pixels are where colours are lost.
        picture[..., 3] = generator.choice([0, 1, 3, 128, 200, 255], size)
    return picture


@pytest.mark.parametrize("method", PILLOW)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pillows_numbers_to_the_last_bit(method: str, channels: int) -> None:
    for size in SIZES:
        picture = noise(size, channels)
        image = Image.fromarray(picture[..., 0] if channels == 1 else picture)
        for target in ((32, 48), (28, 28), (90, 17)):
            expected = np.asarray(image.resize(target[::-1], PILLOW[method])).reshape(*target, channels)
            assert np.array_equal(resize_as_pillow(picture, *target, method), expected), (size, target)


@pytest.mark.train
@pytest.mark.parametrize("method", TENSORFLOW)
def test_tensorflows_numbers(method: str) -> None:
    """Loads TensorFlow, which takes seconds. Its float32 places are a hundredth of a step of 255 off, as bilinear's."""
    tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")
    for size in SIZES:
        picture = noise(size, 3)
        for target in ((32, 48), (28, 28), (90, 17)):
            expected = tf.image.resize(picture, target, method=method).numpy()
            np.testing.assert_allclose(resize_with_kernel(picture, *target, method), expected, atol=0.03)


@pytest.mark.train
@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
@pytest.mark.parametrize("kind", ["rgba", "rgb", "palette", "grey"])
def test_a_model_of_four_channels_sees_what_load_img_loads(name: str, kind: str, tmp_path: Path) -> None:
    """As Keras' `load_img(color_mode="rgba", target_size=..., interpolation=...)`, to the last bit."""
    keras = pytest.importorskip("keras", reason="needs the extra `train`")
    picture = noise((57, 41), 4)
    image = Image.fromarray(picture)
    if kind == "palette":
        image = image.convert("RGB").quantize(16)
        image.info["transparency"] = 3
    elif kind != "rgba":
        image = image.convert("RGB" if kind == "rgb" else "L")
    image.save(path := tmp_path / "picture.png")
    loaded = keras.utils.load_img(path, color_mode="rgba", target_size=(20, 33), interpolation=name)
    names = {"nearest": "pillow-nearest", "bilinear": "triangle", "lanczos": "pillow-lanczos3"}
    method = names.get(name, f"pillow-{name}")
    made = prepare(decode(path), Preparation("resize", 20, 33, 4, fit="stretch", filter=method))
    assert np.array_equal(made, np.asarray(loaded))


def test_each_kernel_ends_at_its_radius() -> None:
    assert KERNELS.keys() == RADIUS.keys()
    for name, kernel in KERNELS.items():
        inside, outside = RADIUS[name] * np.array([-0.9, 0.9]), RADIUS[name] * np.array([-1.001, 1.001])
        assert kernel(inside).all()
        assert not kernel(outside).any()


def test_every_filter_is_held_against_pillow_or_tensorflow() -> None:
    assert {*PILLOW, *TENSORFLOW, "bilinear", "nearest"} == set(FILTERS)
