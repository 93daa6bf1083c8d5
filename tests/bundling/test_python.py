"""The bundle `python`, run as an app would run it: a folder of its own, and nothing of edgeconv."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests import variations
from tests.linting import check_python, check_python_types
from tests.rendering import FILES, encode, phone_photo, stroke_digit

PASS = r"PASS: 16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+\n"


@pytest.fixture
def copy(make_bundle: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("python"), tmp_path / "app"))


@pytest.fixture(scope="module")
def predict(make_bundle: Any) -> ModuleType:
    """Return the bundle's module."""
    spec = importlib.util.spec_from_file_location("predict", make_bundle("python") / "predict.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["predict"] = module  # dataclasses look their module up
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photographs of digits, in every kind of file, each turned another way."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5)
    photos = [phone_photo(stroke_digit(glyph), rng, height=180, width=240) for glyph in "01247"]
    kinds = [*FILES, ("jpg", "RGB"), ("jpg", "RGB"), ("jpg", "L"), ("png", "RGB")]
    turns = [1] * len(FILES) + [3, 6, 8, 6]
    return [
        encode(photos[number % 5], file_type, mode, folder / f"{number}", orientation=turn)
        for number, ((file_type, mode), turn) in enumerate(zip(kinds, turns, strict=True))
    ]


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program as an app's user does; `-I` hides this repository from it."""
    command = [sys.executable, "-I", "predict.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def test_only_what_the_requirements_name_is_imported(make_bundle: Any) -> None:
    folder = make_bundle("python")
    nodes = list(ast.walk(ast.parse((folder / "predict.py").read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"numpy", "onnxruntime", "PIL"}
    required = re.findall(r"^[a-z]+", (folder / "requirements.txt").read_text(), re.MULTILINE)
    assert required == ["numpy", "onnxruntime", "pillow"]


def test_nothing_of_edgeconv_is_loaded_by_an_app(copy: Path) -> None:
    app = "import sys; sys.path.insert(0, '.'); import predict; predict.Model(); print('edgeconv' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", app], cwd=copy, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_code_is_formatted_linted_and_typed(make_bundle: Any) -> None:
    """Runs ruff and mypy, some seconds."""
    check_python(make_bundle("python") / "predict.py")
    check_python_types(make_bundle("python") / "predict.py")


def test_nothing_is_left_of_the_template(make_bundle: Any) -> None:
    for file in make_bundle("python").iterdir():
        assert "BUNDLE_" not in file.read_bytes().decode("latin1")


def test_its_self_test_passes(copy: Path) -> None:
    done = run(copy, "--selftest")
    assert re.fullmatch(PASS, done.stderr)
    assert (done.returncode, done.stdout) == (0, "")


def test_its_self_test_prints_a_row_a_sample(copy: Path) -> None:
    rows = [json.loads(line) for line in run(copy, "--selftest", "--rows").stdout.splitlines()]
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
def test_its_self_test_says_which_step_is_off(copy: Path, spoil: Callable[[], bytes], step: str) -> None:
    """Makes another model first, three seconds."""
    (copy / "model.e2e.onnx").write_bytes(spoil())
    done = run(copy, "--selftest")
    assert done.returncode == 1
    assert re.fullmatch(
        rf'FAIL: {step} is off: sample \d+ \("\d"\) differs by [\d.]+( grey levels)?, allowed are [\d.]+\n', done.stderr
    )


def test_both_steps_can_be_off(predict: ModuleType, make_bundle: Any) -> None:
    class Liar:
        """Prepares pictures wrong, but passes prepared ones through, and answers them wrong."""

        def run(self, picture: Any) -> tuple[Any, Any]:
            prepared = picture if picture.shape == (28, 28, 1) else np.zeros((28, 28, 1), np.uint8)
            return np.full(10, np.nan, np.float32), prepared

    report = predict.selftest(Liar())
    assert not report.passed
    assert [line.split(" is off")[0] for line in report.verdict] == ["FAIL: preparation", "FAIL: inference"]
    assert "differs by inf" in report.verdict[1]


def test_inference_is_not_judged_where_the_net_cannot_be_fed(predict: ModuleType) -> None:
    class Blind:
        def run(self, _: Any) -> tuple[Any, Any]:
            return np.zeros(10, np.float32), np.zeros((28, 28, 1), np.uint8)

    report = predict.selftest(Blind())
    assert [row.probability_error for row in report.rows] == [None] * 16
    assert len(report.verdict) == 1
    assert report.verdict[0].startswith("FAIL: preparation is off")


def _cut(data: bytes) -> bytes:
    return data[:-3]


def _more(data: bytes) -> bytes:
    return data + b"abcd"


def _foreign(data: bytes) -> bytes:
    return b"\x89PNG" + data[4:]


def _other_classes(data: bytes) -> bytes:
    return data[:16] + struct.pack("<I", 11) + data[20:]


def _no_samples(data: bytes) -> bytes:
    return data[:12] + bytes(4) + data[16:40]


def _huge_picture(data: bytes) -> bytes:
    return data[:40] + b"\xff\xff\xff\xff" * 2 + data[48:]


DAMAGES = [
    (_cut, "is damaged"),
    (_more, "is damaged"),
    (_no_samples, "is damaged"),
    (_huge_picture, "is damaged"),
    (_foreign, "is no self-test"),
    (_other_classes, "is the self-test of another model"),
    (lambda data: data[:20], "is no self-test"),
    (lambda _: b"", "is no self-test"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_a_damaged_self_test_is_an_error_in_words(
    copy: Path, predict: ModuleType, damage: Callable[[bytes], bytes], words: str
) -> None:
    file = copy / "other.bin"
    file.write_bytes(damage((copy / "selftest.bin").read_bytes()))
    with pytest.raises(predict.BundleError, match=rf"other\.bin: {words}"):
        predict.selftest(predict.Model(), file)


def test_errors_of_the_bundle_reach_the_command_line(copy: Path) -> None:
    """Starts the program four times."""
    done = run(copy, "--selftest", "absent.bin")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: absent.bin: cannot be read: No such file or directory\n"
    assert run(copy).returncode == 2
    assert run(copy, "a.png", "--selftest").returncode == 2
    (copy / "model.e2e.onnx").write_bytes(b"nonsense")
    done = run(copy, "--selftest")
    assert done.returncode == 1
    assert re.match(r"Error: .*model\.e2e\.onnx: cannot be loaded: ", done.stderr)


def test_files_are_read_as_edgeconv_reads_them(predict: ModuleType, pictures: list[Path]) -> None:
    for file in pictures:
        np.testing.assert_array_equal(predict.read_picture(file), decode(file), err_msg=file.name)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright_as_exif_says(predict: ModuleType, orientation: int) -> None:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.arange(12 * 20 * 3, dtype=np.uint16).astype(np.uint8).reshape(12, 20, 3)).save(
        file, "PNG", exif=exif
    )
    np.testing.assert_array_equal(predict.read_picture(file.getvalue()), decode(file.getvalue()))


def test_pictures_are_answered_as_edgeconv_answers_them(copy: Path, pictures: list[Path]) -> None:
    """Twenty-two pictures by two programs, two seconds."""
    done = run(copy, *pictures)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["path"] for row in rows] == [str(file) for file in pictures]
    embedded, predictor = EmbeddedModel((copy / "model.e2e.onnx").read_bytes()), Predictor(reference_model())
    for row, file in zip(rows, pictures, strict=True):
        wanted = predictor.predict(file)
        assert row["label"] == wanted.label
        assert (list(row), list(row["top"][0])) == (["path", *wanted.as_dict()], list(wanted.top[0].as_dict()))
        # 0.02 is the self-test's own tolerance; beside the same preparation there is no difference.
        assert row["probability"] == pytest.approx(wanted.probability, abs=0.02)
        exact = embedded.answer(decode(file)).probabilities
        assert [score["probability"] for score in row["top"]] == pytest.approx(
            np.sort(exact)[:-4:-1].tolist(), abs=1e-6
        )


def test_pictures_that_fail_leave_the_others_answered(copy: Path, seven: Path, tmp_path: Path) -> None:
    broken, blank, text = tmp_path / "broken.png", tmp_path / "blank.png", tmp_path / "text.png"
    broken.write_bytes(seven.read_bytes()[:3000])
    Image.new("L", (90, 60), 200).save(blank)
    text.write_text("no picture")
    done = run(copy, "absent.png", broken, seven, blank, text, tmp_path)
    assert done.returncode == 1
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["path"], row["label"]) == (str(seven), "7")
    absent, damaged, nothing, no_picture, folder = done.stderr.splitlines()
    assert absent == "Error: absent.png: cannot be read: No such file or directory"
    assert damaged.startswith(f"Error: {broken}: is damaged: ")
    assert nothing == f"Error: {blank}: nothing was found in the picture"
    assert no_picture == f"Error: {text}: is none of PNG, JPEG, BMP, GIF, WEBP, TIFF"
    assert folder == f"Error: {tmp_path}: cannot be read: Is a directory"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 20_000])
