"""Keras files made by hand."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")

from tests.conversion.keras.archives import DENSE, sequential, write_weights  # noqa: E402


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a `.keras` file."""

    def make(config: Any = None, *, compress: bool = False, fill: Any = None, members: Any = ()) -> Path:
        path = tmp_path / "m.keras"
        text = config if isinstance(config, str) else json.dumps(config or sequential(DENSE))
        weights = write_weights(tmp_path / "w.h5", fill)
        parts = {"metadata.json": b"{}", "config.json": text.encode(), "model.weights.h5": weights.read_bytes()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
            for name, content in {**parts, **dict(members)}.items():
                if content is not None:
                    archive.writestr(name, content)
        return path

    return make


@pytest.fixture
def write_h5(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a `.h5` file of the legacy format."""

    def make(config: Any = None, fill: Callable[[Any], None] | None = None) -> Path:
        path = tmp_path / "m.h5"
        with h5py.File(path, "w") as file:
            file.create_group("model_weights")["kernel"] = np.ones((4, 2), np.float32)
            if config is not None:
                file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
            if fill:
                fill(file)
        return path

    return make
