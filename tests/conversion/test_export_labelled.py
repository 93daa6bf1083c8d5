"""`export --dataset` of any task: its ledger has the figures and gates that `evaluate --dataset` has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ConfigError, ParityError  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers
PICTURES = np.random.default_rng(5).integers(0, 256, (20, 8, 8, 3), np.uint8)
SHARES = [[1, 0, 1], [0, 1, 0]] * 10


def _network(path: Path, *ends: Any) -> Path:
    """Save a network of pictures with the given last layers."""
    image = keras.Input((8, 8, 3))
    made = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(image))
    for end in ends:
        made = end(made)
    alive(keras.Model(image, made)).save(path)
    return path


def _rows(*end: Any) -> list[Any]:
    return [layers.Flatten(), layers.Dense(*end)]


def _pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(folder / f"{number}.png")


def _table(folder: Path, header: str, cells: list[Any]) -> str:
    _pictures(folder / "images")
    lines = [f"{number},{cell}" for number, cell in enumerate(cells)]
    (folder / "t.csv").write_text("\n".join([f"file,{header}", *lines]), encoding="utf-8")
    return str(folder / "t.csv")


def _arrays(folder: Path, **right: Any) -> str:
    np.savez(folder / "x.npz", x=PICTURES, **right)
    return str(folder / "x.npz")


def _folders(folder: Path, name: str, pictures: np.ndarray) -> str:
    _pictures(folder / "data" / "images")
    (folder / "data" / name).mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / "data" / name / f"{number}.png")
    return str(folder / "data")


CASES: dict[str, tuple[Callable[[], list[Any]], Callable[[Path], str], dict[str, Any], list[str]]] = {
    "tags": (
        lambda: _rows(3, "sigmoid"),
        lambda folder: _table(folder, "a,b,c", ["1,0,1", "0,1,0"] * 10),
        {"labels": ("a", "b", "c")},
        ["micro F1", "macro F1", "macro AUC"],
    ),
    "values": (lambda: _rows(2), lambda folder: _arrays(folder, y=np.float32(SHARES)[:, :2]), {}, ["RMSE"]),
    "mask": (
        lambda: [layers.Conv2D(3, 1, activation="softmax")],
        lambda folder: _folders(folder, "masks", PICTURES[..., 0] % 3),
        {},
        ["mIoU"],
    ),
    "picture": (
        lambda: [layers.Conv2D(3, 1, activation="sigmoid")],
        lambda folder: _folders(folder, "targets", PICTURES[::-1]),
        {},
        ["PSNR", "SSIM"],
    ),
    "any": (
        lambda: [layers.Reshape((16, 16))],
        lambda folder: _arrays(folder, y=np.zeros((20, 16, 16), np.float32)),
        {},
        ["RMSE"],
    ),
}
"""By task: the network's last layers, how data are written, what is stated, and the figures."""


@pytest.mark.parametrize("task", CASES)
def test_the_export_is_held_on_what_is_right(tmp_path: Path, task: str) -> None:
    ends, write, stated, figures = CASES[task]
    data = write(tmp_path)
    config = ExportConfig(task=task, fp16=True, **stated)
    exported = export_here(_network(tmp_path / "m.keras", *ends()), config=config, dataset=data, out=tmp_path / "m")
    ledger = exported.ledger
    assert (ledger.split, [row.stage for row in ledger.rows]) == ("test", ["keras", "fp32", "fp16"])
    assert [row.count for row in ledger.rows] == [20] * 3
    again = edgeconv.evaluate(exported.path, dataset=data)
    for row, same in zip(ledger.rows, again.rows, strict=True):
        assert list(row.metrics) == figures
        assert row.metrics == pytest.approx(dict(same.metrics), rel=1e-6)
    lost = [f"{name}, loss in percent" for name in figures]
    assert [gate.name for gate in ledger.gates if gate.name.endswith("percent") and gate.stage == "fp16"][
        -len(lost) :
    ] == lost
    assert [(gate.stage, gate.name, gate.limit) for gate in ledger.gates] == [
        (gate.stage, gate.name, gate.limit) for gate in again.gates
    ]
    kept = exported.manifest.metrics
    assert kept is not None
    assert kept.figures["fp16"] == pytest.approx(dict(ledger.rows[2].metrics), rel=1e-3)
    assert edgeconv.Manifest.from_dict(exported.manifest.as_dict()) == exported.manifest
    page = (exported.path / "report.html").read_text(encoding="utf-8")
    assert f'<th scope="row">{figures[0]}</th>' in page
    assert f"{figures[0]}, fp16</dt>" in page


