"""Execution providers that are not here, faked at the border to ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edgeconv.runtime import session as session_module
from edgeconv.runtime import strict
from edgeconv.runtime.providers import CPU

CUDA, OPENVINO, QNN = (f"{name}ExecutionProvider" for name in ("CUDA", "OpenVINO", "QNN"))


class NativeSession:
    """ONNX Runtime's session on the CPU that claims another provider, and is right or wrong by `error`."""

    error = 0.0
    missing_libraries = False
    left_to_cpu: tuple[str, ...] = ()

    def __init__(self, model: bytes, options: Any, *, providers: list[Any], **more: Any) -> None:
        ((self._provider, self.given),) = providers
        if self.missing_libraries:
            raise RuntimeError("libcudart.so.13 not found")
        assert more.pop("enable_fallback") == 0
        self._session = ort.InferenceSession(model, options, providers=[CPU], **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        return [self._provider, CPU]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        def part(name: str, nodes: tuple[str, ...]) -> Any:
            made = [type("Node", (), {"name": node, "op_type": "Conv"}) for node in nodes]
            return type("Part", (), {"ep_name": name, "get_nodes": lambda _: made})()

        return [part(self._provider, ("first",)), part(CPU, self.left_to_cpu)]

    def run(self, *arguments: Any) -> list[Any]:
        answers = self._session.run(*arguments)
        return [self._wrong(answer) if answer.dtype.kind == "f" else answer for answer in answers]

    def _wrong(self, answer: Any) -> Any:
        return np.roll(answer, 1, axis=-1) * self.error + answer * (1 - self.error)


def fake_providers(monkeypatch: pytest.MonkeyPatch) -> type[NativeSession]:
    """List CUDA, OpenVINO and QNN until the test ends, and return the class of their sessions, for it to change."""

    class Native(NativeSession):
        pass

    class Fake:
        """The border to ONNX Runtime, for other providers than the CPU's alone."""

        InferenceSession = Native
        __version__ = ort.__version__

    assert session_module.ort is ort
    monkeypatch.setattr(strict, "ort", Fake)
    monkeypatch.setattr(strict, "_TELLS", True)
    monkeypatch.setattr(strict, "load_cuda", lambda _: None)  # There is a card, as far as these tests know.
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, OPENVINO, QNN, CPU])
    return Native
