"""Inputs and what ought to come out, from arrays, tables and folders, by the contract of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.datasets.examples import Examples, are_examples, open_examples
from edgeconv.errors import DatasetError, ImageError
from edgeconv.manifest import ArraySpec, Manifest
from edgeconv.manifest_blocks import OutputMeaning
from edgeconv.preparation import Preparation

SIZE = (4, 4)
PICTURES = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), np.uint8)


def _manifest(task: str, labels: tuple[str, ...] = (), shape: tuple[int | str, ...] = (3,), **output: Any) -> Manifest:
    image = ArraySpec("image", "uint8", ("batch", *SIZE, 3), (0.0, 255.0), "pixels")
    answer = ArraySpec("out", "float32", ("batch", *shape), output.pop("value_range", None), "tensor", task, **output)
    return Manifest("m", image, Preparation("resize", *SIZE, 3), answer, labels, {})


TAGS = _manifest("tags", ("cat", "dog", "red"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three pictures in `images`."""
    (tmp_path / "images").mkdir()
    for number, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(tmp_path / "images" / f"{number}.png")
    return tmp_path


def _table(folder: Path, text: str, manifest: Manifest) -> Examples:
    (folder / "t.csv").write_text(text, encoding="utf-8-sig")
    return open_examples(str(folder / "t.csv"), manifest)


@pytest.mark.parametrize(
    ("text", "manifest", "right"),
    [
        ("image_name,tags\n0,cat red\n1,\n2,dog\n", TAGS, [[1, 0, 1], [0, 0, 0], [0, 1, 0]]),
        ("dog;cat;red;file\n0;1;0;0.png\n1;0;0;2.png\n", TAGS, [[1, 0, 0], [0, 1, 0]]),
        ("file,label\n0,b\n1,0\n", _manifest("classes", ("a", "b", "c")), [1, 0]),
        ("file,label\n0,yes\n1,no\n", _manifest("yes-no", ("no", "yes"), (1,)), [[True], [False]]),
        ("file,x,y\n0,0.5,-2\n", _manifest("values", ("0", "1"), (2,)), [[0.5, -2.0]]),
        ("file\tage\n0\t31.5\n1\t7\n", _manifest("values", ("age",), (1,)), [[31.5], [7.0]]),
    ],
)
def test_tables_as_people_write_them(folder: Path, text: str, manifest: Manifest, right: Any) -> None:
    examples = _table(folder, text, manifest)
    np.testing.assert_array_equal(examples.right["out"], right)
    np.testing.assert_array_equal(examples.inputs["image"][0], PICTURES[0])
    assert (examples.name, examples.count, examples.first(1).count) == ("t", len(right), 1)


@pytest.mark.parametrize(
    ("text", "manifest", "problem"),
    [
        ("file,tags\n0,cat bird\n", TAGS, "tags must be of cat, dog, red. Received: bird"),
        ("file,tags\n9,cat\n", TAGS, "must lie beside the table or in `images` there. Received: '9'"),
        ("file,a,b\n0,1,0\n", TAGS, "a column for each of cat, dog, red is required, or one column. Received: a, b"),
        ("file,tags\n", TAGS, "Received: 1 lines"),
        ("file,tags\n0,cat,dog\n", TAGS, "Received: 3 in line 2"),
        ("file,cat,dog,red\n0,2,0,0\n", TAGS, r"must be 0 and 1, \(n, 3\)\. Received: int64 \(1, 3\), 0 to 2"),
        ("file,label\n0,bird\n", _manifest("classes", ("a", "b")), "or labels of the model.* Received: 'bird'"),
        ("file,label\n0,7\n", _manifest("classes", ("a", "b")), r"must be whole numbers \(n,\), 0 to 1"),
    ],
)
def test_tables_that_do_not_fit_are_refused(folder: Path, text: str, manifest: Manifest, problem: str) -> None:
    with pytest.raises(DatasetError, match=problem):
        _table(folder, text, manifest)


