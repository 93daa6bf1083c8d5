from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures import showing
from edgeconv.pictures.showing import pictures_of
from edgeconv.preparation import Preparation

SQUARE = Preparation("resize", 12, 12, 3, fit="stretch")
IMAGES = np.arange(30, dtype=np.uint8).repeat(12 * 12 * 3).reshape(30, 12, 12, 3)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Make a picture of 30x40 pixels for each image, 3,600 bytes in memory, of the same grey."""
    paths = [tmp_path / f"{number}.png" for number in range(len(IMAGES))]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((30, 40, 3), number, np.uint8)).save(path)
    return paths


def test_an_image_without_a_file_is_drawn_larger() -> None:
    found = pictures_of(IMAGES, SQUARE)
    assert [int(picture.min()) for picture in found] == list(range(30))
    assert len({picture.shape for picture in found}) == 4
    assert min(len(picture) for picture in found) > 12


def test_an_image_that_was_a_file_is_that_file(files: list[Path]) -> None:
    found = pictures_of(IMAGES, SQUARE, files)
    assert [(picture.shape, int(picture.max())) for picture in found] == [((30, 40, 3), grey) for grey in range(30)]


def test_files_fill_a_third_of_the_memory_and_the_rest_is_drawn(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "MOST_BYTES", 10 * 3600)
    found = pictures_of(IMAGES, SQUARE, files)
    assert [len(picture) == 30 for picture in found] == [True] * 3 + [False] * (len(found) - 3)
    assert [int(picture.max()) for picture in found] == list(range(len(found)))
    assert 9 * 3600 < sum(picture.nbytes for picture in found) <= 10 * 3600


def test_there_is_one_picture_at_least_and_no_more_than_many(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "MOST_PICTURES", 7)
    assert len(pictures_of(IMAGES, SQUARE, files)) == len(pictures_of(IMAGES, SQUARE)) == 7
    monkeypatch.setattr(showing, "MOST_BYTES", 1)
    assert len(pictures_of(IMAGES, SQUARE, files)) == 1


def test_a_file_that_went_is_an_error(files: list[Path]) -> None:
    files[3].unlink()
    with pytest.raises(ImageError, match=r"3\.png: a picture file is required\. Received: no such file"):
        pictures_of(IMAGES, SQUARE, files)
