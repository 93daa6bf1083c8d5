"""Keras files made by hand: no Keras is needed to write one, and its names alone to refuse one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")

from edgeconv.conversion.keras.archive import check_archive  # noqa: E402
from edgeconv.errors import EdgeconvError  # noqa: E402

TINY = Path(__file__).parents[2] / "data" / "tiny" / "model.keras"


Config = dict[str, Any]


def layer(class_name: str, name: str, module: str | None = "keras.layers", **config: Any) -> Config:
    build = config.pop("build", None)
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": None,
        **({"build_config": {"input_shape": build}} if build else {}),
    }


def sequential(*layers: Config) -> Config:
    first = layer("InputLayer", "pixels", batch_shape=[None, 4], dtype="float32")
    return layer("Sequential", "net", "keras", layers=[first, *layers])


DENSE = layer("Dense", "dense", units=2, build=[None, 4])


def write_weights(path: Path, fill: Callable[[Any], None] | None = None) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["0"], group["1"] = np.ones((4, 2), np.float32), np.zeros(2, np.float32)
        if fill:
            fill(file)
    return path


def refusal(path: Path, kind: type[EdgeconvError], **options: Any) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(kind, match=rf"^`{path}` must .*\. Received: .+\. .+\.$") as caught:
        check_archive(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert "\x1b" not in text
    return text
