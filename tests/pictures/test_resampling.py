from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.resampling import area_weights, resize, trapezoid_weights, triangle_weights

SIZES = [(28, 28), (40, 17), (17, 40), (200, 96), (97, 224), (331, 1), (1, 50)]


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_weights_of_every_target_pixel_sum_to_one(source, target):
    assert triangle_weights(source, target).sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("source", [(50, 70), (301, 200), (9, 9)])
@pytest.mark.parametrize("target", [(28, 28), (96, 33), (224, 160)])
def test_resize_equals_bilinear_of_pillow_within_one_grey_level(source, target):
    picture = np.random.default_rng(0).integers(0, 256, (*source, 3), dtype=np.uint8)
    pillow = Image.fromarray(picture).resize(target[::-1], Image.Resampling.BILINEAR)
    ours = np.rint(resize(picture, *target))
    assert np.abs(ours - np.asarray(pillow)).max() <= 1  # Pillow rounds twice, once after each direction


def test_resize_to_the_same_size_changes_no_bit():
    picture = np.random.default_rng(0).integers(0, 256, (31, 45, 1), dtype=np.uint8)
    assert (resize(picture, 31, 45) == picture).all()


def test_resize_of_a_tall_picture_equals_one_dense_product():
    picture = np.random.default_rng(0).integers(0, 256, (700, 3, 1), dtype=np.uint8)
    dense = triangle_weights(700, 90) @ picture[..., 0].astype(np.float32)
    assert resize(picture, 90, 3)[..., 0] == pytest.approx(dense, abs=1e-3)


@pytest.mark.parametrize("flat", [1, 3])
@pytest.mark.parametrize(("source", "target", "begin", "scale"), [(10, 6, -6, 2), (300, 112, 0, 2.7), (1, 32, -2, 0.3)])
def test_a_trapezoid_goes_on_beyond_the_edge_as_at_the_edge(source, target, begin, scale, flat):
    begin, scale = np.float32(begin), np.float32(scale)
    weights = trapezoid_weights(source, target, begin, scale, flat)
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
    wide = trapezoid_weights(source + 100, target, begin + 50, scale, flat)
    wide[:, 50] += wide[:, :50].sum(axis=1)
    wide[:, source + 49] += wide[:, source + 50 :].sum(axis=1)
    assert weights == pytest.approx(wide[:, 50 : source + 50], abs=1e-5)
    last = slice(target // 2, target)
    assert weights[last] == pytest.approx(trapezoid_weights(source, target, begin, scale, flat, last), abs=1e-6)


def test_a_trapezoid_is_the_mean_of_several_triangles():
    weights = trapezoid_weights(60, 20, np.float32(0), np.float32(3), 3)[5:15]
    triangles = triangle_weights(60, 60)[np.arange(60).reshape(20, 3)].mean(axis=1)[5:15]
    assert weights == pytest.approx(triangles, abs=1e-5)


def test_area_weights_keep_the_sum_of_what_they_average():
    weights = area_weights(37, 28, scale=2.5, offset=3)
    assert weights.sum(axis=0) == pytest.approx(1 / 2.5, abs=1e-6)
    assert not weights[:3].any()


@pytest.mark.train
@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(40, 60), (301, 199), (20, 500), (7, 5), (33, 64)])
def test_without_antialiasing_the_numbers_are_those_of_keras(method: str, size: tuple[int, int]) -> None:
    """Keras' image_dataset_from_directory resizes so. Loads TensorFlow, which takes seconds.

    TensorFlow finds its places in float32: at 500 pixels their last bit is a hundredth of a step of 255.
    """
    tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    expected = tf.image.resize(picture, (32, 48), method=method).numpy()
    np.testing.assert_allclose(resize(picture, 32, 48, method), expected, atol=0.02)
