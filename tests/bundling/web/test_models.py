"""Pages of other models: any labels, and colours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeconv.bundling import literals
from edgeconv.bundling.bundler import bundle
from edgeconv.runtime.embedded import EmbeddedModel
from tests.browsing import served, visiting
from tests.bundling.web.driving import (
    READY,
    SEVEN,
    STARTING_MS,
    answer,
    build,
    choose,
    draw,
    expect,
    open_page,
    png,
)


def stub(classes: int) -> bytes:
    """A model that answers every picture in the same way: the last class but one is likeliest."""
    scores = np.linspace(0, 1, classes, dtype=np.float32)[None] ** 40
    scores[0, [-2, -1]] = scores[0, [-1, -2]]
    constants = {"scores": scores, "blank": np.ones((1, 28, 28, 1), np.uint8)}
    nodes = [
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
        helper.make_node("Identity", ["blank"], ["prepared"]),
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, ["height", "width", "channels"])
    outputs = [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, classes]),
        helper.make_tensor_value_info("prepared", TensorProto.UINT8, [1, 28, 28, 1]),
    ]
    given = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "stub", [picture], outputs, given)
    return onnx.helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "\"q\" 'u' `o` ${t}e",
    "👩‍👩‍👧 日本語 größe",
    "x" * 300,
    "",
    "a b " * 60,
)


@pytest.mark.parametrize(
    "labels", [HOSTILE, tuple(f"number {number} of {'a rather long name ' * 3}" for number in range(1000))]
)
def test_any_names_of_classes_fit_on_the_page(browser: Any, site: str, built: Path, labels: tuple[str, ...]) -> None:
    """On a narrow phone; opens the page anew: two seconds."""
    contract = (built / "app" / "contract.mjs").read_text()
    array = literals.javascript_array("export const labels = [", labels, "];")
    files = {
        "contract.mjs": re.sub(r"export const labels = \[[^\]]*\];", lambda _: array, contract).encode(),
        "model.e2e.onnx": stub(len(labels)),
    }
    with visiting(browser, files=files, viewport={"width": 320, "height": 640}) as page:
        open_page(page, site)
        draw(page, SEVEN)
        answer(page)
        assert page.locator("#label").text_content() == labels[-2]
        names = page.locator("#bars .name").all_text_contents()
        assert names == list(labels if len(labels) <= 10 else [labels[-2], labels[-1], *labels[-3:-6:-1]])
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
        assert page.locator("img").count() == 1


def test_models_that_want_colours_take_pictures_and_no_pen(
    browser: Any, built: Path, tiny: Path, tmp_path: Path
) -> None:
    """Bundles another model, and opens its page twice: five seconds."""
    folder = bundle(tiny, target="web", out=tmp_path / "tiny").path
    (folder / "node_modules").symlink_to(built / "node_modules")
    build(folder)
    picture = np.zeros((30, 50, 3), np.uint8)
    picture[..., 1] = 220
    wanted = EmbeddedModel((folder / "app" / "model.e2e.onnx").read_bytes()).answer(picture)
    with served(folder) as address, visiting(browser) as page:
        open_page(page, address)
        draw(page, SEVEN)
        expect(page.locator("#sure")).to_have_text(READY)
        expect(page.locator("#undo")).to_be_hidden()
        with page.expect_file_chooser():
            page.locator("#stage").click()
        choose(page, "green.png", png(picture))
        label, probability = answer(page)
        assert label == ("red", "green", "blue")[int(wanted.probabilities.argmax())]
        assert probability == pytest.approx(float(wanted.probabilities.max()), abs=0.01)
        page.goto(f"{address}selftest.html")
        expect(page).to_have_title("PASS", timeout=STARTING_MS)
