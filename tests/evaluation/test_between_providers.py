from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("onnx", reason="looking into a graph needs the extra `train`")

from edgeconv.cli.main import cli
from edgeconv.errors import ConfigError, ProviderError
from edgeconv.evaluation import between_providers
from edgeconv.evaluation.between_providers import compare_providers
from edgeconv.runtime.providers import CPU

WRONG = "OpenVINOExecutionProvider"


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a provider answer twice of what the CPU does, of every float."""
    plain = between_providers._run_on

    def stand_in(files: Any, variant: str, provider: str, timeout: float) -> Callable[..., Any]:
        run = plain(files, variant, CPU, timeout)
        if provider == CPU:
            return run

        def doubled(*arguments: Any) -> dict[str, Any]:
            return {name: array * 2 if array.dtype.kind == "f" else array for name, array in run(*arguments).items()}

        return doubled

    monkeypatch.setattr(between_providers, "_run_on", stand_in)
    monkeypatch.setattr("edgeconv.runtime.loading.available_providers", lambda: [WRONG, CPU])


def test_a_provider_agrees_with_itself(tiny: Path) -> None:
    found = list(compare_providers(tiny, provider="cpu"))
    assert [(row.variant, row.node, row.problem) for row in found] == [
        ("fp32", "", ""),
        ("int8", "", ""),
        ("e2e", "", ""),
    ]


def test_the_first_node_is_told_of_each_variant(wrong: None, tiny: Path) -> None:
    told = CliRunner().invoke(cli, ["evaluate", str(tiny), "--provider", "openvino", "--format", "csv"])
    assert told.exit_code == 3
    assert "must answer as `cpu` does. Received: other answers of fp32, int8, e2e." in told.stderr
    assert [line.split(",")[:3] for line in told.stdout.splitlines()[1:]] == [
        [name, "openvino", "cpu"] for name in ("fp32", "int8", "e2e")
    ]
    first = next(iter(compare_providers(tiny, provider="openvino")))
    assert (first.node, first.operator) == ("input/Cast", "Cast")


def test_what_is_not_there(tiny: Path) -> None:
    with pytest.raises(ProviderError, match=r"`--device webgpu` requires WebGpuExecutionProvider"):
        list(compare_providers(tiny, provider="webgpu"))
    with pytest.raises(ConfigError, match=r"`device` must be one of"):
        list(compare_providers(tiny, provider="cpu", against="tpu"))
    assert CliRunner().invoke(cli, ["evaluate", "--against", "cpu"]).exit_code == 2
