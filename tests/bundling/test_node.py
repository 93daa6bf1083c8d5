"""The bundle `node`, installed from npm and run as an app would run it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests import variations
from tests.linting import check_javascript, check_typescript
from tests.rendering import FILES, encode, phone_photo, stroke_digit

PASS = r"PASS: 16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+\n"

_OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "ENOTCACHED")


@pytest.fixture(scope="module")
def modules(make_bundle: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what `npm install --ignore-scripts` installs for the bundle; seconds, from npm's cache."""
    if shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("npm")
    shutil.copy(make_bundle("node") / "package.json", folder)
    command = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and any(reason in done.stderr for reason in _OFFLINE):
        pytest.skip("needs npm's registry, or its packages in npm's cache")
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


@pytest.fixture
def app(make_bundle: Any, modules: Path, tmp_path: Path) -> Path:
    """Return an installed copy of the bundle."""
    folder = Path(shutil.copytree(make_bundle("node"), tmp_path / "app"))
    (folder / "node_modules").symlink_to(modules)
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photographs of digits in every kind of PNG and JPEG file, the last ones turned by EXIF."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5)
    photos = [phone_photo(stroke_digit(glyph), rng, height=180, width=240) for glyph in "01247"]
    kinds = [(file_type, mode) for file_type, mode in FILES if file_type in {"png", "jpg"} and mode != "CMYK"]
    kinds += [("jpg", "RGB"), ("jpg", "RGB"), ("jpg", "L")]
    turns = [1] * (len(kinds) - 3) + [3, 6, 8]
    return [
        encode(photos[number % 5], file_type, mode, folder / f"{number}", orientation=turn)
        for number, ((file_type, mode), turn) in enumerate(zip(kinds, turns, strict=True))
    ]


