"""Providers that are libraries beside ONNX Runtime; the libraries are faked at the border to it."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime as ort
import pytest

from edgeconv.caching import CACHE_VARIABLE
from edgeconv.errors import EdgeconvWarning, ProviderError
from edgeconv.runtime import plugins
from edgeconv.runtime.loading import providers_for
from edgeconv.runtime.plugins import is_plugin, load_plugin, plugin_devices
from edgeconv.runtime.providers import CPU, PLUGINS_VARIABLE, available_providers, check_device, plugin_modules

PACKAGE = """
def get_library_path():
    return "/lib/{name}.so"

def get_ep_names():
    return ["{name}"]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder of packages, with an ONNX Runtime that loads every library, of two devices each."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(ort, "__file__", str(folder / "onnxruntime" / "__init__.py"))
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "-packages" not in entry or Path(entry) == folder])
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["AzureExecutionProvider", CPU])
    monkeypatch.setattr(plugins, "_LOADED", {})
    devices: list[Any] = []

    def register(name: str, library: str) -> None:
        if "bad" in library:
            raise RuntimeError("wrong ELF class")
        devices.extend(
            SimpleNamespace(ep_name=name, number=number, ep_metadata={"ov_device": kind})
            for number, kind in enumerate(() if "none" in name else ("CPU", "GPU"))
        )

    monkeypatch.setattr(ort, "register_execution_provider_library", register)
    monkeypatch.setattr(ort, "get_ep_devices", lambda: list(devices))
    return folder


def _install(site: Path, module: str, name: str, source: str = PACKAGE) -> None:
    (site / module).mkdir()
    (site / module / "__init__.py").write_text(source.format(name=name))


def test_none_is_found_where_there_is_none_and_nothing_is_imported(site: Path) -> None:
    _install(site, "onnxruntime_genai", "x")
    assert plugin_modules() == ()
    assert available_providers() == [CPU]
    assert "onnxruntime_genai" not in sys.modules


def test_packages_are_found_by_their_names(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(site, "onnxruntime_ep_seen", "SeenExecutionProvider")
    _install(site, "onnxruntime_qnn", "QNNExecutionProvider")
    monkeypatch.setenv(PLUGINS_VARIABLE, "own_package")
    assert plugin_modules() == ("own_package", "onnxruntime_ep_seen", "onnxruntime_qnn")
    assert not {"own_package", "onnxruntime_ep_seen"} & sys.modules.keys()
    assert available_providers() == ["SeenExecutionProvider", "QNNExecutionProvider", CPU]
    check_device("seen:1")
    assert is_plugin("SeenExecutionProvider:1")
    assert not is_plugin(CPU)


def test_a_library_is_loaded_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(site, "onnxruntime_ep_once", "OnceExecutionProvider")
    assert load_plugin("onnxruntime_ep_once") == "OnceExecutionProvider"
    monkeypatch.setattr(ort, "register_execution_provider_library", lambda *_: pytest.fail("loaded twice"))
    assert load_plugin("onnxruntime_ep_once") == "OnceExecutionProvider"
    monkeypatch.setattr(plugins, "_LOADED", {})  # The app around us has it already.
    assert load_plugin("onnxruntime_ep_once") == "OnceExecutionProvider"


def test_a_user_names_a_library_or_a_package(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "libown.so").touch()
    _install(site, "theirs", "", 'EP_NAME = "ggml"\ndef library_path():\n    return "/lib/x.so"\n')
    monkeypatch.setenv(PLUGINS_VARIABLE, f"own={site / 'libown.so'},theirs")
    assert available_providers() == ["own", "ggml", CPU]


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [("absent_package", "No module named"), ("bad=/", "wrong ELF class"), ("x=/no/such.so", "No such file")],
)
def test_a_plugin_that_cannot_be_loaded(site: Path, monkeypatch: pytest.MonkeyPatch, plugin: str, reason: str) -> None:
    bad = plugin.replace("=/", f"={site / 'bad.so'}") if plugin == "bad=/" else plugin
    (site / "bad.so").touch()
    with pytest.raises(ProviderError, match=f"requires a library that ONNX Runtime .*{reason}"):
        load_plugin(bad)
    monkeypatch.setenv(PLUGINS_VARIABLE, bad)
    assert available_providers() == [CPU]


def test_devices_have_numbers(site: Path) -> None:
    for name in ("manyExecutionProvider", "noneExecutionProvider"):
        _install(site, f"onnxruntime_ep_{name[:4]}", name)
        load_plugin(f"onnxruntime_ep_{name[:4]}")
    assert [device.number for device in plugin_devices("manyExecutionProvider")] == [0]
    assert [device.number for device in plugin_devices("manyExecutionProvider:1")] == [1]
    with pytest.raises(ProviderError, match=r"requires a device of that number\. Received: 2 devices"):
        plugin_devices("manyExecutionProvider:2")
    with pytest.raises(ProviderError, match=r"requires a device and its driver\. Received: none"):
        plugin_devices("noneExecutionProvider")


def test_a_device_that_a_plugin_lists_is_taken_by_its_name(site: Path) -> None:
    _install(site, "onnxruntime_ep_openvino", "OpenVINOExecutionProvider")
    name = load_plugin("onnxruntime_ep_openvino")
    assert [device.number for device in plugin_devices(name)] == [0]
    assert [device.number for device in plugin_devices(f"{name}:GPU")] == [1]
    with pytest.raises(ProviderError, match=r"OpenVINO.*:NPU` requires a device of that name\. Received: CPU, GPU\."):
        plugin_devices(f"{name}:NPU")


def test_auto_passes_over_a_gpu_that_is_not_there_and_says_so_once(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    _install(site, "onnxruntime_ep_webgpu", "WebGpuExecutionProvider")
    assert providers_for("auto") == ("WebGpuExecutionProvider", CPU)
    monkeypatch.setattr(ort, "get_ep_devices", lambda: [])
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. WebGpu.* finds no device .* `edgeconv doctor` tells"):
        assert providers_for("auto") == (CPU,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert providers_for("auto") == (CPU,)
    assert providers_for("gpu") == providers_for("webgpu") == ("WebGpuExecutionProvider",)
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))  # Nothing can be kept: it is said again.
    with pytest.warns(EdgeconvWarning, match="The CPU is used"):
        providers_for("auto")
