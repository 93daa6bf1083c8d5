"""The zip archive of a `.keras` file is judged by its directory."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train
h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")

from edgeconv.conversion.keras.archive import check_archive, members  # noqa: E402
from edgeconv.conversion.keras.archive.wording import shown  # noqa: E402
from edgeconv.errors import ArtifactError  # noqa: E402
from tests.conversion.keras.archives import DENSE, TINY, layer, refusal, sequential  # noqa: E402


def test_what_keras_wrote_is_accepted(write: Any, write_h5: Any) -> None:
    """Imports Keras: seconds, once."""
    check_archive(TINY)
    check_archive(write())
    check_archive(write(compress=True))
    check_archive(write_h5(sequential(DENSE)))
    without_modules = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {}}]}}
    check_archive(write_h5(without_modules))


def test_training_that_keras_leaves_out_is_anyones(write: Any) -> None:
    """Imports Keras: seconds, once."""
    model = {**sequential(DENSE), "compile_config": {"loss": layer("MyLoss", "loss", "my.losses")}}
    check_archive(write(model))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_off_is_refused(write: Any, share: float) -> None:
    path = write()
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "It may be cut off or damaged" in refusal(path, ArtifactError)


def test_a_config_with_a_flipped_byte_is_refused(write: Any) -> None:
    path = write()
    path.write_bytes(path.read_bytes().replace(b'"units": 2', b'"units": 3'))
    assert "Bad CRC-32 for file 'config.json'" in refusal(path, ArtifactError)


def test_weights_that_are_no_hdf5_are_refused(write: Any) -> None:
    path = write(members={"model.weights.h5": b"\x89HDF\r\n\x1a\n but no more"})
    assert "must hold its weights as sound HDF5" in refusal(path, ArtifactError)


@pytest.mark.parametrize("name", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_missing_part_is_named(write: Any, name: str) -> None:
    assert f"Received: no {name}." in refusal(write(members={name: None}), ArtifactError)


def test_a_zip_bomb_is_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "EXPANSION_FLOOR_BYTES", 2 << 20)
    path = write(compress=True, members={"assets/words.txt": bytes(3 << 20)})
    assert "the member `assets/words.txt`" in refusal(path, ArtifactError)
    assert "a zip bomb" in refusal(path, ArtifactError)


def test_a_config_of_many_megabytes_is_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "CONFIG_LIMIT_BYTES", 1 << 20)
    path = write("[" + " " * (2 << 20) + "]", compress=True)
    assert "Received: a config.json of 2.1 MB." in refusal(path, ArtifactError)


def test_a_size_that_lies_is_refused(write: Any) -> None:
    path = write()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("config.json").file_size
    fields, lie = struct.pack("<LL", size, size), struct.pack("<LL", size, 10)
    path.write_bytes(path.read_bytes().replace(fields, lie))
    refusal(path, ArtifactError)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "assets/../../x", "C:x", "..\\x", "a\x1b[2J/../x"])
def test_a_name_that_leaves_the_archive_is_refused(write: Any, name: str) -> None:
    assert "which leaves the archive" in refusal(write(members={name: b"x"}), ArtifactError)


def test_a_link_is_refused(write: Any) -> None:
    path, link = write(), zipfile.ZipInfo("assets/passwd")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "`assets/passwd`, which is a link or a device" in refusal(path, ArtifactError)


def test_two_members_of_one_name_are_refused(write: Any) -> None:
    path = write()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    assert "the member `config.json` twice" in refusal(path, ArtifactError)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.pkl"
    path.write_bytes(b"")
    assert "must be a .keras or .h5 file" in refusal(path, ArtifactError)
    (tmp_path / "m.h5").write_bytes(b"no HDF5")
    assert "as sound HDF5" in refusal(tmp_path / "m.h5", ArtifactError)


def test_names_are_shown_short_and_harmless() -> None:
    assert shown("dense") == "`dense`"
    assert shown("a\x1b[2J\n`b") == "`a?[2J??b`"
    assert shown("x" * 500) == f"`{'x' * 80}...`"