@pytest.mark.parametrize("suffix", ["", "_mask"])
def test_masks_lie_beside_their_pictures(folder: Path, suffix: str) -> None:
    classes = np.random.default_rng(1).integers(0, 2, (3, *SIZE), np.uint8)
    (folder / "Masks").mkdir()
    for number, mask in enumerate(classes):
        Image.fromarray(255 * mask).save(folder / "Masks" / f"{number}{suffix}.png")
    examples = open_examples(str(folder), _manifest("mask", ("0", "1"), (*SIZE, 1)))
    np.testing.assert_array_equal(examples.right["out"], classes)
    halved = open_examples(str(folder), _manifest("mask", ("0", "1"), (2, 2, 1)))
    np.testing.assert_array_equal(halved.right["out"], classes[:, 1::2, 1::2])


def test_masks_are_fitted_as_their_pictures_and_what_is_padded_is_nobodys(tmp_path: Path) -> None:
    for name, pixels in (("images", np.zeros((4, 8, 3), np.uint8)), ("masks", np.full((4, 8), 2, np.uint8))):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "a.png")
    manifest = _manifest("mask", ("0", "1", "2"), (*SIZE, 3))
    padded = replace(manifest, preprocess=replace(manifest.preprocess, fit="pad"))  # type: ignore[type-var]
    assert open_examples(str(tmp_path), manifest).right["out"].tolist() == [[[2] * 4] * 4]
    assert open_examples(str(tmp_path), padded).right["out"].tolist() == [[[-1] * 4, [2] * 4, [2] * 4, [-1] * 4]]


def test_what_masks_may_not_hold(folder: Path) -> None:
    (folder / "masks").mkdir()
    manifest = _manifest("mask", ("0", "1", "2"), (*SIZE, 3))
    with pytest.raises(DatasetError, match=r"Missing: 0\.png, 1\.png, 2\.png, 3 of 3"):
        open_examples(str(folder), manifest)
    for number in range(3):
        Image.fromarray(np.full(SIZE, 7, np.uint8)).save(folder / "masks" / f"{number}.png")
    with pytest.raises(DatasetError, match=r"classes of pixels must be 0 to 2, or 255\. Received: 7"):
        open_examples(str(folder), manifest)
    Image.fromarray(PICTURES[0]).save(folder / "masks" / "0.png")
    with pytest.raises(ImageError, match=r"0\.png: a mask must be a PNG, grey or with a palette.* of RGB"):
        open_examples(str(folder), manifest)


def test_pictures_that_ought_to_come_out(folder: Path) -> None:
    (folder / "targets").mkdir()
    for number, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(folder / "targets" / f"{number}.png")
    manifest = _manifest("picture", (), (*SIZE, 3), value_range=(-1.0, 1.0))
    np.testing.assert_allclose(open_examples(str(folder), manifest).right["out"], PICTURES / 127.5 - 1.0, atol=1e-6)
    with pytest.raises(DatasetError, match=r"must say what range and size its pictures have\. Received: None"):
        open_examples(str(folder), _manifest("picture", (), (*SIZE, 3)))


def test_pictures_alone_say_nothing_of_what_is_right(folder: Path) -> None:
    examples = open_examples(str(folder), _manifest("embedding"))
    assert (examples.count, examples.right) == (3, {})


ARRAYS: list[tuple[dict[str, Any], Callable[[], Manifest], Any]] = [
    ({"x": PICTURES, "y": [0, 2, 1]}, lambda: _manifest("classes", ("a", "b", "c")), [0, 2, 1]),
    ({"image": PICTURES, "out": np.eye(3)}, lambda: _manifest("classes", ("a", "b", "c")), [0, 1, 2]),
    ({"x": PICTURES, "y": np.eye(3), "other": [1]}, lambda: TAGS, np.eye(3)),
    ({"x": PICTURES, "y": [1.0, 2.0, 3.0]}, lambda: _manifest("values", ("v",), (1,)), [[1.0], [2.0], [3.0]]),
    ({"x": PICTURES, "masks": np.zeros((3, *SIZE, 1))}, lambda: _manifest("mask", ("0", "1"), (*SIZE, 1)), 0),
]


