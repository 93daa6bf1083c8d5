"""The bundle `web`, built with npm and used in a headless Chromium as people use it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from edgeconv.bundling import literals
from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.selftest import SelftestSample, Tolerances, encode
from edgeconv.pictures.decoding import decode
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests import variations
from tests.browsing import launched, served, visiting
from tests.linting import check_javascript

SEVEN = ((0.28, 0.25), (0.72, 0.25), (0.45, 0.8))
ONE = ((0.5, 0.2), (0.47, 0.82))

READY = "Ready when you are."
STARTING_MS = 20_000
"""Compiling ONNX Runtime takes two seconds, more where other tests run too."""

POLICY = re.compile(r"default-src 'none'[^\"\n]*")


@pytest.fixture(scope="module")
def built(make_bundle: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle after the first two commands of its README; ten seconds, from npm's cache."""
    if shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("web") / "app of mine"
    shutil.copytree(make_bundle("web"), folder)
    command = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and re.search("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED", done.stderr):
        pytest.skip("needs npm's registry, or its packages in npm's cache")
    assert done.returncode == 0, done.stderr
    assert build(folder).startswith("app/ is complete: ")
    return folder


def build(folder: Path) -> str:
    command = ["npm", "run", "build", "--silent"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def site(built: Path) -> Iterator[str]:
    with served(built) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: Any, site: str) -> Iterator[Any]:
    """The page, opened once: it takes seconds."""
    with visiting(browser) as page:
        open_page(page, site)
        yield page


@pytest.fixture
def page(opened: Any) -> Any:
    """The page, with nothing drawn on it."""
    if opened.locator("#clear").is_enabled():
        opened.locator("#clear").click()
    expect(opened.locator("#sure")).to_have_text(READY)
    return opened


def expect(what: Any) -> Any:
    from playwright.sync_api import expect as expect_

    return expect_(what)


def open_page(page: Any, address: str) -> None:
    page.goto(address)
    expect(page.locator("#sure")).to_have_text(READY, timeout=STARTING_MS)


def draw(page: Any, places: tuple[tuple[float, float], ...]) -> None:
    box = page.locator("#stage").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=10)
    page.mouse.up()


def choose(page: Any, name: str, content: bytes, mime: str = "image/png") -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": mime, "buffer": content})


def answer(page: Any) -> tuple[str, float]:
    """Wait for an answer, and return the class and its probability."""
    expect(page.locator("#sure")).to_have_text(re.compile(r"^[\d.]+\s% sure$"))
    return page.locator("#label").inner_text(), float(page.locator("#sure").inner_text().split()[0]) / 100


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "PNG")
    return file.getvalue()


# Answers


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


def test_strokes_are_taken_back(page: Any) -> None:
    draw(page, SEVEN)
    expect(page.locator("#label")).to_have_text("7")
    draw(page, ((0.1, 0.9), (0.9, 0.9), (0.9, 0.1), (0.1, 0.1), (0.1, 0.9)))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#label")).to_have_text("7")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#sure")).to_have_text(READY)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_everything_but_the_pen_works_from_the_keyboard(page: Any) -> None:
    draw(page, SEVEN)
    answer(page)
    page.locator("body").evaluate("(body) => { body.tabIndex = -1; body.focus(); }")
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["file", "undo", "clear", "Self-test", "Licences"]
    page.locator("#file").focus()
    with page.expect_file_chooser():
        page.keyboard.press("Space")
    page.locator("#clear").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sure")).to_have_text(READY)


def test_what_is_shown_has_a_name_for_those_who_do_not_see_it(page: Any) -> None:
    draw(page, SEVEN)
    answer(page)
    tree = page.locator("main").aria_snapshot()
    for words in ('img "Your drawing"', 'button "Undo"', "status:", '"Probabilities"', 'img "The prepared picture"'):
        assert words in tree
    assert page.get_by_label("Choose a picture").count() == 1


# The self-test


