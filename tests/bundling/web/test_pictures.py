"""A digit that is drawn, a picture that is chosen, dropped or pasted, and what is no picture."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.browsing import visiting
from tests.bundling.hostile_files import flat_png
from tests.bundling.web.driving import (
    ONE,
    SEVEN,
    answer,
    choose,
    draw,
    expect,
    open_page,
    png,
)


@pytest.mark.parametrize(("places", "digit"), [(SEVEN, "7"), (ONE, "1")])
def test_a_digit_that_is_drawn_with_the_mouse_is_read(page: Any, places: Any, digit: str) -> None:
    draw(page, places)
    label, probability = answer(page)
    assert label == digit
    assert probability > 0.8
    assert page.locator("#bars .best .name").inner_text() == digit
    assert page.locator("#bars li").count() == 10
    assert re.fullmatch(r"\d+\sms", page.locator("#milliseconds").inner_text())


def test_a_finger_draws_too(browser: Any, site: str) -> None:
    """Opens the page anew, as a phone: two seconds."""
    with visiting(browser, has_touch=True, viewport={"width": 320, "height": 640}) as phone:
        open_page(phone, site)
        box = phone.locator("#stage").bounding_box()
        devtools = phone.context.new_cdp_session(phone)
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in SEVEN]
        for kind, place in zip(("touchStart", "touchMove", "touchMove"), places, strict=True):
            points = [{"x": place[0], "y": place[1]}]
            devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert answer(phone)[0] == "7"
        assert phone.evaluate("() => scrollY") == 0


def test_a_chosen_picture_is_answered_as_in_python(page: Any, seven: Path, built: Path) -> None:
    page.locator("#file").set_input_files(seven)
    label, probability = answer(page)
    wanted = EmbeddedModel((built / "app" / "model.e2e.onnx").read_bytes()).answer(decode(seven))
    assert label == Predictor(reference_model()).predict(seven).label == "7"
    assert probability == pytest.approx(float(wanted.probabilities.max()), abs=0.01)
    prepared = page.evaluate(
        """() => {
            const canvas = document.getElementById("prepared");
            return [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, index) => index % 4 === 0);
        }"""
    )
    assert np.abs(np.array(prepared) - wanted.prepared.ravel()).max() <= 1


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Any, seven: Path, event: str) -> None:
    page.evaluate(
        """([event, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "seven.png", { type: "image/png" }));
            document.body.dispatchEvent(
              event === "drop"
                ? new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent(event, { clipboardData: data, bubbles: true, cancelable: true }),
            );
        }""",
        [event, list(seven.read_bytes())],
    )
    assert answer(page)[0] == "7"


def test_pixels_are_those_of_the_file(page: Any) -> None:
    """Colours, straight alpha, a colour profile and EXIF's orientation."""
    rng = np.random.default_rng(3)
    colours = rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    alpha = rng.integers(128, 256, (9, 13, 1), dtype=np.uint8)
    smooth = np.array(Image.fromarray(colours).resize((48, 32), Image.Resampling.BICUBIC))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, profiled = BytesIO(), BytesIO()
    Image.fromarray(smooth).save(turned, "JPEG", exif=exif, quality=95, subsampling=0)
    # Gamma 1.0: a browser that heeds it shows other colours.
    chunk = b"gAMA" + (100_000).to_bytes(4, "big")
    plain = png(colours)
    profiled.write(plain[:33] + (4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + plain[33:])
    pictures = {
        "colours": (plain, 0),
        "alpha": (png(np.concatenate([colours, alpha], axis=2)), 1),
        "gamma": (profiled.getvalue(), 0),
        "turned": (turned.getvalue(), 4),
    }
    for name, (content, tolerance) in pictures.items():
        received = page.evaluate(
            """async (bytes) => {
                const { pixelsOf, readPicture } = await import("/picture.js");
                const { canvas } = await readPicture(new File([new Uint8Array(bytes)], "x", { type: "image/png" }));
                const { data, height, width, channels } = pixelsOf(canvas);
                return { data: [...data], shape: [height, width, channels] };
            }""",
            list(content),
        )
        pixels = np.array(received["data"]).reshape(received["shape"])
        wanted = decode(content).astype(int)
        if wanted.shape[2] == 3:
            wanted = np.concatenate([wanted, np.full((*wanted.shape[:2], 1), 255)], axis=2)
        assert pixels.shape == wanted.shape, name
        assert np.abs(pixels - wanted).max() <= tolerance, name


def test_a_giant_picture_is_scaled_down_and_that_is_said(page: Any, seven: Path) -> None:
    """Four megapixels: two seconds."""
    large = np.array(Image.open(seven).convert("L").resize((3000, 2250)))
    choose(page, "large.png", png(large))
    assert answer(page)[0] == "7"
    expect(page.locator("#note")).to_have_text(
        "The picture has 3000 \u00d7 2250 pixels; it was scaled to 2364 \u00d7 1773 first."
    )


def test_a_picture_that_is_too_large_is_not_decoded(page: Any) -> None:
    choose(page, "huge.png", flat_png(16_000, 5_000))
    expect(page.get_by_role("alert")).to_have_text(
        "“huge.png” has 16000 \u00d7 5000 pixels, too many for a page. Scale it down first."
    )


def test_a_picture_without_anything_in_it_is_said(page: Any) -> None:
    choose(page, "blank.png", png(np.full((60, 90), 200, np.uint8)))
    expect(page.locator("#label")).to_have_text("Nothing found")
    assert page.locator("#bars .best").count() == 0


def test_what_is_no_picture_is_said(page: Any, seven: Path) -> None:
    draw(page, ONE)
    answer(page)
    problem = page.get_by_role("alert")
    choose(page, "notes.txt", b"hello", "text/plain")
    expect(problem).to_have_text("“notes.txt” is not a picture. Take a PNG, JPEG or WebP picture.")
    choose(page, "cut.png", seven.read_bytes()[:900])
    expect(problem).to_contain_text("“cut.png” cannot be read: it is damaged, or")
    page.evaluate("() => dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    expect(problem).to_have_text("There is no picture on the clipboard.")
    assert answer(page)[0] == "1"
    draw(page, SEVEN)
    expect(problem).to_be_empty()


def test_a_drawing_takes_the_place_of_a_picture(page: Any, seven: Path) -> None:
    page.locator("#file").set_input_files(seven)
    assert answer(page)[0] == "7"
    opaque = """(stage) => {
        const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        context.drawImage(stage, -9, -stage.height / 2);
        return context.getImageData(0, 0, 1, 1).data[3];
    }"""
    assert page.locator("#stage").evaluate(opaque) == 255
    draw(page, ONE)
    expect(page.locator("#label")).to_have_text("1")
    assert page.locator("#stage").evaluate(opaque) == 0
    page.locator("#clear").click()
    expect(page.locator("body.empty")).to_have_count(1)
