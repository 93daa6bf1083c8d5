from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.targets import target_named
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model
from tests.bundling.c.compiling import HEADERS, SANITIZED, Weird, build, run


@pytest.fixture(scope="session", autouse=True)
def toolchain() -> None:
    missing = [tool for tool in ("cmake", "gcc", "g++", "pkg-config") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    if run("pkg-config", "--exists", "libpng", "libjpeg").returncode:
        pytest.skip("needs libpng and libjpeg")
    if importlib.util.find_spec("onnx") is None:
        pytest.skip("needs the extra `train`")
    if not HEADERS:
        pytest.skip("ONNXRUNTIME_INCLUDE_DIR does not name ONNX Runtime's C headers")


@pytest.fixture(scope="session")
def source(make_bundle: Callable[[str], Path]) -> Path:
    return make_bundle("c")


@pytest.fixture(scope="session")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source, tmp_path_factory.mktemp("c") / "build", "-Werror")


@pytest.fixture(scope="session")
def sanitized(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("c") / "sanitized"
    return build(source, folder, SANITIZED, "-DCMAKE_BUILD_TYPE=Debug")


@pytest.fixture(scope="session")
def embedded(source: Path) -> EmbeddedModel:
    return EmbeddedModel((source / "model.e2e.onnx").read_bytes())


@pytest.fixture(scope="session")
def context() -> BundleContext:
    return collect_context(read_files(reference_model()), None)


@pytest.fixture(scope="session")
def weird(context: BundleContext, tmp_path_factory: pytest.TempPathFactory) -> Weird:
    """Return a bundle's code for a model whose names are all that a compiler could trip over."""
    odd = (
        '"',
        "\\",
        "??/",
        "??=",
        "%s%n",
        "\U0001f9d1\u200d\U0001f52c",
        "a\tb\nc",
        "\x011",
        "*/",
        "// \\",
        "\u202eabc",
        "ä" * 300,
    )
    labels = odd + tuple(f"class {number}" for number in range(1000 - len(odd)))
    renamed = replace(context.manifest, name='7 "Modèles" \\ ??/ int */', labels=labels)
    folder = tmp_path_factory.mktemp("weird")
    weird = replace(context, manifest=renamed)
    target_named("c").render(weird, weird.values(), folder)
    return Weird(folder, "model_7_mod_les_int", labels)
