"""A `.h5` file of Keras 2."""

from __future__ import annotations

import io
import json

import h5py
import numpy as np
from hypothesis import strategies as st

from tests.fuzz.damage import damaged
from tests.fuzz.target import Target
from tests.fuzz.targets.keras_archive import CONFIG, open_reader
from tests.fuzz.texts import damaged_json


def _file_of(config: bytes) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        if b"\0" not in config:
            file.attrs["model_config"] = config
        file.attrs["keras_version"] = "2.15.0"
        weights = file.create_group("model_weights/conv1/conv1")
        weights["kernel:0"] = np.zeros((3, 3, 3, 6), np.float32)
    return stream.getvalue()


DAMAGED = st.one_of(damaged([_file_of(json.dumps(CONFIG).encode())]), damaged_json([CONFIG]).map(_file_of))

TARGET = Target("h5", "model.h5", DAMAGED, open_reader, corpus="h5")
