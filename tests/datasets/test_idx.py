"""Datasets in IDX files: the names they go by, gzip, and every way in which a file can be wrong."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeconv.datasets import DatasetSpec, open_dataset
from edgeconv.datasets.idx import read_idx
from edgeconv.errors import DatasetError

FILES = {
    "train-images": "train-images-idx3-ubyte",
    "train-labels": "train-labels-idx1-ubyte",
    "t10k-images": "t10k-images-idx3-ubyte",
    "t10k-labels": "t10k-labels-idx1-ubyte",
}


def _idx(array: NDArray[Any]) -> bytes:
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def _contents() -> dict[str, bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (18, 5, 7), dtype=np.uint8)
    labels = np.arange(18) % 3
    return {
        "train-images": _idx(pixels[:12]),
        "train-labels": _idx(labels[:12]),
        "t10k-images": _idx(pixels[12:]),
        "t10k-labels": _idx(labels[12:]),
    }


def _write(folder: Path, changes: dict[str, bytes | None] | None = None, mark: str = "-", suffix: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    for stem, content in {**_contents(), **(changes or {})}.items():
        if content is not None:
            name = FILES[stem].replace("-idx", f"{mark}idx") + suffix
            (folder / name).write_bytes(gzip.compress(content) if suffix else content)
    return folder


@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_folder_is_read_under_all_of_its_names(tmp_path: Path, mark: str, suffix: str) -> None:
    dataset = open_dataset(DatasetSpec(str(_write(tmp_path / "shapes", mark=mark, suffix=suffix))))
    pixels = np.random.default_rng(0).integers(0, 256, (18, 5, 7, 1), dtype=np.uint8)
    np.testing.assert_array_equal(dataset.train.images, pixels[:12])
    np.testing.assert_array_equal(dataset.test.images, pixels[12:])
    assert dataset.train.labels.tolist() == [0, 1, 2] * 4
    assert dataset.test.labels.tolist() == [0, 1, 2] * 2
    assert (dataset.name, dataset.source, dataset.labels) == ("shapes", str(tmp_path / "shapes"), ("0", "1", "2"))


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    """Some browsers unpack a download and keep its name, others pack it and drop the suffix."""
    plain = _write(tmp_path / "a")
    (plain / FILES["train-images"]).write_bytes(gzip.compress(_contents()["train-images"]))
    (plain / FILES["t10k-images"]).rename(plain / (FILES["t10k-images"] + ".gz"))
    expected = open_dataset(DatasetSpec(str(_write(tmp_path / "b")))).sha256
    assert open_dataset(DatasetSpec(str(plain))).sha256 == expected


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("changes", "culprit", "message"),
    [
        ({"t10k-labels": None}, "", r"four IDX files are required, .* Missing: t10k-labels-idx1-ubyte"),
        (
            {"train-images": _contents()["train-labels"]},
            "train-images",
            r"magic number 2051 \(images .* Received: 2049",
        ),
        (
            {"train-labels": _contents()["train-images"]},
            "train-labels",
            r"magic number 2049 \(labels .* Received: 2051",
        ),
        ({"train-images": struct.pack(">4I", 0x0D03, 1, 1, 1)}, "train-images", r"number 2051 .* Received: 3331"),
        ({"train-images": b"garbage, not an IDX file"}, "train-images", r"number 2051 .* Check that images and labels"),
        ({"train-images": b""}, "train-images", r"an IDX header is required. Received: 0 bytes"),
        ({"train-images": b"\0\0\x08"}, "train-images", r"an IDX header is required. Received: 3 bytes"),
        ({"train-images": struct.pack(">3I", 2051, 12, 5)}, "train-images", r"IDX header .* Received: 12 bytes"),
        ({"train-images": _contents()["train-images"][:-1]}, "train-images", r"420 bytes .* Received: 419 bytes"),
        ({"train-images": _contents()["train-images"] + b"x"}, "train-images", r"420 bytes .* Received: more"),
        ({"train-labels": _idx(np.arange(11) % 3)}, "train-labels", r"one label an image .* 11 labels for 12 images"),
        (
            {"train-images": struct.pack(">4I", 2051, 0, 5, 7)},
            "train-images",
            r"Received: \(0, 5, 7\). Get a copy that",
        ),
        ({"train-labels": _idx(np.arange(12) % 3 * 2)}, "", r"0 to 4 requires a training image.* none of class 1"),
        ({"train-labels": _idx(np.zeros(12)), "t10k-labels": _idx(np.zeros(6))}, "", r"at least 2 classes"),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    tmp_path: Path, changes: dict[str, bytes | None], culprit: str, message: str, suffix: str
) -> None:
    folder = _write(tmp_path / "idx", changes, suffix=suffix)
    with pytest.raises(DatasetError, match=message) as caught:
        open_dataset(DatasetSpec(str(folder)))
    assert str(caught.value).startswith(str(folder / (FILES[culprit] + suffix) if culprit else folder))


@pytest.mark.parametrize("kept", [5, 12, 40, -9, -1])
def test_a_truncated_gzip_is_refused_by_name(tmp_path: Path, kept: int) -> None:
    folder = _write(tmp_path / "idx", suffix=".gz")
    path = folder / (FILES["train-images"] + ".gz")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte.gz: a readable IDX file is required. Received: "):
        open_dataset(DatasetSpec(str(folder)))


def test_a_gzip_whose_checksum_fails_is_refused_by_name(tmp_path: Path) -> None:
    folder = _write(tmp_path / "idx", suffix=".gz")
    path = folder / (FILES["train-labels"] + ".gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        DatasetError, match=r"train-labels-idx1-ubyte.gz: a readable IDX file .* Received: CRC check failed"
    ):
        open_dataset(DatasetSpec(str(folder)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(2**32 - 1,) * 3, (60_000, 28, 2**31), (10**6, 28, 28)])
def test_a_header_that_promises_too_much_allocates_nothing(tmp_path: Path, pack: Any, shape: tuple[int, ...]) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(pack(struct.pack(">4I", 2051, *shape) + bytes(1000)))
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"ubyte: \d+ bytes are required by its header, \(\d+, \d+, \d+\)"):
            read_idx(path, 3)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_read_no_further_than_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">4I", 2051, 1, 4, 4) + bytes(50_000_000), compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"16 bytes are required by its header, \(1, 4, 4\). Received: more"):
            read_idx(path, 3)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_full_mnist_is_the_original_set() -> None:
    """Reads and hashes all 70,000 digits: half a second. The MD5 sums are those of the set as published."""
    root = os.environ.get("EDGECONV_DATA")
    if not root or not (Path(root) / "mnist.npz").is_file():
        pytest.skip("EDGECONV_DATA does not name a folder with mnist.npz")
    dataset = open_dataset(DatasetSpec("mnist"))
    assert dataset.source == str(Path(root) / "mnist.npz")
    assert (len(dataset.train), len(dataset.test)) == (60_000, 10_000)
    assert dataset.labels == tuple("0123456789")
    sums = {
        "6bbc9ace898e44ae57da46a324031adb": dataset.train.images[..., 0],
        "a25bea736e30d166cdddb491f175f624": dataset.train.labels,
        "2646ac647ad5339dbf082846283269ea": dataset.test.images[..., 0],
        "27ae3e4e09519cfbb04c329615203637": dataset.test.labels,
    }
    for expected, array in sums.items():
        assert hashlib.md5(_idx(array), usedforsecurity=False).hexdigest() == expected
    assert dataset.sha256 == "0ca25098011d851a9c1e34617f769a224ad1d0376acfbdabfc4476287a2eaa85"
    assert dataset.preparation.as_dict()["kind"] == "digit"
