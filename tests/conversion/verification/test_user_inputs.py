from pathlib import Path

import numpy as np
import pytest

from edgeconv.conversion.verification.user_inputs import read_inputs
from edgeconv.errors import ConfigError

ARRAYS = {
    "images": np.arange(96, dtype=np.uint8).reshape(4, 2, 4, 3),
    "by column": np.asfortranarray(np.arange(12.0).reshape(4, 3)),
    "one axis": np.array([True, False, True, True]),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_read_by_name(save: object, tmp_path: Path) -> None:
    assert callable(save)
    save(tmp_path / "x.npz", **ARRAYS)
    found = read_inputs(tmp_path / "x.npz")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({}, "Received: no arrays"),
        ({"a": np.float32(3)}, r"the same number of rows.*Received: a \(\)"),
        ({"a": np.zeros((0, 2))}, r"Received: a \(0, 2\)"),
        ({"a": np.zeros((2, 0))}, r"Received: a \(2, 0\)"),
        ({"a": np.zeros(2, "V0")}, r"Received: a \(2,\)"),
        ({"a": np.array([{}])}, "Received: Object arrays cannot be loaded"),
    ],
)
def test_what_holds_no_rows_of_numbers_is_refused(arrays: dict[str, np.ndarray], problem: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ConfigError, match=problem):
        read_inputs(tmp_path / "x.npz")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    for name in ("x.npz", "absent.npz", "."):
        with pytest.raises(ConfigError, match=r"must be an \.npz of arrays\. Received: .*Save it with `np\.savez`\.$"):
            read_inputs(tmp_path / name)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(500))
    data = bytearray((tmp_path / "x.npz").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(ConfigError, match="Received: Bad CRC-32"):
        read_inputs(tmp_path / "x.npz")
