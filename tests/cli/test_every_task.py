"""One network a row of the table of tasks, from its training to its ledger, as a user at the shell goes that way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

from edgeconv.conversion import export as exporting  # noqa: E402

layers = keras.layers

SIZE = 12
COUNT = 48


def _pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of a bright bar, lying or standing, wide or narrow, and the pixels of the bars."""
    generator = np.random.default_rng(0)
    masks = np.zeros((COUNT, SIZE, SIZE), bool)
    for number, mask in enumerate(masks):
        place, width = generator.integers(2, 7), 1 + 3 * (number // 2 % 2)
        (mask if number % 2 else mask.T)[place : place + width] = True
    return np.where(masks, 200, 40).astype(np.uint8)[..., None] + generator.integers(
        0, 30, (COUNT, SIZE, SIZE, 1), np.uint8
    ), masks


PICTURES, MASKS = _pictures()
STANDING, WIDE = np.arange(COUNT) % 2 == 0, np.arange(COUNT) // 2 % 2 == 1
SHARE = MASKS.mean(axis=(1, 2), dtype=np.float32)


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        ends: makes the last layers.
        right: what the network learns, (n, ...).
        loss: by its name in Keras.
        options: of `export`.
        says: part of what `export` prints of the output.
        keys: of an answer.
        metric: of what is right; None where nothing is.
        bound: what it reaches at least; of RMSE at most.
    """

    ends: Callable[[], list[Any]]
    right: np.ndarray
    loss: str | None
    options: tuple[str, ...]
    says: str
    keys: set[str]
    metric: str | None = None
    bound: float = 0.0


TABLE = {
    "classes": Row(
        lambda: [layers.Flatten(), layers.Dense(2, "softmax")],
        STANDING.astype(np.int64),
        "sparse_categorical_crossentropy",
        ("--labels", "lying,standing"),
        "Output: one class of 2, read from the softmax",
        {"label", "index", "probability", "top"},
        "accuracy",
        0.9,
    ),
    "tags": Row(
        lambda: [layers.Flatten(), layers.Dense(2, "sigmoid")],
        np.stack([STANDING, WIDE], axis=1),
        "binary_crossentropy",
        ("--labels", "standing,wide", "--threshold", "0.4"),
        "Output: 2 tags, read from the sigmoid",
        {"tags", "scores", "threshold"},
        "micro F1",
        0.8,
    ),
    "yes-no": Row(
        lambda: [layers.Flatten(), layers.Dense(1, "sigmoid")],
        STANDING.astype(np.int64),
        "binary_crossentropy",
        ("--labels", "lying,standing"),
        "Output: yes or no, read from the sigmoid",
        {"label", "answer", "probability", "threshold"},
        "accuracy",
        0.9,
    ),
    "values": Row(
        lambda: [layers.Flatten(), layers.Dense(1)],
        SHARE[:, None],
        "mse",
        ("--labels", "share"),
        "Output: a value, read from the loss mean_squared_error",
        {"values"},
        "RMSE",
        0.1,
    ),
    "embedding": Row(
        lambda: [layers.Flatten(), layers.Dense(4), layers.UnitNormalization()],
        np.zeros((COUNT, 4)),
        None,
        (),
        "Output: an embedding, read from the unit vectors",
        {"vector"},
    ),
    "mask": Row(
        lambda: [layers.Conv2D(1, 1, activation="sigmoid")],
        MASKS[..., None],
        "binary_crossentropy",
        ("--labels", "paper,bar"),
        "Output: a mask, read from the sigmoid",
        {"height", "width", "shares"},
        "mIoU",
        0.9,
    ),
    "picture": Row(
        lambda: [layers.Conv2D(1, 1, activation="sigmoid")],
        MASKS[..., None].astype(np.float32),
        "mse",
        ("--task", "picture"),
        "Output: a picture, as stated",
        {"height", "width", "channels"},
        "PSNR",
        15.0,
    ),
    "any": Row(
        lambda: [layers.Conv2D(2, 1)],
        np.stack([MASKS, ~MASKS], axis=-1).astype(np.float32),
        "mse",
        (),
        "Output: arrays, since no task has the shape (batch, 12, 12, 2)",
        set(),
        "RMSE",
        0.3,
    ),
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export in this process, which has TensorFlow already."""

    def run(function: Any, request: Any, *, progress: Any, read: Any, **_: Any) -> Any:
        return read(function(request, progress))

    monkeypatch.setattr(exporting, "run_isolated", run)


def _trained(row: Row) -> Any:
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 1))
    made = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(image))
    for end in row.ends():
        made = end(made)
    network = keras.Model(image, made)
    if row.loss is not None:
        network.compile(optimizer=keras.optimizers.Adam(0.02), loss=row.loss)
        network.fit(PICTURES, row.right, epochs=40, batch_size=16, verbose=0)
    return network


@pytest.mark.parametrize("task", TABLE)
def test_a_network_of_each_task_goes_the_whole_way(run: Run, tmp_path: Path, here: None, task: str) -> None:
    """Trains a few hundred weights, exports and evaluates: some seconds a task."""
    row = TABLE[task]
    network = _trained(row)
    network.save("m.keras")
    exported = run("export", "m.keras", "--out", "m", "--embed-preprocessing", *row.options, "--format", "json")
    assert exported.exit_code == 0, exported.stderr
    assert row.says in exported.stderr
    ledger = json.loads(exported.stdout)["ledger"]
    assert ledger["passed"]
    assert "max error over spread" in [gate["name"] for gate in ledger["gates"]] or task == "classes"

    Image.fromarray(PICTURES[0, ..., 0]).save("a.png")
    answered = run("predict", "a.png", "--model", "m", "--format", "json")
    answer = json.loads(answered.stdout)
    expected = network(PICTURES[:1]).numpy()
    output = json.loads(Path("m/manifest.json").read_text())["output"]["name"]
    assert set(answer) == {"path", *(row.keys or {output})}
    with np.load(_saved(run("predict", "a.png", "--model", "m", "--format", "npz").stdout_bytes)) as arrays:
        np.testing.assert_allclose(arrays[output], expected, atol=1e-5)
    inside = json.loads(run("predict", "a.png", "--model", "m", "--variant", "e2e", "--format", "json").stdout)
    assert list(_numbers(inside)) == pytest.approx(list(_numbers(answer)), abs=1e-5)

    np.savez("x.npz", x=PICTURES, y=row.right)
    judged = run("evaluate", "m", "--dataset", "x.npz", "--format", "json")
    assert judged.exit_code == 0, judged.stderr
    rows = json.loads(judged.stdout)["rows"]
    assert [each["stage"] for each in rows] == ["keras", "fp32", "e2e"]
    table = run("evaluate", "m", "--dataset", "x.npz", "--format", "table").stdout.splitlines()
    assert [line.split()[0] for line in table if line][:4] == ["stage", "keras", "fp32", "e2e"]
    if row.metric is not None:
        reached = {**rows[1], **rows[1].get("metrics", {})}[row.metric]
        assert reached <= row.bound if row.metric == "RMSE" else reached >= row.bound


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)
    elif isinstance(value, int | float):
        yield value


def _saved(content: bytes) -> Path:
    Path("answer.npz").write_bytes(content)
    return Path("answer.npz")
