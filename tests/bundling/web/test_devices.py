"""A bundle that runs on the browser's GPU where that answers right; SwiftShader stands for a GPU."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.browser import ARGUMENTS, chromium
from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.collect import collect_context
from edgeconv.errors import ConfigError
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model
from tests.browsing import launched, served, visiting
from tests.bundling.networks import make_artifact
from tests.bundling.npm import node_modules
from tests.bundling.web.driving import STARTING_MS, build, expect
from tests.linting import check_javascript


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_artifact("sequence", tmp_path_factory.mktemp("webgpu") / "artifact")


@pytest.fixture(scope="module")
def site(artifact: Path, make_bundle: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the bundle of a network of sequences that was made for GPUs, and built."""
    app = bundle(artifact, target="web", out=artifact.parent / "app", webgpu=True).path
    (app / "node_modules").symlink_to(node_modules(make_bundle("web"), tmp_path_factory))
    build(app)
    assert len(list((app / "app" / "ort").iterdir())) == 5
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def gpu() -> Iterator[Any]:
    with launched(webgpu=True) as started:
        yield started


def _selftest(browser: Any, address: str, **options: Any) -> tuple[str, str, str]:
    with visiting(browser, **options) as page:
        page.goto(address)
        expect(page).to_have_title(re.compile("^(PASS|FAIL)$"), timeout=3 * STARTING_MS)
        return page.title(), page.locator("#findings").inner_text(), page.locator("#device").inner_text()


def test_it_runs_on_a_gpu_that_answers_right(gpu: Any, site: str) -> None:
    """Compiles shaders on the CPU and opens three pages: seconds."""
    title, findings, device = _selftest(gpu, f"{site}selftest.html")
    if "offers no GPU" in device:
        pytest.skip("this Chromium has no WebGPU adapter")
    assert (title, device) == ("PASS", "Run on WebGPU.")
    assert findings.startswith("4 samples; steps within ")
    assert _selftest(gpu, f"{site}selftest.html?device=wasm")[::2] == ("PASS", "Run on the CPU.")
    with visiting(gpu) as page:
        page.goto(site)
        _run(page, "on WebGPU")


def test_one_that_answers_otherwise_is_left_aloud(gpu: Any, site: str, artifact: Path) -> None:
    """The self-test that the GPU is tried on asks for other answers: seconds."""
    context = collect_context(read_files(artifact), "fp32")
    samples = [replace(sample, outputs=tuple(output + 9.0 for output in sample.outputs)) for sample in context.samples]
    with visiting(gpu, files={"selftest.bin": replace(context, samples=tuple(samples)).selftest}) as page:
        page.goto(site)
        said = r"on the CPU; not on WebGPU: inference is off: sample \d differs by [\d.]+ in steps, allowed are [\d.]+"
        _run(page, said)


def test_a_browser_without_webgpu_runs_on_the_cpu(gpu: Any, site: str) -> None:
    """Starts another browser and opens two pages: seconds."""
    browser = gpu.browser_type.launch(executable_path=chromium(), args=list(ARGUMENTS))
    title, _, device = _selftest(browser, f"{site}selftest.html")
    if device == "Run on WebGPU.":
        pytest.skip("this Chromium has WebGPU without a GPU")
    assert (title, device) == ("PASS", "Run on the CPU; not on WebGPU: this browser offers no GPU.")
    with visiting(browser) as page:
        page.goto(f"{site}selftest.html?device=npu")
        expect(page.locator("#findings")).to_have_text("This page was not made for the device npu.")
    browser.close()


def test_the_code_is_formatted_and_linted(tmp_path: Path) -> None:
    """Runs prettier and eslint: four seconds."""
    folder = bundle(reference_model(), target="web", out=tmp_path / "app", webgpu=True).path
    check_javascript(folder)
    assert "## On a GPU" in (folder / "README.md").read_text()


def test_what_it_goes_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`webgpu` is for the target web\. Received: node\."):
        bundle(reference_model(), target="node", out=tmp_path / "app", webgpu=True)
    with pytest.raises(ConfigError, match=r"`webgpu` requires a float variant\. Received: int8\."):
        bundle(reference_model(), target="web", out=tmp_path / "app", variant="int8", webgpu=True)
    assert not (tmp_path / "app").exists()


def _run(page: Any, where: str) -> None:
    """Give the page an array of zeros, and expect where the model answers it."""
    expect(page.locator("#sure")).to_have_text(re.compile("^Waiting for"), timeout=3 * STARTING_MS)
    file = BytesIO()
    np.save(file, np.zeros((1, 6, 4), np.float32))
    page.locator("#input-0").set_input_files(
        {"name": "x.npy", "mimeType": "application/octet-stream", "buffer": file.getvalue()}
    )
    page.locator("#run").click()
    expect(page.locator("#milliseconds")).to_have_text(re.compile(rf"^Answered in \d+\sms {where}$"))
