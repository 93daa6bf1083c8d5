"""The model on ONNX Runtime."""

from __future__ import annotations

import os
from pathlib import Path

from .contract import (
    FOLDER,
    OUTPUTS,
    PREPARED,
    Arrays,
    BundleError,
    InputError,
    in_words,
)
from .files import require_regular
from .predictor import Predictor

# Read when ONNX Runtime is loaded. Without it, it keeps a device id under the home
# folder and sends usage data.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

MODEL_FILE = FOLDER / "BUNDLE_MODEL_FILE"


class Model(Predictor):
    """The model, ready to answer; threads may share it.

    Raises:
        BundleError: ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path = MODEL_FILE) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # the fastest for one input at a time
        options.log_severity_level = 4  # errors come back as words
        # Exact sums of int8 products on x86 processors without VNNI, too.
        options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            require_regular(path)
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no base class
            reason = getattr(error, "strerror", None) or in_words(error)
            raise BundleError(f"{path}: cannot be loaded: {reason}") from error
        self._names = [*OUTPUTS, PREPARED] if PREPARED else [*OUTPUTS]
        if {output.name for output in self._session.get_outputs()} != {*self._names}:
            raise BundleError("the model is not the one that this file was made for")

    def run(self, arrays: Arrays) -> Arrays:
        """Return the outputs to inputs by name.

        Raises:
            InputError: an input has another type or shape than the model takes.
        """
        try:
            answers = self._session.run(self._names, arrays)
        except InvalidArgument as error:
            raise InputError(f"does not fit the model: {in_words(error)}") from error
        except Exception as error:
            raise BundleError(f"the model cannot be run: {in_words(error)}") from error
        return dict(zip(self._names, answers, strict=True))
