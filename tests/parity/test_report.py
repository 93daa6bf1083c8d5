"""The report: whole, accessible, and with the figures of the ledger."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("jinja2", reason="the report needs the extra `train`")

from edgeconv.errors import MissingDependencyError
from edgeconv.parity.classes import compare_classes
from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.prove import prove
from edgeconv.parity.report import FlipPicture
from edgeconv.parity.stage import Stage, on_images
from tests.parity.pages import CURVES, Page, ledger_of, manifest_of, many, pictures_of, render

VARIATIONS = {
    "usual": {},
    "failed": {"ledger": ledger_of(max_drop=0.2)},
    "no flips": {"ledger": ledger_of(flips=0)},
    "no labels": {"ledger": ledger_of(labelled=False)},
    "no training": {"training": None, "curves_png": None},
    "empty training": {"training": {}, "curves_png": None},
    "no pictures": {"flips": {}},
    "40 classes": {"manifest": manifest_of(many(40)), "ledger": ledger_of(40)},
    "120 classes": {"manifest": manifest_of(many(120)), "ledger": ledger_of(120)},
    "colour": {"manifest": manifest_of(channels=3), "flips": pictures_of(ledger_of(), (8, 8, 3))},
    "unknown preparation": {"manifest": replace(manifest_of(), preprocess=None)},
    "only keras": {"ledger": replace(ledger_of(), rows=ledger_of().rows[:1], gates=()), "flips": {}},
}


@pytest.mark.parametrize("options", VARIATIONS.values(), ids=VARIATIONS.keys())
def test_every_page_is_whole_self_contained_and_accessible(options):
    html = render(**options)
    page = Page(html)
    assert page.all("script") == []
    assert all(attributes["href"].startswith("data:") for attributes in page.all("link"))
    assert all(attributes["src"].startswith("data:image/png;base64,") for attributes in page.all("img"))
    assert not re.search(r"url\(|@import|https?://", html)
    assert all(attributes["alt"] for attributes in page.all("img"))
    assert len(page.all("table")) == len(page.all("caption")) > 0
    assert all(attributes["scope"] in {"row", "col"} for attributes in page.all("th"))
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert max(ids.values()) == 1
    named = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert named <= set(ids)
    assert "None" not in page.text
    assert not any(line != line.rstrip() or not line for line in html.splitlines())


def test_it_is_equal_for_equal_arguments():
    assert render() == render()


def test_what_others_wrote_is_escaped():
    manifest = replace(manifest_of(("<script>x</script>", "a&b", '"', "ok")), name="<img src=x onerror=alert(1)>")
    html = render(manifest)
    assert "<script>" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;x&lt;/script&gt;" in html
    assert "a&b" in Page(html).text


def test_a_passing_ledger_is_said_in_one_sentence():
    assert (
        "Every gate passed: int8 gives the same answer as Keras for 195 of 200 test images, "
        "and its accuracy is 2.50 percentage points lower." in Page(render()).text
    )
    everything = Page(render(ledger=ledger_of(flips=0))).text
    assert "Every gate passed: int8 gives the same answer as Keras for all 200 test images." in everything


def test_outputs_that_are_no_classes_are_said_to_differ_by_what_they_do():
    stages = [
        Stage(name, "x", lambda feeds, error=error: {"out": feeds["x"] + error}, 1, timed=False)
        for name, error in (("keras", 0.0), ("fp32", 0.0), ("int8", 0.25))
    ]
    compared = ComparisonSet("mine", "test", "0", (Batch({"x": np.zeros((3, 1))}),), spreads={"out": 2.0})
    ledger = prove(stages, compared, max_drop=50.0, kind="tensor", meaning=Meaning("values"))
    text = Page(render(ledger=ledger)).text
    assert "Every gate passed: int8 differs from Keras by at most 0.12 of an output's spread, on 3 test inputs." in text


def test_the_headline_is_of_the_model_itself_where_it_has_its_preparation_in_front_too():
    ledger = ledger_of()
    twin = replace(ledger.rows[-1], stage="e2e", size_bytes=99_999, count=50)
    page = Page(render(ledger=replace(ledger, rows=(*ledger.rows, twin))))
    assert "Every gate passed: int8 gives the same answer as Keras" in page.text
    assert "File, int8" in page.text
    assert "File, e2e" not in page.text
    assert "100 kB" in page.text.replace("\u202f", " ")
    assert "on the same 200 test images of shapes, e2e on 50. Differences" in page.text
    assert page.text.index("int8: true classes in rows") < page.text.index("e2e: true classes in rows")


def test_a_failing_ledger_names_its_gate():
    page = Page(render(ledger=ledger_of(max_drop=0.2)))
    assert "A gate failed. int8 accuracy drop in percentage points: at most 0.2, got 2.5." in page.text
    assert page.text.count("✗ failed") == 1
    assert page.text.count("✓ passed") == 2


def test_the_ledger_has_its_figures():
    text = Page(render()).text
    row = ledger_of().rows[2]
    assert f"{100 * row.accuracy_low:.2f} to {100 * row.accuracy_high:.2f}" in text
    assert "97.50 %" in text
    assert "376 kB" in text
    assert "105 kB" in text
    assert "28 % of fp32" in text
    assert f"{row.sqnr_db:.1f} dB" in text
    assert "0.25 ms" in text


def test_the_search_for_int8_is_shown_where_there_was_a_choice():
    step = {"what": "minmax", "drop": 0.7, "size_bytes": 1000, "latency_us": 50.0, "holds": False}
    way = {"sentence": "It was found.", "max_drop": 0.2, "holds": True, "chosen": 1, "ranking": [], "layers": []}
    ledger = ledger_of()
    found = Page(render(ledger=replace(ledger, int8_search={**way, "steps": [step, {**step, "holds": True}]}))).text
    assert "The search for int8" in found
    assert "It was found." in found
    assert "The search for int8" not in Page(render(ledger=replace(ledger, int8_search={**way, "steps": [step]}))).text


def test_an_answer_that_is_no_number_is_called_so():
    ledger = ledger_of()
    stage = Stage("int8", "CPUExecutionProvider", on_images(np.asarray), 1)
    answers = np.full((200, 4), np.nan, np.float32)
    broken = compare_classes(stage, answers, np.full((200, 4), 0.25, np.float32), None, p50_latency_ms=1)
    assert "not a number" in Page(render(ledger=replace(ledger, rows=(*ledger.rows[:2], broken)))).text


def test_at_most_sixty_flips_are_shown_and_the_rest_is_counted():
    ledger = ledger_of(flips=75)
    page = Page(render(ledger=ledger))
    assert len([attributes for attributes in page.all("img") if attributes["alt"].startswith("Image ")]) == 60
    assert "And 15 more, in parity.json" in page.text


def test_flips_without_pictures_are_listed():
    page = Page(render(flips={}))
    assert not [attributes for attributes in page.all("img") if attributes["alt"].startswith("Image ")]
    assert "Image True Keras int8 0 ring ring bar 1 bar bar cross" in page.text


@pytest.mark.parametrize("channels", [1, 3])
def test_a_flipped_image_keeps_its_pixels(channels):
    image = np.random.default_rng(0).integers(0, 256, (8, 8, channels), dtype=np.uint8)
    ledger = ledger_of(flips=1)
    page = Page(render(ledger=ledger, flips={"int8": [FlipPicture(ledger.rows[2].flips[0], image)]}))
    (shown,) = [attributes for attributes in page.all("img") if attributes["alt"] == "Image 0"]
    assert shown["class"] == "pixels"
    decoded = Image.open(io.BytesIO(base64.b64decode(shown["src"].partition(",")[2])))
    np.testing.assert_array_equal(np.asarray(decoded).reshape(image.shape), image)


def test_a_large_flipped_image_is_made_smaller():
    image = np.zeros((480, 640, 3), np.uint8)
    ledger = ledger_of(flips=1)
    page = Page(render(ledger=ledger, flips={"int8": [FlipPicture(ledger.rows[2].flips[0], image)]}))
    (shown,) = [attributes for attributes in page.all("img") if attributes["alt"] == "Image 0"]
    decoded = Image.open(io.BytesIO(base64.b64decode(shown["src"].partition(",")[2])))
    assert decoded.size == (160, 120)
    assert "class" not in shown


def test_the_curves_are_told_in_words():
    page = Page(render())
    (curves,) = [attributes for attributes in page.all("img") if attributes["alt"].startswith("Loss and accuracy")]
    assert curves["alt"].endswith("In the last epoch, 2: loss 0.2500, test accuracy 0.9875.")
    assert base64.b64decode(curves["src"].partition(",")[2]) == CURVES
    assert "93,322" in page.text


def test_without_a_record_of_the_training_there_is_no_such_section():
    assert "training" in {attributes.get("id") for attributes in Page(render()).all("h2")}
    bare = Page(render(training=None, curves_png=None))
    assert "training" not in {attributes.get("id") for attributes in bare.all("h2")}


def test_the_contract_says_how_it_was_quantized():
    text = Page(render()).text
    assert "(batch, 8, 8, 1)" in text
    assert "WeightSymmetric true" in text
    assert "dense/Softmax probabilities need more than 256 steps" in text
    assert "model.int8.onnx 105,460 17 8" in text


def test_a_matrix_of_many_classes_becomes_a_list_of_pairs():
    text = Page(render(manifest_of(many(40)), ledger_of(40))).text
    assert "The 30 of 40 classes with the lowest accuracy" in text
    assert "class 0 class 1 1 20.0 %" in text
    assert "120 classes are too many" in Page(render(manifest_of(many(120)), ledger_of(120))).text


def test_without_jinja_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"The report requires jinja2.*edgeconv\[train\]"):
        render()
