"""The page at `/` in a headless Chromium: a digit is drawn, a picture dropped or taken, and what goes wrong is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.browsing import launched, visiting
from tests.bundling.web.driving import ONE, READY, SEVEN, answer, choose, draw, expect, open_page
from tests.serving.running import Server, serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream") as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: Any, server: Server) -> Iterator[Any]:
    with visiting(browser) as page:
        open_page(page, f"{server.url}/")
        yield page


@pytest.fixture
def page(opened: Any) -> Any:
    """The page, with nothing drawn on it."""
    if opened.locator("#clear").is_enabled():
        opened.locator("#clear").click()
    expect(opened.locator("#sure")).to_have_text(READY)
    opened.evaluate("() => scrollTo(0, 0)")
    return opened


@pytest.mark.parametrize(("places", "digit"), [(SEVEN, "7"), (ONE, "1")])
def test_a_digit_that_is_drawn_is_read(page: Any, places: Any, digit: str) -> None:
    draw(page, places)
    label, probability = answer(page)
    assert (label, probability > 0.8) == (digit, True)
    assert page.locator("#bars .best .name").inner_text() == digit
    assert page.locator("#bars li").count() == 10
    assert re.fullmatch(r"\d+\sms", page.locator("#milliseconds").inner_text())


def test_a_picture_that_is_dropped_is_answered_as_by_the_command(page: Any, seven: Path) -> None:
    page.evaluate(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "seven.png", { type: "image/png" }));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }""",
        list(seven.read_bytes()),
    )
    label, probability = answer(page)
    predictor = Predictor(reference_model(), device="cpu")
    expected = predictor.predict(seven).as_dict()
    assert (label, probability) == ("7", pytest.approx(expected["probability"], abs=0.01))
    shown = page.evaluate(
        """() => [...document.getElementById("prepared").getContext("2d").getImageData(0, 0, 28, 28).data]
            .filter((_, index) => index % 4 === 0)"""
    )
    assert np.abs(np.array(shown) - predictor.prepare(seven).ravel()).max() <= 1


def test_what_is_no_picture_is_refused_in_words(page: Any) -> None:
    choose(page, "notes.txt", b"words", "text/plain")
    expect(page.locator("#problem")).to_contain_text("“notes.txt” is not a picture")
    choose(page, "broken.png", b"\x89PNG\r\n\x1a\nbroken")
    expect(page.locator("#problem")).to_contain_text("“broken.png” cannot be read")


def test_a_blank_sheet_has_no_digit(page: Any) -> None:
    file = BytesIO()
    Image.new("L", (60, 60), 255).save(file, "PNG")
    choose(page, "blank.png", file.getvalue())
    expect(page.locator("#label")).to_have_text("Nothing found")
    expect(page.locator("#problem")).to_have_text("")


def test_the_camera_takes_a_picture(page: Any) -> None:
    """Chromium's own stand-in for a camera shows a green sheet with a disc that turns."""
    page.locator("#camera").click()
    expect(page.get_by_role("dialog", name="Camera")).to_be_visible()
    page.wait_for_function("() => document.getElementById('video').videoWidth > 0")
    page.get_by_role("button", name="Take the picture").click()
    expect(page.get_by_role("dialog", name="Camera")).to_be_hidden()
    expect(page.locator("#stage")).to_have_attribute("aria-label", "Picture: camera.png")
    expect(page.locator("#sure")).not_to_have_text(READY)
    assert page.evaluate("() => document.getElementById('video').srcObject") is None, "the camera is let go"


def test_everything_but_the_pen_works_from_the_keyboard(page: Any) -> None:
    draw(page, SEVEN)
    answer(page)
    page.locator("body").evaluate("(body) => { body.tabIndex = -1; body.focus(); }")
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["file", "camera", "undo", "clear", "colours", "spare", "API"]


def test_what_is_shown_has_a_name_for_those_who_do_not_see_it(page: Any) -> None:
    draw(page, SEVEN)
    answer(page)
    tree = page.locator("main").aria_snapshot()
    for words in ('img "Your drawing"', 'button "Camera"', "status:", '"Probabilities"', 'region "About this model"'):
        assert words in tree


def test_the_card_says_what_the_model_is(page: Any) -> None:
    card = page.locator(".card").inner_text()
    for words in (
        "one class of many",
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "int8",
        "images of",
        "answers differ from Keras",
    ):
        assert words in card


def test_a_phone_shows_it_all(browser: Any, server: Server, seven: Path) -> None:
    with visiting(browser, has_touch=True, viewport={"width": 320, "height": 640}) as phone:
        open_page(phone, f"{server.url}/")
        phone.locator("#file").set_input_files(seven)
        assert answer(phone)[0] == "7"
        assert phone.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_any_arrays_are_sent_and_shown(browser: Any, tmp_path: Path) -> None:
    """A model of two arrays and three outputs, of three types: what comes out is what Python gives."""
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from edgeconv.runtime.runner import Runner
    from tests.bundling.networks import make_artifact

    artifact = make_artifact("any with arrays", tmp_path / "m")
    (artifact / "samples.npz").unlink()  # They are made for bundles, whose answers are their own.
    arrays = {"levels": np.ones((2, 4), np.float32), "words": np.arange(10, dtype=np.int64).reshape(2, 5)}
    with serving(f"two arrays={artifact}") as running, visiting(browser) as page:
        page.goto(f"{running.url}/")
        for name, array in arrays.items():
            file = BytesIO()
            np.save(file, array)
            page.get_by_label(name).set_input_files(
                {"name": f"{name}.npy", "mimeType": "application/octet-stream", "buffer": file.getvalue()}
            )
        page.get_by_role("button", name="Run").click()
        expect(page.locator("#label")).to_have_text("3 outputs")
        rows = {
            cells[0]: cells[1:]
            for cells in page.locator("#detail tbody tr").evaluate_all(
                "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
            )
        }
    found = Runner(artifact).run(arrays)
    assert {name: row[:2] for name, row in rows.items()} == {
        "sums": ["float32", "(2, 3)"],
        "is_large": ["bool", "(2, 5)"],
        "doubled": ["int64", "(2, 5)"],
    }
    assert rows["doubled"][2] == "0, 2, 4, 6, 8, 10, …"
    assert float(rows["sums"][2].split(", ")[0]) == pytest.approx(found["sums"][0, 0], rel=1e-4)


def test_a_server_that_is_gone_is_missed(browser: Any, tiny: Path) -> None:
    with serving(f"colours={tiny}") as running:
        page = browser.new_page()
        open_page(page, f"{running.url}/")
        assert page.locator("#undo").is_hidden(), "colours are no drawing"
        running.process.kill()
        running.process.wait()
        file = BytesIO()
        Image.new("RGB", (30, 30), (255, 0, 0)).save(file, "PNG")
        choose(page, "red.png", file.getvalue())
        expect(page.locator("#problem")).to_have_text("The server does not answer. Is it still running?")
