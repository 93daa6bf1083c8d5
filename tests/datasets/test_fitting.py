"""How pictures of a folder are brought to the size, and that it is said where they are cut unasked."""

from __future__ import annotations

from pathlib import Path

from edgeconv.datasets import DatasetSpec, open_dataset
from tests.datasets.drawn import Listener, draw_classes, open_folder


def test_pictures_of_another_aspect_are_counted_where_nobody_said_how_they_are_fitted(tmp_path: Path) -> None:
    root, listener = draw_classes(tmp_path / "bugs"), Listener()
    data = open_folder(root, listener, image_size=(8, 8))
    (words,) = listener.words
    assert words.startswith("10 of 10 pictures do not have the aspect of 8x8: only their middle is seen.")
    assert data.preparation.fit == "crop"
    stretched = open_folder(root, listener, image_size=(8, 8), fit="stretch", interpolation="nearest")
    assert len(listener.words) == 1
    assert (stretched.preparation.fit, stretched.preparation.filter) == ("stretch", "nearest")
    assert stretched.sha256 != data.sha256
    assert open_dataset(DatasetSpec.from_dict(stretched.spec.as_dict())).sha256 == stretched.sha256