def selftest(browser: Any, site: str, query: str = "", **files: bytes) -> tuple[str, str, list[dict[str, Any]]]:
    """Return the title, the findings and the rows."""
    named = {name.replace("_", "."): content for name, content in files.items()}
    with visiting(browser, files=named) as page:
        page.goto(f"{site}selftest.html{query}")
        expect(page).to_have_title(re.compile("^(PASS|FAIL)$"), timeout=STARTING_MS)
        rows = page.locator("#rows")
        text = rows.text_content() if rows.count() else "[]"
        return page.title(), page.locator("#findings").inner_text(), json.loads(text)


def test_its_self_test_passes(browser: Any, site: str) -> None:
    """Opens the page anew and runs 16 samples: four seconds."""
    title, findings, rows = selftest(browser, site)
    assert title == "PASS"
    assert re.fullmatch(
        r"16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+", findings
    )
    assert list(rows[0]) == ["sample", "label", "prepared_error", "probability_error", "probabilities"]
    assert [row["sample"] for row in rows] == list(range(16))
    assert all(np.argmax(row["probabilities"]) == row["label"] for row in rows)


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (variations.with_flipped_polarity, "preparation"),
        (variations.with_nearest_filter, "preparation"),
        (variations.with_disturbed_weights, "inference"),
    ],
)
def test_its_self_test_says_which_step_is_off(browser: Any, site: str, spoil: Callable[[], bytes], step: str) -> None:
    """Makes another model and opens the page anew: six seconds."""
    title, findings, _ = selftest(browser, site, model_e2e_onnx=spoil())
    assert title == "FAIL"
    assert re.fullmatch(
        rf'{step} is off: sample \d+ \("\d"\) differs by [\d.]+( grey levels)?, allowed are [\d.]+', findings
    )


def test_its_self_test_takes_other_samples(browser: Any, site: str) -> None:
    """Opens the page anew: three seconds."""
    image = np.zeros((28, 28, 1), np.uint8)
    image[4:24, 12:16] = 250
    unknown = SelftestSample(image, -1, image, np.zeros(10, np.float32))
    content = encode([unknown] * 40, Tolerances(255, 1))
    title, _, rows = selftest(browser, site, "?samples=other.data", other_data=content)
    assert title == "PASS"
    assert [(len(rows), row["label"]) for row in rows[:1]] == [(40, -1)]


def test_samples_that_are_none_are_an_error_in_words(opened: Any, browser: Any, site: str) -> None:
    """Opens the page of the self-test anew: two seconds."""
    # Bytes kept at the beginning, bytes after them, and from where on the rest is kept.
    damaged = {
        "damaged": [(10**9, b"abcd", 10**9), (12, bytes(4), 16), (40, b"\xff" * 12, 52), (48, bytes([2]), 49)],
        "cut short": [(100, b"", 10**9), (10_000, b"", 10**9), (20, b"", 10**9)],
        "no file of samples": [(0, b"\x89PNG", 4), (0, b"", 10**9), (8, b"\x02", 9)],
        "of another model: 28 x 28 x 1 with 11 classes": [(16, b"\x0b", 17)],
    }
    for words, changes in damaged.items():
        for kept, inserted, resumed in changes:
            said = opened.evaluate(
                """async ([kept, inserted, resumed]) => {
                    const { readSamples } = await import("/selftest.js");
                    const whole = new Uint8Array(await (await fetch("/selftest.bin")).arrayBuffer());
                    const parts = [whole.slice(0, kept), new Uint8Array(inserted), whole.slice(resumed)];
                    const changed = await new Blob(parts).arrayBuffer();
                    try { readSamples(changed); } catch (error) { return error.message; }
                }""",
                [kept, list(inserted), resumed],
            )
            assert words in said
    title, findings, _ = selftest(browser, site, "?samples=https://example.com/x.bin")
    assert (title, findings) == ("FAIL", "Samples have to come from this page's own origin.")