def node(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["node", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def test_npm_test_runs_the_self_test_and_passes(app: Path) -> None:
    done = subprocess.run(["npm", "test"], cwd=app, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(PASS, done.stderr)


def test_its_self_test_prints_a_row_a_sample(app: Path) -> None:
    done = node(app, "selftest.mjs", "selftest.bin", "--rows")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert re.fullmatch(PASS, done.stderr)
    assert [row["sample"] for row in rows] == list(range(16))
    assert list(rows[0]) == ["sample", "label", "prepared_error", "probability_error", "probabilities"]
    assert {row["label"] for row in rows} == set(range(10))
    assert all(np.argmax(row["probabilities"]) == row["label"] for row in rows)
    assert all(row["prepared_error"] <= 1 and row["probability_error"] <= 0.02 for row in rows)


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (variations.with_flipped_polarity, "preparation"),
        (variations.with_nearest_filter, "preparation"),
        (variations.with_disturbed_weights, "inference"),
    ],
)
def test_its_self_test_says_which_step_is_off(app: Path, spoil: Callable[[], bytes], step: str) -> None:
    """Makes another model first, three seconds."""
    (app / "model.e2e.onnx").write_bytes(spoil())
    done = node(app, "selftest.mjs")
    assert done.returncode == 1
    verdict = rf'FAIL: {step} is off: sample \d+ \("\d"\) differs by [\d.]+( grey levels)?, allowed are [\d.]+\n'
    assert re.fullmatch(verdict, done.stderr)


def test_verdicts_name_both_steps_or_only_what_was_reached(app: Path) -> None:
    (app / "liars.mjs").write_text(
        """
        import { selftest } from "./samples.mjs";
        const black = new Uint8Array(28 * 28);
        const run = (passes) => ({ data, width, height }) => ({
          prepared: passes && width === 28 && height === 28 ? data : black,
          probabilities: new Float32Array(10).fill(NaN),
        });
        for (const passes of [true, false]) {
          const { passed, verdict } = await selftest({ run: run(passes) });
          console.log(JSON.stringify([passed, ...verdict]));
        }
        """
    )
    both, first = map(json.loads, node(app, "liars.mjs").stdout.splitlines())
    assert [line.split(" is off")[0] for line in both[1:]] == ["FAIL: preparation", "FAIL: inference"]
    assert "differs by Infinity" in both[2]
    assert [line.split(" is off")[0] for line in first[1:]] == ["FAIL: preparation"]
    assert (both[0], first[0]) == (False, False)


def test_a_damaged_self_test_is_an_error_in_words(app: Path) -> None:
    whole = (app / "selftest.bin").read_bytes()
    damages = [
        (whole[:-3], "is damaged"),
        (whole + b"abcd", "is damaged"),
        (whole[:12] + bytes(4) + whole[16:40], "is damaged"),
        (whole[:40] + b"\xff" * 8 + whole[48:], "is damaged"),
        (whole[:56] + whole[56:60], "is damaged"),
        (b"\x89PNG" + whole[4:], "is no self-test"),
        (whole[:20], "is no self-test"),
        (b"", "is no self-test"),
        (whole[:16] + b"\x0b" + whole[17:], "is the self-test of another model"),
    ]
    for number, (content, _) in enumerate(damages):
        (app / f"{number}.bin").write_bytes(content)
    (app / "damaged.mjs").write_text(
        """
        import { open } from "./index.mjs";
        import { selftest } from "./samples.mjs";
        const model = await open();
        for (const file of process.argv.slice(2)) {
          await selftest(model, file).catch(({ name, message }) => console.log(`${name}: ${message}`));
        }
        """
    )
    files = [f"{number}.bin" for number in range(len(damages))]
    said = node(app, "damaged.mjs", *files).stdout.splitlines()
    assert said == [f"BundleError: {file}: {words}" for file, (_, words) in zip(files, damages, strict=True)]


def test_errors_of_the_bundle_reach_the_command_line(app: Path) -> None:
    """Starts the programs five times, a second."""
    done = node(app, "selftest.mjs", "absent.bin")
    assert done.returncode == 1
    assert re.fullmatch(r"Error: absent\.bin: cannot be read: ENOENT.*\n", done.stderr)
    assert node(app, "selftest.mjs", "--nonsense").returncode == 2
    assert node(app, "predict.mjs").returncode == 2
    (app / "model.e2e.onnx").write_bytes(b"nonsense")
    for command in (("selftest.mjs",), ("predict.mjs", "picture.png")):
        done = node(app, *command)
        assert done.returncode == 1
        assert re.match(r"Error: .*model\.e2e\.onnx: cannot be loaded: ", done.stderr)


def test_pictures_are_answered_as_edgeconv_answers_them(app: Path, pictures: list[Path]) -> None:
    """Twelve pictures by two programs, one second."""
    done = node(app, "predict.mjs", *pictures)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [str(file) for file in pictures]
    predictor = Predictor(reference_model())
    for row, file in zip(rows, pictures, strict=True):
        wanted = predictor.predict(file)
        assert (row["label"], row["index"]) == (wanted.label, wanted.index)
        assert (list(row), list(row["top"][0])) == (["path", *wanted.as_dict()], list(wanted.top[0].as_dict()))
        assert [score["probability"] for score in row["top"]] == sorted(
            (score["probability"] for score in row["top"]), reverse=True
        )
        # 0.02 is the self-test's own tolerance; only JPEG's pixels differ, by what decoders may differ.
        assert row["probability"] == pytest.approx(wanted.probability, abs=0.02 if file.suffix == ".jpg" else 1e-3)


def _read(app: Path, files: list[Path]) -> list[np.ndarray]:
    """Return the pixels that the bundle reads of files."""
    (app / "dump.mjs").write_text(
        """
        import { readPicture } from "./pictures.mjs";
        for (const file of process.argv.slice(2)) {
          const { data, height, width, channels } = await readPicture(file);
          const pixels = Buffer.from(data).toString("base64");
          console.log(JSON.stringify({ pixels, shape: [height, width, channels] }));
        }
        """
    )
    rows = [json.loads(line) for line in node(app, "dump.mjs", *files).stdout.splitlines()]
    assert len(rows) == len(files)
    return [np.frombuffer(base64.b64decode(row["pixels"]), np.uint8).reshape(row["shape"]) for row in rows]


def _as_rgba(picture: np.ndarray) -> np.ndarray:
    colours = picture[..., :3] if picture.shape[2] > 1 else np.repeat(picture, 3, axis=2)
    alpha = picture[..., 3:] if picture.shape[2] == 4 else np.full_like(picture[..., :1], 255)
    return np.concatenate([colours, alpha], axis=2)


def test_files_are_read_as_edgeconv_reads_them(app: Path, pictures: list[Path]) -> None:
    for file, received in zip(pictures, _read(app, pictures), strict=True):
        wanted = decode(file)
        difference = np.abs(_as_rgba(received).astype(int) - _as_rgba(wanted))
        # JPEG: neighbours share their colours here, while Pillow's decoder smoothes between them.
        assert (difference.mean() < 2) if file.suffix == ".jpg" else (difference.max() == 0), file.name


def test_jpegs_stand_upright_as_exif_says(app: Path, tmp_path: Path) -> None:
    y, x = np.mgrid[:24, :40]
    stored = Image.fromarray(np.stack([y * 10, x * 6, 255 - y * 5 - x * 3], axis=-1).astype(np.uint8))
    files = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files.append(tmp_path / f"{orientation}.jpg")
        stored.save(files[-1], exif=exif, quality=95, subsampling=0)
    for file, received in zip(files, _read(app, files), strict=True):
        wanted = decode(file)
        assert received.shape == wanted.shape
        assert np.abs(received.astype(int) - wanted).max() <= 4, file.name


def test_pictures_that_fail_leave_the_others_answered(app: Path, seven: Path, tmp_path: Path) -> None:
    photo = BytesIO()
    Image.open(seven).convert("RGB").save(photo, "JPEG")
    files = {
        "broken.png": seven.read_bytes()[:3000],
        "cut.png": seven.read_bytes()[:18],
        "broken.jpg": photo.getvalue()[:2000],
        "text.png": b"no picture",
        "bomb.png": seven.read_bytes()[:16] + b"\x00\x01\x00\x00" * 2 + seven.read_bytes()[24:],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    Image.new("L", (90, 60), 200).save(tmp_path / "blank.png")
    names = ["absent.png", "broken.png", "cut.png", "broken.jpg", "blank.png", "text.png", "bomb.png"]
    done = node(app, "predict.mjs", *(tmp_path / name for name in names), seven)
    assert done.returncode == 1
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["path"], row["label"]) == (str(seven), "7")
    expected = [
        "cannot be read: ENOENT",
        "is damaged: ",
        "is damaged: ",
        "is damaged: ",
        "nothing was found in the picture",
        "is neither a PNG nor a JPEG picture",
        "65536x65536 is too large",
    ]
    for name, words, line in zip(names, expected, done.stderr.splitlines(), strict=True):
        assert line.startswith(f"Error: {tmp_path / name}: {words}")


def test_types_fit_the_code(app: Path) -> None:
    """Compiles an app in TypeScript, and runs it; three seconds."""
    (app / "consumer.mts").write_text(
        """
        import { BundleError, PictureError, labels, open, preparedShape } from "./index.mjs";
        import type { Label, Model, Picture, Prediction } from "./index.mjs";
        import { decode, readPicture } from "./pictures.mjs";
        import { selftest, type Report } from "./samples.mjs";

        const known: Label = "7";
        // @ts-expect-error: no such class
        const unknown: Label = "no such class";
        const model: Model = await open();
        const data = new Uint8ClampedArray(40 * 30 * 4).fill(255);
        const blank: Picture = { data, width: 40, height: 30, channels: 4 };
        // @ts-expect-error: there are no pictures of two channels
        const two: Picture = { data, width: 40, height: 60, channels: 2 };
        const reasons: string[] = [];
        for (const picture of [blank, two, { ...blank, width: 41 }, { ...blank, data: [1] as unknown as Uint8Array }]) {
          try {
            await model.predict(picture);
          } catch (error) {
            if (!(error instanceof PictureError)) throw error;
            reasons.push(error.message);
          }
        }
        const read: Picture = await readPicture(process.argv[2]!);
        const seven: Prediction = await model.predict(read);
        const { probabilities, prepared } = await model.run(read);
        const report: Report = await selftest(model);
        await model.release();
        let bundle = "";
        await open("absent.onnx").catch((error: unknown) => {
          if (error instanceof BundleError) bundle = error.name;
        });
        const label: Label | undefined = labels[seven.index];
        console.log(JSON.stringify({
          reasons, bundle, same: label === seven.label && label === known, passed: report.passed, unknown,
          sizes: [probabilities.length, prepared.length, ...preparedShape], decode: typeof decode,
        }));
        """
    )
    check_typescript(app, "consumer.mts", emit=True)
    done = node(app, "consumer.mjs", Path(__file__).parents[1] / "data" / "seven.png")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("reasons") == [
        "nothing was found in the picture",
        "1, 3 or 4 channels are read, not 2",
        "30 x 41 pixels of 4 bytes are required, not 4800 of Uint8ClampedArray",
        "30 x 40 pixels of 4 bytes are required, not 1 of Array",
    ]
    assert said == {
        "bundle": "BundleError",
        "same": True,
        "passed": True,
        "unknown": "no such class",
        "sizes": [10, 784, 28, 28, 1],
        "decode": "function",
    }


def test_another_package_can_install_it(app: Path) -> None:
    """By the name in its package.json, with its types; three seconds of TypeScript."""
    package = json.loads((app / "package.json").read_text())
    assert package["name"] == "mnist-reference-model"
    assert package["dependencies"]["onnxruntime-node"] == "1.30.0"
    other = app.parent / "other"
    (other / "node_modules").mkdir(parents=True)
    (other / "node_modules" / package["name"]).symlink_to(app)
    (other / "package.json").write_text('{ "type": "module" }')
    (other / "main.ts").write_text(
        'import { labels, type Label } from "mnist-reference-model";\n'
        'import { readPicture } from "mnist-reference-model/pictures";\n'
        'import { selftest } from "mnist-reference-model/samples";\n'
        "const first: Label | undefined = labels[0];\n"
        "console.log(first, typeof readPicture, typeof selftest);\n"
    )
    check_typescript(other, "main.ts", emit=True)
    assert node(other, "main.js").stdout == "0 function function\n"


def test_the_code_is_formatted_and_linted(make_bundle: Any) -> None:
    """Runs prettier and eslint, two seconds."""
    check_javascript(make_bundle("node"))


def test_nothing_is_left_of_the_template(make_bundle: Any) -> None:
    for file in make_bundle("node").iterdir():
        assert "BUNDLE_" not in file.read_bytes().decode("latin1")


def test_any_names_of_classes_are_written_as_prettier_would(tmp_path: Path, modules: Path) -> None:
    """Runs prettier, eslint and TypeScript on eight bundles, six seconds."""
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text("{}")
    uses = []
    for number, labels in enumerate(variations.LABELS.values()):
        variations.render("node", tmp_path / f"{number}", labels=labels)
        uses.append(f'import {{ labels as labels{number}, type Label as Label{number} }} from "./{number}/index.mjs";')
        uses.append(f"export const all{number}: Label{number}[] = {json.dumps(labels[:50])};")
    uses.append(f"console.log(JSON.stringify([{', '.join(f'labels{n}' for n in range(len(variations.LABELS)))}]));")
    (tmp_path / "use.mts").write_text("\n".join(uses))
    check_javascript(tmp_path, "*/index.mjs", "*/index.d.mts")
    check_typescript(tmp_path, "use.mts", emit=True)
    assert json.loads(node(tmp_path, "use.mjs").stdout) == [list(labels) for labels in variations.LABELS.values()]


def test_any_name_of_a_model_leaves_the_code_valid(tmp_path: Path) -> None:
    """Runs prettier and eslint, two seconds."""
    for number, name in enumerate(variations.NAMES):
        folder = variations.render("node", tmp_path / f"{number}", name=name)
        assert re.fullmatch(r"[a-z][a-z0-9-]*", json.loads((folder / "package.json").read_text())["name"])
    check_javascript(tmp_path, "*/*.mjs", "*/*.d.mts", "*/package.json")
