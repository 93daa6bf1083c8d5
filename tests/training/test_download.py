from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import pytest

from edgeconv.errors import DatasetError
from edgeconv.training import download as room
from edgeconv.training.download import download

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras' folder, for this test alone."""
    fetch = keras.utils.get_file
    monkeypatch.setattr(keras.utils, "get_file", partial(fetch, cache_dir=str(tmp_path)))
    return tmp_path


@pytest.fixture
def mirror(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served where the datasets are fetched from."""
    folder = tmp_path_factory.mktemp("mirror")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(room, "ORIGIN", f"http://127.0.0.1:{server.server_port}/")
        yield folder
        server.shutdown()


def test_mnist_is_one_file(
    mirror: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (mirror / "mnist.npz").write_bytes(b"digits")
    monkeypatch.setattr(room, "_MNIST_SHA256", hashlib.sha256(b"digits").hexdigest())
    path = download("mnist")
    assert path == own_folder / "datasets" / "mnist.npz"
    assert path.read_bytes() == b"digits"
    assert capfd.readouterr().out == ""


def test_fashion_mnist_is_a_folder_of_four_files(
    mirror: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in room._FASHION_MD5:
        (mirror / name).write_bytes(name.encode())
    monkeypatch.setattr(
        room, "_FASHION_MD5", {name: hashlib.md5(name.encode()).hexdigest() for name in room._FASHION_MD5}
    )
    folder = download("fashion-mnist")
    assert folder == own_folder / "datasets" / "fashion-mnist"
    assert sorted(path.name for path in folder.iterdir()) == sorted(room._FASHION_MD5)


def test_a_wrong_file_is_refused(mirror: Path) -> None:
    (mirror / "mnist.npz").write_bytes(b"something else")
    with pytest.raises(DatasetError, match=r"mnist must be downloadable.*Incomplete or corrupted"):
        download("mnist")


@pytest.mark.usefixtures("mirror")
def test_a_missing_file_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"mnist must be downloadable.*404"):
        download("mnist")


def test_a_network_that_stays_silent_is_left_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    before = socket.getdefaulttimeout()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(room, "ORIGIN", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        monkeypatch.setattr(room, "TIMEOUT_S", 0.2)
        with pytest.raises(DatasetError, match=r"mnist must be downloadable.*timed out.*--data-dir"):
            download("mnist")
    assert socket.getdefaulttimeout() == before
