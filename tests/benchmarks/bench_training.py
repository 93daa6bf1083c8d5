"""Accuracy and wall time of `edgeconv.train` beside the book's own `model.fit`, on full MNIST.

    python tests/benchmarks/bench_training.py --data-dir DIR --seeds 0 1 2 --out results.json

Every run has a fresh process, and the two alternate, so that a slow spell of the machine meets both. `fit_s` of ours is
the whole of `train`: building, five epochs, the test after each, checkpoints, curves and saving. `fit_s` of the book is
its `model.fit` alone, without a progress bar and without validation.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EPOCHS = 5


def run_ours(data_dir: str, seed: int, recipe: str) -> dict[str, Any]:
    """Train with edgeconv."""
    from edgeconv.config import TrainConfig
    from edgeconv.datasets import DatasetSpec, open_dataset
    from edgeconv.training import train

    data = open_dataset(DatasetSpec("mnist", data_dir=data_dir))
    config = TrainConfig(recipe=recipe, seed=seed, epochs=EPOCHS, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        record = train(data, config=config, out=folder).record
        seconds = time.perf_counter() - started
    return {"accuracy": record["test_accuracy"], "fit_s": seconds, "history": record["history"]}


def run_book(data_dir: str, seed: int) -> dict[str, Any]:
    """Train as F. Chollet, Deep Learning with Python, 2nd edition, section 8.1 does."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    from keras import layers

    from edgeconv.datasets import DatasetSpec, open_dataset

    data = open_dataset(DatasetSpec("mnist", data_dir=data_dir))
    train_images = data.train.images.astype("float32") / 255
    test_images = data.test.images.astype("float32") / 255
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    started = time.perf_counter()
    model.fit(train_images, data.train.labels, epochs=EPOCHS, batch_size=64, verbose=0)
    seconds = time.perf_counter() - started
    _, accuracy = model.evaluate(test_images, data.test.labels, verbose=0)
    return {"accuracy": accuracy, "fit_s": seconds}


def in_fresh_process(kind: str, data_dir: str, seed: int) -> dict[str, Any]:
    """Run one training in a process of its own and return what it reports."""
    command = [sys.executable, __file__, "--data-dir", data_dir, "--seeds", str(seed), "--only", kind, "--report"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return {"kind": kind, "seed": seed, **result}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means over the seeds, and how long ours takes for each second of the book's."""
    kinds = sorted({run["kind"] for run in runs})
    means = {
        kind: {key: statistics.mean(run[key] for run in runs if run["kind"] == kind) for key in ("accuracy", "fit_s")}
        for kind in kinds
    }
    ratios = {kind: means[kind]["fit_s"] / means["book"]["fit_s"] for kind in kinds if "book" in means}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {"machine": machine, "means": means, "time_ratio_to_book": ratios, "runs": runs}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, help="folder with mnist.npz")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    kinds = ("book", "onecycle", "edgeconv-book")
    parser.add_argument("--only", nargs="+", choices=kinds, default=["book", "onecycle"], help="what to run")
    parser.add_argument("--report", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.report:
        kind, seed = options.only[0], options.seeds[0]
        ours = {"onecycle": "onecycle", "edgeconv-book": "book"}
        result = run_ours(options.data_dir, seed, ours[kind]) if kind in ours else run_book(options.data_dir, seed)
        print(json.dumps(result))
        return
    runs = []
    for seed in options.seeds:
        for kind in options.only:
            run = in_fresh_process(kind, options.data_dir, seed)
            runs.append(run)
            print(f"seed {seed}  {kind:14} accuracy {run['accuracy']:.4f}  fit {run['fit_s']:6.1f} s", flush=True)
    result = summary(runs)
    for kind, mean in result["means"].items():
        ratio = result["time_ratio_to_book"].get(kind)
        beside = "" if ratio is None else f"  {ratio:.3f} times the book's time"
        print(f"mean    {kind:14} accuracy {mean['accuracy']:.4f}  fit {mean['fit_s']:6.1f} s{beside}")
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
