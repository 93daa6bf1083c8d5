"""Datasets in `.npz` files: every layout, and every way in which a file can be wrong."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.errors import ConfigError, DatasetError

Arrays = dict[str, NDArray[Any]]


def _images(count: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, *(shape or (8, 6))), dtype=np.uint8)


def _labels(count: int, classes: int = 3) -> NDArray[np.int64]:
    return np.arange(count) % classes


def _keras() -> Arrays:
    return {"x_train": _images(12), "y_train": _labels(12), "x_test": _images(6), "y_test": _labels(6)}


def _open(path: Path, arrays: Arrays, **options: Any) -> Dataset:
    np.savez(path, allow_pickle=True, **arrays)
    return open_dataset(DatasetSpec(str(path), **options))


def test_the_layout_of_keras_keeps_its_order_and_its_split(tmp_path: Path) -> None:
    arrays = _keras()
    dataset = _open(tmp_path / "shapes.npz", arrays)
    assert (dataset.name, dataset.source) == ("shapes", str(tmp_path / "shapes.npz"))
    assert dataset.labels == ("0", "1", "2")
    for split, part in ((dataset.train, "train"), (dataset.test, "test")):
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        np.testing.assert_array_equal(split.images, arrays[f"x_{part}"][..., None])
        np.testing.assert_array_equal(split.labels, arrays[f"y_{part}"])


@pytest.mark.parametrize(("images", "labels"), [("x", "y"), ("images", "labels")])
def test_a_pair_has_its_test_split_held_out_by_class_and_seed(tmp_path: Path, images: str, labels: str) -> None:
    arrays = {images: _images(60), labels: _labels(60)}
    dataset = _open(tmp_path / "pair.npz", arrays, val_split=0.25)
    assert np.bincount(dataset.train.labels).tolist() == [15, 15, 15]
    assert np.bincount(dataset.test.labels).tolist() == [5, 5, 5]
    whole = {(image.tobytes(), int(label)) for image, label in zip(arrays[images], arrays[labels], strict=True)}
    parts = {
        (image.tobytes(), int(label))
        for split in (dataset.train, dataset.test)
        for image, label in zip(split.images, split.labels, strict=True)
    }
    assert parts == whole
    again, other = (_open(tmp_path / "pair.npz", arrays, val_split=0.25, seed=seed).sha256 for seed in (0, 1))
    assert dataset.sha256 == again != other


@pytest.mark.parametrize("key", ["class_names", "labels"])
def test_names_of_classes_come_from_the_file(tmp_path: Path, key: str) -> None:
    dataset = _open(tmp_path / "a.npz", {**_keras(), key: np.array(["ant", "bee", "cat"])})
    assert dataset.labels == ("ant", "bee", "cat")


def test_names_of_classes_may_be_bytes_beside_integer_labels(tmp_path: Path) -> None:
    arrays = {"images": _images(12), "labels": _labels(12), "class_names": np.array([b"ant", b"bee", "käfer".encode()])}
    assert _open(tmp_path / "a.npz", arrays).labels == ("ant", "bee", "käfer")


@pytest.mark.parametrize(("shape", "expected"), [((8, 6), 1), ((8, 6, 1), 1), ((8, 6, 3), 3)])
def test_images_may_be_grey_or_colour(tmp_path: Path, shape: tuple[int, ...], expected: int) -> None:
    dataset = _open(tmp_path / "a.npz", {"x": _images(12, *shape), "y": _labels(12)})
    assert dataset.train.images.shape[1:] == (8, 6, expected)
    assert dataset.preparation.as_dict()["kind"] == "resize"
    assert (dataset.preparation.height, dataset.preparation.width, dataset.preparation.channels) == (8, 6, expected)


def test_labels_may_be_a_column(tmp_path: Path) -> None:
    assert _open(tmp_path / "a.npz", {"x": _images(12), "y": _labels(12)[:, None]}).train.labels.ndim == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint64, ">i4"])
def test_labels_may_be_any_integers(tmp_path: Path, dtype: Any) -> None:
    dataset = _open(tmp_path / "a.npz", {**_keras(), "y_train": _labels(12).astype(dtype)})
    assert dataset.train.labels.tolist() == _labels(12).tolist()


def test_the_preparation_of_own_digits_can_be_chosen(tmp_path: Path) -> None:
    dataset = _open(tmp_path / "a.npz", {"x": _images(12, 14, 14), "y": _labels(12)}, preparation="digit")
    assert dataset.preparation.as_dict() == {"kind": "digit", "height": 14, "width": 14, "channels": 1, "box": 10}


def test_a_record_is_json_and_its_spec_opens_the_same_data_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = _open(Path("shapes.npz"), {"x": _images(12), "y": _labels(12)}, seed=5)
    record = dataset.as_dict()
    assert record["counts"] == {"train": 9, "test": 3}
    assert record["image_shape"] == [8, 6, 1]
    assert record["sha256"] == dataset.sha256
    monkeypatch.chdir("/")
    assert open_dataset(DatasetSpec.from_dict(record["spec"])).sha256 == dataset.sha256


def test_arrays_are_read_only_so_that_the_fingerprint_stays_true(tmp_path: Path) -> None:
    for arrays in (_keras(), {"x": _images(12), "y": _labels(12)}):
        dataset = _open(tmp_path / "a.npz", arrays)
        with pytest.raises(ValueError, match="read-only"):
            dataset.train.images[0] = 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, r"Missing: x_test. Save all four"),
        ({"y_train": None, "y_test": None}, r"Missing: y_train, y_test"),
        (
            {"x_train": _images(12) / 255.0},
            r"`x_train` of .*must be uint8, 0-255. Received: float64 in \[0, 1\]. Save `\(x \* ",
        ),
        ({"x_train": _images(12).astype(np.float32)}, r"Received: float32 in \[0, 255\]. Save raw pixels with"),
        ({"x_train": np.full((12, 8, 6), np.nan)}, r"`x_train` of .*Received: float64 with NaN or infinite values"),
        ({"x_train": _images(12).astype(np.int64)}, r"must be uint8, 0-255. Received: int64. Save raw pixels"),
        ({"x_train": _images(12) > 9}, r"Received: bool. Save `x.astype\('uint8'\) \* 255`"),
        ({"x_train": np.full((12, 8, 6), "a")}, r"must be uint8, 0-255. Received: <U1"),
        ({"x_train": _images(12).reshape(12, 48)}, r"Received: \(12, 48\). Unroll the pixels with"),
        ({"x_train": _images(12, 8, 6, 5)}, r"or \(n, height, width, 1, 3 or 4\), none.* Received: \(12, 8, 6, 5\)"),
        ({"x_train": _images(12, 3, 8, 6)}, r"Received: \(12, 3, 8, 6\). Put the channels last with"),
        ({"x_train": _images(12, 8, 6, 2)}, r"must be \(n, height, width\) or .* Received: \(12, 8, 6, 2\)"),
        ({"x_train": np.uint8(3)}, r"`x_train` of .*must be \(n, height, width\) or .* Received: \(\)"),
        ({"x_train": _images(0)}, r"Received: \(0, 8, 6\). Get a copy that has images"),
        ({"x_train": _images(12, 0, 6)}, r"Received: \(12, 0, 6\). Get a copy that has images"),
        ({"x_train": _images(11)}, r"`y_train` of .*one label an image is required. Received: 12 labels for 11 images"),
        ({"x_test": _images(6, 9, 6)}, r"must have one shape. Received: \(8, 6, 1\) and \(9, 6, 1\)"),
        ({"y_train": _labels(12) - 1}, r"`y_train` of .*indices of classes, 0 or more. Received: -1 to 1"),
        (
            {"y_train": _labels(12).astype(np.float32)},
            r"labels must be integers. Received: float32. Save class indices",
        ),
        ({"y_train": np.full(12, np.nan)}, r"labels must be integers. Received: float64 with NaN. Find out where"),
        ({"y_train": _labels(12).astype(str)}, r"labels must be integers. Received: <U"),
        (
            {"y_train": np.eye(3, dtype=int)[_labels(12)]},
            r"must be \(n,\). Received: \(12, 3\). Turn one-hot rows into",
        ),
        ({"y_train": np.uint64([2**64 - 1] * 12)}, r"Received: 18446744073709551615 to 18446744073709551615"),
        ({"y_train": _labels(12) * 2}, r"0 to 4 requires a training image. Received: 3 classes, none of class 1"),
        ({"y_train": _labels(12) * 10**9}, r"0 to 2000000000 requires .* Received: 3 classes, none of class 1"),
        ({"y_train": _labels(12) + 1}, r"0 to 3 requires a training image. Received: 3 classes, none of class 0"),
        ({"y_test": _labels(6, 2)}, r"0 to 2 requires a test image. Received: 2 classes, none of class 2"),
        ({"y_train": np.zeros(12, int), "y_test": np.zeros(6, int)}, r"at least 2 classes are required. Received: 1"),
        (
            {"class_names": np.array(["a", "b"])},
            r"labels must be 0 to 1, one for each of the 2 class names. Received: 2",
        ),
        ({"class_names": np.array(list("abcd"))}, r"requires a training image. Received: 3 classes, none of class d"),
        ({"class_names": np.array(["a", "b", "a"])}, r"names must differ and not be empty. Received: a, b, a"),
        ({"class_names": np.array(["a", "b", ""])}, r"names must differ and not be empty"),
        ({"class_names": np.arange(3)}, r"`class_names` of .*must be strings, \(n,\). Received: int64 \(3,\)"),
        (
            {"class_names": np.array([b"\xff", b"b", b"c"])},
            r"a readable .npz file is required. Received: 'utf-8' codec",
        ),
        (
            {"y_train": np.array([0, 1, 2] * 4, object)},
            r"Received: Object arrays cannot be loaded .* Save plain arrays",
        ),
    ],
)
def test_a_wrong_array_is_refused_with_what_to_do(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "wrong.npz"
    arrays = {key: value for key, value in {**_keras(), **changes}.items() if value is not None}
    with pytest.raises(DatasetError, match=message) as caught:
        _open(path, arrays)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_keys_are_listed(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"a.npz: the keys x_train, .* are required. Received: pixels, y. Save it with"
    ):
        _open(tmp_path / "a.npz", {"pixels": _images(6), "y": _labels(6)})


def test_a_class_of_one_image_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"at least 2 images, .* Received: 1 of class '2'"):
        _open(tmp_path / "a.npz", {"x": _images(5), "y": np.array([0, 0, 1, 1, 2])})


@pytest.mark.parametrize("options", [{"image_size": (6, 8)}, {"channels": 3}])
def test_a_size_that_the_images_do_not_have_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"`image_size` and `channels` must be \(8, 6\) and 1, as in .*a.npz"):
        _open(tmp_path / "a.npz", _keras(), **options)
    assert _open(tmp_path / "a.npz", _keras(), image_size=(8, 6), channels=1).train.images.shape == (12, 8, 6, 1)


def test_digits_in_colour_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'digit' is for grey images. Received: 3 channels"):
        _open(tmp_path / "a.npz", {"x": _images(12, 8, 6, 3), "y": _labels(12)}, preparation="digit")


def _saved(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _promising(shape: str) -> bytes:
    """An .npy member whose header promises more than it holds."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\x00" * 16


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a readable .npz file is required. Received: No data left in file. Get a new copy"),
        (b"not an archive", r"a readable .npz file is required. Received: .*pickle"),
        (_saved(_keras())[:-30], r"a readable .npz file is required. Received: .*zip"),
        (_saved(_keras())[:700], r"a readable .npz file is required. Received: .*zip"),
        (_npy(_images(3)), r"an .npz file is required. Received: a single array"),
        (_zip(x=b"text", y=_npy(_labels(3))), r"`x` must be an array. Received: other data"),
        (_zip(x=_npy(_images(3))[:-9], y=_npy(_labels(3))), r"a readable .npz file is required. Received: "),
        (_zip(x=_promising("(99, 8, 6)"), y=_npy(_labels(3))), r"a readable .npz file is required. Received: "),
        (
            _zip(x=_promising("(99999999999, 999, 999)"), y=_npy(_labels(3))),
            r"a readable .npz file is required. Received: ",
        ),
        (_zip(x=_promising("(-5, 8, 6)"), y=_npy(_labels(3))), r"a readable .npz file is required. Received: "),
        (_zip(x=_promising("(((("), y=_npy(_labels(3))), r"a readable .npz file is required. Received: "),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        open_dataset(DatasetSpec(str(path)))
    assert str(caught.value).startswith(str(path)) or f"of {path}" in str(caught.value)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning", "error::ResourceWarning")
def test_no_damage_gets_past_the_reader(tmp_path: Path) -> None:
    """Of 300 files with one to eight changed bytes, each is read or refused, and no file stays open."""
    whole, path = _saved(_keras()), tmp_path / "fuzz.npz"
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for position in generator.integers(0, len(content), generator.integers(1, 9)):
            content[position] = generator.integers(0, 256)
        path.write_bytes(content)
        try:
            open_dataset(DatasetSpec(str(path)))
        except DatasetError:
            refused += 1
    assert refused > 200