@pytest.mark.parametrize("task", ["classes", "yes-no"])
def test_a_table_names_the_class_of_each_picture(tmp_path: Path, task: str) -> None:
    end, names = (3, "softmax") if task == "classes" else (1, "sigmoid"), ("a", "b", "c")[: 3 - (task == "yes-no")]
    data = _table(tmp_path, "label", [names[number % len(names)] for number in range(20)])
    config = ExportConfig(labels=names, embed_preprocessing=True)
    exported = export_here(
        _network(tmp_path / "m.keras", *_rows(*end)), config=config, dataset=data, out=tmp_path / "m"
    )
    rows = exported.ledger.rows
    assert [row.stage for row in rows] == ["keras", "fp32", "e2e"]
    assert (rows[0].count, rows[0].accuracy) == (20, rows[1].accuracy)
    again = edgeconv.evaluate(exported.path, dataset=data)
    assert [(row.stage, row.accuracy, row.count) for row in again.rows] == [
        (row.stage, row.accuracy, row.count) for row in rows
    ]
    assert [gate.name for gate in again.gates] == [gate.name for gate in exported.ledger.gates]
    assert "max |dp|" in {gate.name for gate in again.gates}


def test_a_figure_that_a_stage_loses_ends_the_export(tmp_path: Path) -> None:
    """float16 is off by a few thousandths, which count where what is right lies a tenth of the spread away."""
    path = _network(tmp_path / "m.keras", *_rows(2))
    right = keras.models.load_model(path).predict(PICTURES.astype(np.float32), verbose=0)
    config = ExportConfig(task="values", fp16=True, max_drop=1e-3)
    export_here(path, config=config, dataset=_arrays(tmp_path, y=right), out=tmp_path / "m")
    with pytest.raises(ParityError, match=r"fp16 RMSE, loss in percent: at most 0.001, got"):  # noqa: PT012
        for sign in (1, -1):  # On one side of what Keras answers, float16 is nearer.
            data = _arrays(tmp_path, y=right + sign * np.ptp(right) / np.float32(10))
            export_here(path, config=config, dataset=data, out=tmp_path / "m")


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (
            lambda folder: str(_pictures(folder / "a") or folder),
            r"`dataset` must say what is right .*inputs alone .* `\.csv` of pictures.*, or state `--task classes` if",
        ),
        (_arrays, r"`dataset` must say what is right of each input\. Received: inputs alone in .*x\.npz"),
    ],
)
def test_data_say_what_is_right(tmp_path: Path, write: Callable[[Path], str], problem: str) -> None:
    path = _network(tmp_path / "m.keras", *_rows(3, "sigmoid"))
    with pytest.raises(ConfigError, match=problem):
        export_here(path, config=ExportConfig(), dataset=write(tmp_path), out=tmp_path / "m")


def test_pictures_need_a_contract(tmp_path: Path) -> None:
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))
    keras.Model(image, layers.Dense(3, "sigmoid")(pooled)).save(tmp_path / "m.keras")
    data = _table(tmp_path, "0,1,2", ["1,0,1"] * 20)
    with pytest.raises(ConfigError, match=r"must say what size pictures become.*`--image-size 224x224`"):
        export_here(tmp_path / "m.keras", config=ExportConfig(), dataset=data, out=tmp_path / "m")
    plain = keras.Model(image := keras.Input((8, 8, 3)), layers.Dense(3, "sigmoid")(layers.Flatten()(image)))
    plain.save(tmp_path / "plain.keras")
    with pytest.raises(ConfigError, match=r"must say what its float32 input makes of a pixel.*`--input-range"):
        export_here(tmp_path / "plain.keras", config=ExportConfig(), dataset=data, out=tmp_path / "plain")


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_a_classifier_of_numbers_that_lie_like_a_picture_is_judged_on_labelled_arrays(
    tmp_path: Path, dtype: type
) -> None:
    """As spectrograms do: floats, (n, frames, bands, 1). Labels may have the dtype of pixels."""
    spectrum = keras.Input((9, 5, 1))
    made = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(spectrum))
    model = alive(keras.Model(spectrum, layers.Dense(3, activation="softmax")(made)))
    model.save(tmp_path / "words.keras")
    sounds = np.random.default_rng(5).normal(size=(20, 9, 5, 1)).astype(np.float32)
    right = np.asarray(model(sounds)).argmax(axis=-1).astype(dtype)
    right[:2] = (right[:2] + 1) % 3
    data = str(tmp_path / "data.npz")
    np.savez(data, x=sounds, y=right)
    exported = export_here(tmp_path / "words.keras", config=ExportConfig(), dataset=data, out=tmp_path / "words")
    again = edgeconv.evaluate(exported.path, dataset=data)
    for ledger in (exported.ledger, again):
        assert [(row.stage, row.accuracy, len(row.flips)) for row in ledger.rows] == [
            ("keras", 0.9, 0),
            ("fp32", 0.9, 0),
        ]
