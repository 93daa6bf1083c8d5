"""An `.onnx` file that carries its contract inside."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

import edgeconv
from tests.fuzz.damage import damaged
from tests.fuzz.protobuf import damaged_messages
from tests.fuzz.target import SEVEN, TINY, Reader, Target

FILES = [path.read_bytes() for path in sorted(TINY.glob("*.onnx"))]
DAMAGED = st.one_of(damaged_messages(FILES), damaged(FILES))


def _look(path: Path) -> None:
    try:
        with edgeconv.Predictor(path) as model:
            model.predict(SEVEN)
    finally:
        edgeconv.inspect(path)


TARGET = Target("lone-onnx", "model.onnx", DAMAGED, lambda _: Reader(_look), corpus="onnx")
