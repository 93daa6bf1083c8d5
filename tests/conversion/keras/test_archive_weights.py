"""Shapes and weights: none is larger than the machine, none lies in another file."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.train
h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")

from edgeconv.conversion.keras.archive import check_archive  # noqa: E402
from edgeconv.errors import ArtifactError, UnsupportedModelError  # noqa: E402
from tests.conversion.keras.archives import DENSE, Config, layer, refusal, sequential  # noqa: E402


@pytest.mark.parametrize(
    ("large", "size"),
    [
        (layer("Dense", "vast", units=250_000, build=[None, 1_000_000]), "1 TB"),
        (layer("Embedding", "vast", input_dim=10**9, output_dim=250), "1 TB"),
        (layer("Conv2D", "vast", filters=10**6, kernel_size=[500, 500], build=[None, 9, 9, 1]), "1 TB"),
        (layer("LSTM", "vast", units=250_000), "1 TB"),
        (layer("InputLayer", "vast", batch_shape=[None, 500_000, 500_000, 1]), "1 TB"),
        (layer("Dense", "vast", units=10**40), "more than 1,000,000 TB"),
    ],
)
def test_a_shape_of_a_terabyte_is_refused_by_name(write: Any, large: Config, size: str) -> None:
    text = refusal(write(sequential(large)), UnsupportedModelError)
    assert f"at least {size}, of which {size} for the layer `vast`, a {large['class_name']}" in text


def test_weights_of_a_terabyte_are_refused(write: Any, write_h5: Any) -> None:
    def never_written(file: Any) -> None:
        file.create_dataset("vast", (500_000, 500_000), "f4", chunks=(1000, 1000), compression="gzip")

    for path in (write(fill=never_written), write_h5(sequential(DENSE), never_written)):
        assert "`/vast` of shape (500000, 500000), 1 TB, of which 0 bytes are there" in refusal(path, ArtifactError)


def _external_link(file: Any) -> None:
    file["linked"] = h5py.ExternalLink("/etc/secret.h5", "/weights")


def _soft_link(file: Any) -> None:
    file["linked"] = h5py.SoftLink("/layers")


def _external_storage(file: Any) -> None:
    file.create_dataset("linked", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/secret.h5", "weights", (4,))
    file.create_virtual_dataset("linked", layout)


@pytest.mark.parametrize("fill", [_external_link, _soft_link, _external_storage, _virtual])
def test_weights_in_other_files_are_refused(write: Any, write_h5: Any, fill: Any) -> None:
    for path in (write(fill=fill), write(fill=fill, compress=True), write_h5(sequential(DENSE), fill)):
        text = refusal(path, ArtifactError)
        assert "`/linked`" in text
        assert "loading it would read other files" in text


def test_a_group_that_holds_itself_is_walked_once(write: Any) -> None:
    """Imports Keras: seconds, once."""

    def circle(file: Any) -> None:
        file["layers/again"] = file["layers"]

    check_archive(write(fill=circle))


def test_an_h5_without_a_model_is_refused(write_h5: Any) -> None:
    assert "Received: weights alone." in refusal(write_h5(), ArtifactError)
