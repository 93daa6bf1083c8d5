"""The datasets that Keras can fetch."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator
from pathlib import Path

import keras

from edgeconv.errors import DatasetError, one_line

TIMEOUT_S = 5.0
"""Seconds to wait for a silent network, so that a machine without one gets its error quickly."""

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where `keras.datasets` has its files."""

_MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
"""As in the source of `keras.datasets.mnist`."""

_FASHION_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
"""As published in the README of github.com/zalandoresearch/fashion-mnist."""


def download(name: str) -> Path:
    """Fetch a dataset into Keras' own folder, unless it is there.

    Args:
        name: ``"mnist"`` or ``"fashion-mnist"``.

    Returns:
        The `.npz` file of mnist, or the folder with the four IDX files of fashion-mnist.

    Raises:
        DatasetError: it cannot be had.
    """
    try:
        with _bounded(), contextlib.redirect_stdout(io.StringIO()):  # Keras prints a bar of its own.
            if name == "mnist":
                return Path(keras.utils.get_file("mnist.npz", ORIGIN + "mnist.npz", file_hash=_MNIST_SHA256))
            files = [
                keras.utils.get_file(file, ORIGIN + file, cache_subdir="datasets/fashion-mnist", file_hash=md5)
                for file, md5 in _FASHION_MD5.items()
            ]
            return Path(files[0]).parent
    except Exception as error:  # `get_file` raises plain Exception where the network fails.
        raise DatasetError(
            f"{name} must be downloadable from {ORIGIN}. Received: {one_line(error)}. "
            "Connect this machine, or name a folder that has it with `--data-dir`."
        ) from error


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Give every socket that is opened inside a timeout."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