def test_decompression_bombs_are_refused(predict: ModuleType, side: int) -> None:
    header = b"IHDR" + struct.pack(">II5B", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    bomb += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(predict.PictureError, match="is too large"):
        predict.read_picture(bomb)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((5, 5)), r"must be uint8 \(height, width, channels\), not float64 \(5, 5\)"),
        (np.zeros((5, 5), np.uint8), r"not uint8 \(5, 5\)"),
        (np.zeros((0, 5, 1), np.uint8), r"not uint8 \(0, 5, 1\)"),
        (np.zeros((5, 5, 2), np.uint8), "1, 3 or 4 channels are read, not 2"),
    ],
)
def test_pixels_that_are_no_picture_are_refused(predict: ModuleType, pixels: Any, words: str) -> None:
    with pytest.raises(predict.PictureError, match=words):
        predict.Model().predict(pixels)


def test_an_app_gets_an_answer_from_pixels(predict: ModuleType, seven: Path) -> None:
    model, pixels = predict.Model(), decode(seven)
    answer = model.predict(pixels, top=2)
    assert (answer.label, answer.index, len(answer.top)) == ("7", 7, 2)
    assert model.predict(seven.read_bytes(), top=2) == model.predict(seven, top=2) == answer


@pytest.mark.parametrize("labels", variations.LABELS)
def test_any_names_of_classes_are_written_as_ruff_would(labels: str, tmp_path: Path) -> None:
    file = variations.render("python", tmp_path, labels=variations.LABELS[labels]) / "predict.py"
    check_python(file)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LABELS"
    ]
    assert [ast.literal_eval(value) for value in found] == [variations.LABELS[labels]]


@pytest.mark.parametrize("name", variations.NAMES)
def test_any_name_of_a_model_leaves_the_code_valid(name: str, tmp_path: Path) -> None:
    check_python(variations.render("python", tmp_path, name=name) / "predict.py")
