"""Keras' own loaders beside its own functions, on files of all sorts; and what the contract makes of the same files.

Loads TensorFlow, which takes seconds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion.keras.loaders import keras_loader  # noqa: E402
from edgeconv.fitting import Fitting, fitting_of  # noqa: E402
from edgeconv.pictures.decoding import decode  # noqa: E402
from edgeconv.pictures.preparation import prepare  # noqa: E402
from edgeconv.preparation import Preparation  # noqa: E402

SIZE = (20, 33)
MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}
KINDS = ["colour.png", "colour.jpg", "grey.png", "grey.jpg", "palette.png", "alpha.png"]

PILLOWS = ("nearest", "bilinear", "bicubic", "box", "hamming")

DIRECTORY_OPTIONS = [
    ({}, {}),
    ({"interpolation": "bicubic"}, {"interpolation": "bicubic"}),
    ({"interpolation": "nearest"}, {"interpolation": "nearest"}),
    ({"interpolation": "lanczos3"}, {"interpolation": "lanczos3"}),
    ({"interpolation": "lanczos5"}, {"interpolation": "lanczos5"}),
    ({"interpolation": "area"}, {"interpolation": "area"}),
    ({"fit": "crop"}, {"crop_to_aspect_ratio": True}),
    ({"fit": "pad"}, {"pad_to_aspect_ratio": True}),
]
LOAD_IMG_OPTIONS = [
    ({}, {}),
    *(
        ({"interpolation": name}, {"interpolation": name})
        for name in ("nearest", "bilinear", "bicubic", "box", "hamming")
    ),
    ({"interpolation": "lanczos3"}, {"interpolation": "lanczos"}),
    ({"fit": "crop", "interpolation": "bicubic"}, {"keep_aspect_ratio": True, "interpolation": "bicubic"}),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of one class of pictures, 57 x 41."""
    folder = tmp_path_factory.mktemp("files") / "one"
    folder.mkdir()
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (8, 6, 4), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((41, 57), Image.Resampling.NEAREST))
    colour = Image.fromarray(picture[..., :3].copy())
    for name in KINDS:
        kind, _, suffix = name.partition(".")
        image = {
            "colour": colour,
            "grey": colour.convert("L"),
            "palette": colour.quantize(16),
            "alpha": Image.fromarray(picture),
        }[kind]
        image.save(folder / name, **({"quality": 95} if suffix == "jpg" else {}))
    return folder


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("stated", "options"), DIRECTORY_OPTIONS, ids=str)
def test_keras_directory_is_image_dataset_from_directory(
    files: Path, stated: dict[str, str], options: dict[str, object], channels: int, tmp_path: Path
) -> None:
    names = [name for name in KINDS if channels < 4 or name.endswith(".png")]  # TensorFlow reads no JPEG with alpha.
    (tmp_path / "one").mkdir()
    for name in names:
        (tmp_path / "one" / name).write_bytes((files / name).read_bytes())
    loaded = keras.utils.image_dataset_from_directory(
        tmp_path,
        labels=None,
        image_size=SIZE,
        color_mode=MODES[channels],
        shuffle=False,
        batch_size=None,
        verbose=False,
        **options,
    )
    fitting = fitting_of(Fitting(**stated), "keras-directory")
    load = keras_loader("keras-directory", SIZE, channels, fitting)
    for path, expected in zip(loaded.file_paths, loaded, strict=True):
        assert np.array_equal(load(path), expected), path


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("stated", "options"), LOAD_IMG_OPTIONS, ids=str)
def test_keras_load_img_is_load_img_and_so_is_the_contract(
    files: Path, stated: dict[str, str], options: dict[str, object], channels: int
) -> None:
    fitting = fitting_of(Fitting(**stated), "keras-load-img")
    load = keras_loader("keras-load-img", SIZE, channels, fitting)
    preparation = fitting.applied(Preparation("resize", *SIZE, channels))
    for name in KINDS:
        image = keras.utils.load_img(files / name, color_mode=MODES[channels], target_size=SIZE, **options)
        expected = keras.utils.img_to_array(image)
        assert np.array_equal(load(str(files / name)), expected)
        if fitting.fit != "crop":  # Which may be a pixel wider.
            difference = np.abs(prepare(decode(files / name), preparation).astype(int) - expected).max()
            assert difference <= (1 if fitting.interpolation == "bilinear" and channels < 4 else 0), name


@pytest.mark.parametrize("mode", ["grayscale", "rgb", "rgba"])
def test_keras_load_img_is_flow_from_directory(files: Path, mode: str) -> None:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    flow = ImageDataGenerator().flow_from_directory(
        files.parent, target_size=SIZE, color_mode=mode, class_mode=None, shuffle=False, batch_size=len(KINDS)
    )
    channels = {name: number for number, name in MODES.items()}[mode]
    load = keras_loader("keras-load-img", SIZE, channels, fitting_of(Fitting(), "keras-load-img"))
    for path, expected in zip(flow.filepaths, flow[0], strict=True):
        assert np.array_equal(load(path), expected)


@pytest.mark.parametrize(("stated", "options"), DIRECTORY_OPTIONS[:-2], ids=str)
def test_the_contract_makes_of_files_what_image_dataset_from_directory_does(
    files: Path, stated: dict[str, str], options: dict[str, object]
) -> None:
    """To half a grey level, since bytes are rounded, within 0..255; of PNG, since JPEG decoders differ by a level."""
    del options
    fitting = fitting_of(Fitting(**stated), "keras-directory")
    load = keras_loader("keras-directory", SIZE, 3, fitting)
    for name in ("colour.png", "grey.png", "palette.png", "alpha.png"):
        made = prepare(decode(files / name), fitting.applied(Preparation("resize", *SIZE, 3)))
        assert np.abs(made - np.clip(load(str(files / name)), 0, 255)).max() <= 0.53, name


def test_what_is_stated_comes_before_the_defaults_of_a_loader() -> None:
    assert fitting_of(Fitting("crop"), "keras-directory") == Fitting("crop", "bilinear", False, "ignore")
    nearest = Fitting("stretch", "pillow-nearest", transparency="ignore")
    assert fitting_of(Fitting(interpolation="nearest"), "keras-load-img") == nearest
    assert fitting_of(Fitting("pad"), "train:load") == Fitting("pad")