@pytest.mark.parametrize(("arrays", "manifest", "right"), ARRAYS)
def test_arrays_by_name(tmp_path: Path, arrays: dict[str, Any], manifest: Callable[[], Manifest], right: Any) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    examples = open_examples(str(tmp_path / "a.npz"), manifest())
    np.testing.assert_array_equal(examples.inputs["image"], PICTURES)
    np.testing.assert_array_equal(examples.right["out"], right)


def test_flags_of_what_gives_back_its_input_mark_anomalies(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=PICTURES, y=[0, 1, 0])
    back = _manifest("picture", (), (*SIZE, 3), value_range=(0.0, 1.0))
    right = open_examples(str(tmp_path / "a.npz"), back).right["out"]
    assert (right.dtype, right.tolist()) == (bool, [False, True, False])
    with pytest.raises(DatasetError, match=r"must be numbers \(n, 4, 4, 3\)"):  # Of no known range: of which pixels?
        open_examples(str(tmp_path / "a.npz"), _manifest("picture", (), (*SIZE, 3)))


def test_each_of_several_outputs_is_right_in_its_own_way(tmp_path: Path) -> None:
    one = _manifest("any")
    kind = replace(one.output, name="kind", meaning=OutputMeaning("classes"))
    mask = ArraySpec("mask", "float32", ("batch", *SIZE, 1), None, "tensor", meaning=OutputMeaning("mask"))
    np.savez(tmp_path / "a.npz", image=PICTURES, kind=[2, 0, 1], out=np.eye(3), mask=np.full((3, *SIZE), 255))
    several = replace(one, more_outputs=(kind, mask))
    right = open_examples(str(tmp_path / "a.npz"), several).right
    assert [(name, array.dtype, array.shape) for name, array in right.items()] == [
        ("out", np.float32, (3, 3)),
        ("kind", np.int64, (3,)),
        ("mask", np.int16, (3, *SIZE)),
    ]
    assert right["mask"].max() == 1


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"pictures": PICTURES}, r"arrays named image are required\. Received: pictures"),
        ({"x": PICTURES / 255.0}, r"`image` must be uint8 \(batch, 4, 4, 3\)\. Received: float64 \(3, 4, 4, 3\)"),
        ({"x": PICTURES, "y": np.eye(3)[:2]}, r"all arrays must have 3 rows\. Received: 2 in out"),
        ({"x": PICTURES, "y": np.eye(4)}, r"`y` of .*: must be 0 and 1, \(n, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], problem: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DatasetError, match=problem):
        open_examples(str(tmp_path / "a.npz"), TAGS)


def test_a_classifier_has_examples_in_a_table_or_in_arrays_that_are_no_pixels(tmp_path: Path) -> None:
    for name, dtype in (("pixels", np.uint8), ("spectra", np.float32)):
        np.savez(tmp_path / f"{name}.npz", x=np.zeros((2, 4, 4, 1), dtype), y=np.arange(2))
    pixels, spectra = str(tmp_path / "pixels.npz"), str(tmp_path / "spectra.npz")
    assert are_examples("labels.csv", takes_pixels=True)
    assert are_examples(spectra, takes_pixels=False)
    assert not are_examples(spectra, takes_pixels=True)
    assert not are_examples(pixels, takes_pixels=False)
    assert not are_examples(str(tmp_path), takes_pixels=False)


def test_other_places_are_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"'nowhere\.npz', which does not exist"):
        open_examples("nowhere.npz", TAGS)
    with pytest.raises(DatasetError, match=r"for the task tags must be an \.npz file, a \.csv file or a folder"):
        open_examples(str(folder / "images" / "0.png"), TAGS)
    arrays = replace(TAGS, preprocess=None)
    with pytest.raises(DatasetError, match="must take a picture, and say how one becomes its input"):
        open_examples(str(tmp_path), arrays)