def test_verdicts_name_both_steps_or_only_what_was_reached(opened: Any) -> None:
    both, first = opened.evaluate(
        """async () => {
            const { judge, runSample } = await import("/selftest.js");
            const black = new Uint8Array(784), white = new Uint8Array(784).fill(255);
            const run = async (passes) => {
                const predict = async ({ data }) => ({
                    prepared: passes && data === white ? white : black,
                    probabilities: new Float32Array(10).fill(NaN),
                });
                const picture = { data: black, height: 28, width: 28, channels: 1 };
                const sample = { label: 4, picture, prepared: white, probabilities: new Float32Array(10) };
                const limits = { prepared: 1, probabilities: 0.02 };
                return judge([await runSample({ predict }, sample, 1)], limits);
            };
            return [await run(true), await run(false)];
        }"""
    )
    preparation = 'FAIL: preparation is off: sample 0 ("4") differs by 255 grey levels, allowed are 1'
    inference = 'FAIL: inference is off: sample 0 ("4") differs by Infinity, allowed are 0.02'
    assert both == {"passed": False, "findings": [preparation, inference]}
    assert first == {"passed": False, "findings": [preparation]}


# Offline, installed


def test_it_opens_and_answers_offline_after_the_first_visit(browser: Any, site: str, built: Path) -> None:
    """Opens the page four times: ten seconds."""
    with visiting(browser, service_workers="allow") as page:
        open_page(page, site)
        expect(page.locator("#offline")).to_be_visible(timeout=STARTING_MS)
        page.context.set_offline(True)
        open_page(page, f"{site}?from=home")
        draw(page, SEVEN)
        assert answer(page)[0] == "7"
        page.goto(f"{site}selftest.html")
        expect(page).to_have_title("PASS", timeout=STARTING_MS)
        page.context.set_offline(False)

        # A new build takes the place of the old one.
        (old,) = page.evaluate("() => caches.keys()")
        style = built / "app" / "style.css"
        style.write_text(style.read_text() + "\n/* changed */\n")
        build(built)
        open_page(page, site)
        new = f"{site} {re.search(r'[0-9a-f]{16}', (built / 'app' / 'precache.js').read_text())[0]}"
        assert new != old
        for _ in range(50):
            if page.evaluate("() => caches.keys()") == [new]:
                break
            page.wait_for_timeout(100)
        assert page.evaluate("() => caches.keys()") == [new]
        assert "changed" in page.evaluate("async () => (await fetch('style.css')).text()")


def test_what_the_page_loads_is_small(browser: Any, site: str, built: Path) -> None:
    """Gzipped, as hosts send it; opens the page anew: two seconds."""
    with visiting(browser) as page:
        names: set[str] = set()
        page.context.on("request", lambda request: names.add(request.url.removeprefix(site).split("?")[0]))
        open_page(page, site)
    assert {"", "app.js", "worker.js", "model.e2e.onnx", "ort/ort-wasm-simd-threaded.wasm"} <= names
    files = [built / "app" / (name or "index.html") for name in names]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 4.5e6


def test_it_can_be_installed(opened: Any, built: Path) -> None:
    link = opened.locator("link[rel=manifest]").get_attribute("href")
    manifest = json.loads((built / "app" / link).read_text())
    assert (manifest["name"], manifest["display"]) == ("mnist-reference", "standalone")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        assert ElementTree.parse(built / "app" / icon["src"]).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    devtools = opened.context.new_cdp_session(opened)
    assert devtools.send("Page.getAppManifest")["errors"] == []
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )


# Other models


