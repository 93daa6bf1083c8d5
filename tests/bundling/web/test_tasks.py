"""A page and its self-test for each row of the table of tasks; seconds for each, whose runtime is started twice."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.bundler import bundle
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.runner import Runner
from tests.browsing import served, visiting
from tests.bundling.answers import EXPLAINED, check_outputs, draw_feeds, names_of_outputs
from tests.bundling.hostile_files import answering_nan
from tests.bundling.networks import NETWORKS, make_artifact
from tests.bundling.spared_pixels import SPARED, selftest_of_mask
from tests.bundling.web.driving import READY, STARTING_MS, choose, expect, png

NARROW = {"width": 320, "height": 700}


@pytest.mark.parametrize("row", NETWORKS)
def test_the_page_and_its_self_test_answer_as_python_does(row: str, browser: Any, built: Path, tmp_path: Path) -> None:
    artifact = make_artifact(row, tmp_path / "artifact")
    app = bundle(artifact, target="web", out=tmp_path / "app").path
    (app / "app" / "ort").symlink_to(built / "app" / "ort")
    with served(app) as address, visiting(browser, viewport=NARROW) as page:
        page.goto(address)
        if NETWORKS[row].takes_picture:
            _show_picture(row, artifact, page)
        else:
            _run_arrays(artifact, page)
        page.goto(f"{address}selftest.html")
        expect(page).to_have_title(re.compile("PASS|FAIL"), timeout=STARTING_MS)
        findings = page.locator("#findings").inner_text()
        assert re.match(r"4 samples; .*within", findings), findings
        assert page.title() == "PASS"
        assert len(json.loads(page.locator("#rows").text_content())) == 4
        _fits(page)
        if row == "mask":
            for off, verdict in ((SPARED, "PASS"), (SPARED + 1, "FAIL")):
                (app / "app" / "mask.bin").write_bytes(selftest_of_mask(artifact, off))
                page.goto(f"{address}selftest.html?samples=mask.bin")
                expect(page).to_have_title(re.compile("PASS|FAIL"), timeout=STARTING_MS)
                assert page.title() == verdict


def test_arrays_with_nan_are_shown_and_not_downloaded(browser: Any, built: Path, tmp_path: Path) -> None:
    app = bundle(make_artifact("embedding", tmp_path / "artifact"), target="web", out=tmp_path / "app").path
    (app / "app" / "ort").symlink_to(built / "app" / "ort")
    (model,) = (app / "app").glob("*.onnx")
    model.write_bytes(answering_nan(model.read_bytes()))
    with served(app) as address, visiting(browser, viewport=NARROW) as page:
        page.goto(address)
        expect(page.locator("#sure")).to_have_text(READY, timeout=STARTING_MS)
        choose(page, "noise.png", png(np.zeros((30, 40, 3), np.uint8)))
        expect(page.locator("#milliseconds")).to_have_text(re.compile("ms"))
        page.get_by_role("button", name="Download JSON").click()
        expect(page.get_by_role("alert")).to_have_text("There is no download: the model answers NaN or infinity.")


def _show_picture(row: str, artifact: Path, page: Any) -> None:
    expect(page.locator("#sure")).to_have_text(READY, timeout=STARTING_MS)
    noise = png(np.random.default_rng(8).integers(0, 256, (30, 40, 3), np.uint8))
    choose(page, "noise.png", noise)
    expect(page.locator("#milliseconds")).to_have_text(re.compile("ms"))
    _fits(page)
    said, words = page.locator("#label").inner_text(), page.locator("#sure").inner_text()
    task = NETWORKS[row].task
    if task not in EXPLAINED:
        _compare_outputs(page, set(names_of_outputs(artifact)))
        return
    file = artifact / "noise.png"
    file.write_bytes(noise)
    answer = Predictor(artifact).predict(file).as_dict()
    rows = _rows(page)
    if task == "classes":
        assert (said, words) == (answer["label"], f"{_percent(answer['probability'])} sure")
    elif task == "tags":
        assert said == (", ".join(answer["tags"]) or "None of them")
        assert [name for name in rows if name.startswith("✓ ")] == [
            f"✓ {score['label']}" for score in answer["scores"] if score["label"] in answer["tags"]
        ]
        assert list(rows.values()) == [_percent(score["probability"]) for score in answer["scores"]]
    elif task == "yes-no":
        assert (said, rows) == (answer["label"], {"yes": _percent(answer["probability"])})
        assert words.endswith("; yes from 50.0\xa0% on")
    elif task == "values":
        assert {name: float(text.replace("\u2212", "-")) for name, text in rows.items()} == pytest.approx(
            answer["values"], rel=1e-4
        )
    else:
        assert rows == {name: _percent(share) for name, share in answer["shares"].items()}
        assert answer["shares"][said] == max(answer["shares"].values())
        canvas = page.get_by_role("img", name="The prepared picture, its classes in colours")
        assert canvas.evaluate("(canvas) => [canvas.height, canvas.width]") == [answer["height"], answer["width"]]


def _run_arrays(artifact: Path, page: Any) -> None:
    expect(page.locator("#sure")).to_have_text(re.compile("^Waiting for "), timeout=STARTING_MS)
    runner = Runner(artifact)
    feeds = draw_feeds(runner)
    for number, spec in enumerate(runner.inputs):
        file = {"name": "any.npy", "mimeType": "application/octet-stream", "buffer": _npy(feeds[spec.name])}
        page.get_by_label(spec.name).set_input_files({**file, "buffer": b"\x93NUMPY"})
        expect(page.get_by_role("alert")).to_have_text(
            "any.npy: an array as numpy.save writes it is required, in C order"
        )
        page.get_by_label(spec.name).set_input_files(file)
        expect(page.locator(f"#got-{number}")).to_have_text(re.compile(r"any\.npy: "))
    page.get_by_role("button", name="Run").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#milliseconds")).to_have_text(re.compile("ms"))
    _fits(page)
    outputs = _compare_outputs(page, {spec.name for spec in runner.outputs})
    check_outputs(outputs, runner.run(feeds), rtol=1e-5, atol=1e-5)
    _drop(page, {f"{name}.npy": _npy(array[:1]) for name, array in reversed(feeds.items())})
    for number, name in enumerate(feeds):
        expect(page.locator(f"#got-{number}")).to_have_text(re.compile(rf"{name}\.npy: .*\(1, "))


def _drop(page: Any, files: dict[str, bytes]) -> None:
    page.evaluate(
        """(files) => {
            const data = new DataTransfer();
            for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
            const options = { dataTransfer: data, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        [[name, list(content)] for name, content in files.items()],
    )


def _compare_outputs(page: Any, names: set[str]) -> dict[str, Any]:
    """Compare the table with what the button downloads, and return that."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    outputs: dict[str, Any] = json.loads(Path(download.value.path()).read_text())["outputs"]
    lines = page.get_by_role("table", name="Outputs").locator("tbody tr")
    assert set(outputs) == names == set(lines.locator("th").all_inner_texts())
    for line in lines.all():
        array = outputs[line.locator("th").inner_text()]
        kind, shape, first = line.locator("td").all_inner_texts()
        assert (kind, shape) == (array["dtype"], f"({', '.join(map(str, array['shape']))})")
        numbers = [json.loads(number) for number in first.removesuffix(", …").split(", ")]
        assert numbers == pytest.approx(array["data"][:6], rel=1e-4)
    return outputs


def _rows(page: Any) -> dict[str, str]:
    names, texts = (page.locator(f"#bars .{part}").all_inner_texts() for part in ("name", "share"))
    return dict(zip(names, texts, strict=True))


def _percent(share: float) -> str:
    return f"{share * 100:.1f}\xa0%"


def _fits(page: Any) -> None:
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