def stub(classes: int) -> bytes:
    """A model that answers every picture in the same way: the last class but one is likeliest."""
    scores = np.linspace(0, 1, classes, dtype=np.float32)[None] ** 40
    scores[0, [-2, -1]] = scores[0, [-1, -2]]
    constants = {"scores": scores, "blank": np.zeros((1, 28, 28, 1), np.uint8)}
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
    contract = (built / "app" / "contract.js").read_text()
    array = literals.javascript_array("export const labels = [", labels, "];")
    files = {
        "contract.js": re.sub(r"export const labels = .*", lambda _: array, contract, flags=re.DOTALL).encode(),
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


# The bundle


def test_an_unbuilt_page_says_what_to_do(make_bundle: Callable[[str], Path], browser: Any, built: Path) -> None:
    with served(make_bundle("web")) as address:
        context = browser.new_context(service_workers="block")
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("alert")).to_have_text(
            "ONNX Runtime is not beside this page. Run `npm install --ignore-scripts && npm run build`."
        )
        context.close()


def test_the_build_takes_two_files_of_the_runtime_and_refuses_others(built: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in (built / "app" / "ort").iterdir()) == [
        "LICENSES.txt",
        "ort-wasm-simd-threaded.wasm",
        "ort.wasm.bundle.min.mjs",
    ]
    shutil.copy(built / "build.mjs", tmp_path)
    shutil.copytree(built / "app", tmp_path / "app")
    done = subprocess.run(["node", "build.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ort.wasm.bundle.min.mjs is missing. Run `npm install --ignore-scripts` first.\n"
    changed = tmp_path / "node_modules" / "onnxruntime-web" / "dist"
    changed.mkdir(parents=True)
    (changed / "ort.wasm.bundle.min.mjs").write_bytes(b"alert(1)")
    done = subprocess.run(["node", "build.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not the one of onnxruntime-web 1.30.0" in done.stderr


def test_npm_start_serves_the_folder_alone(site: str, built: Path) -> None:
    def ask(path: str, **headers: str) -> tuple[int, Any]:
        try:
            with urlopen(Request(site + path, headers=headers)) as response:
                return response.status, response.headers
        except HTTPError as error:
            return error.code, error.headers

    readme = (built / "README.md").read_text()
    for path, kind in {
        "": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "ort/ort-wasm-simd-threaded.wasm": "application/wasm",
        "ort/ort.wasm.bundle.min.mjs": "text/javascript; charset=utf-8",
        "manifest.webmanifest": "application/manifest+json",
    }.items():
        status, headers = ask(path)
        assert (status, headers["Content-Type"]) == (200, kind)
        assert f"Content-Security-Policy: {headers['Content-Security-Policy']}\n" in readme
        assert ask(path, **{"If-None-Match": headers["ETag"]})[0] == 304
    for path in ("..%2fpackage.json", "%2e%2e/package.json", "..%5cpackage.json", "ort", "absent.js", "%00", "%zz"):
        assert ask(path)[0] == 404, path
    policies = {POLICY.search((built / "app" / name).read_text())[0] for name in ("index.html", "selftest.html")}
    assert len(policies) == 1
    assert headers["Content-Security-Policy"] == f"{policies.pop()}; frame-ancestors 'none'"


def test_the_code_is_formatted_and_linted(make_bundle: Callable[[str], Path]) -> None:
    """Runs prettier and eslint: four seconds."""
    check_javascript(make_bundle("web"))


@pytest.mark.parametrize(
    ("labels", "name"),
    [("quotes", "My Model 2"), ("languages", "a/b\\c\"d'e */ -->"), ("thousand", "a name that goes on, " * 9)],
)
def test_any_names_are_written_as_prettier_would(labels: str, name: str, tmp_path: Path) -> None:
    """Runs prettier and eslint: three seconds."""
    folder = variations.render("web", tmp_path, labels=variations.LABELS[labels], name=name)
    check_javascript(folder)
    assert json.loads((folder / "app" / "manifest.webmanifest").read_text())["name"]


def test_nothing_is_left_of_the_template(make_bundle: Callable[[str], Path]) -> None:
    for file in make_bundle("web").rglob("*"):
        if file.is_file():
            assert "BUNDLE_" not in file.read_bytes().decode("latin1"), file
