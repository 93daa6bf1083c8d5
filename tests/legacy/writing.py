"""Writes models with Keras 2 in its three formats, each with inputs and the answers that Keras 2 gives to them.

    python -m tests.legacy.writing FOLDER NAME...

In a process of its own: the cases of `tests.layers` are built by tf-keras, which stands there in the place of `keras`.
A line of standard output for each case: its name, and what Keras 2 says where it cannot build or save it. Without
arguments: the names of all cases.
"""

from __future__ import annotations

import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

H5, KERAS, SAVED_MODEL = "h5", "keras", "savedmodel"
FORMATS = (H5, KERAS, SAVED_MODEL)
ANSWERS = "answers.npz"

APPLICATIONS = "applications."
"""Begins the names of the cases that are models of keras.applications."""

PIXELS = 96
"""A side of their pictures: what each of them allows."""

STATISTICS_PICTURES = 12
"""Of the batch that gives the batch-norm statistics: with few, a channel's variance is an accident."""


def keras2_in_its_place() -> Any:
    """Let `import keras` find Keras 2 in this process, and return it."""
    import tf_keras

    layers, activations = _standing(tf_keras.layers), _standing(tf_keras.activations)
    keras = _standing(tf_keras, layers=layers, activations=activations)
    sys.modules.update({"keras": keras, "keras.layers": layers, "keras.activations": activations})
    return tf_keras


def _standing(module: Any, **parts: Any) -> types.ModuleType:
    """Return a module with the names of another; one that it lacks fails when it is called, in its own case."""
    standing = types.ModuleType(module.__name__)
    vars(standing).update({name: value for name, value in vars(module).items() if not name.startswith("__")}, **parts)

    def missing(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def fail(*args: Any, **options: Any) -> Any:
            raise NotImplementedError(f"Keras 2 has no {name}")

        return fail

    vars(standing)["__getattr__"] = missing
    return standing


def folder_of(root: Path, name: str) -> Path:
    """Return the folder of a case, by its name without what file systems refuse."""
    return root / re.sub(r"[^A-Za-z0-9=.-]+", "_", name)


def write(folder: Path, model: Any, inputs: list[Any]) -> None:
    """Write a model in all formats, with inputs and answers."""
    import tensorflow as tf

    folder.mkdir(parents=True)
    for layer in model.submodules:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # A Normalization goes by what it made of its weights last, a file by its weights.
    tensors = [tf.constant(array) for array in inputs]
    answers = model(tensors if len(tensors) > 1 else tensors[0], training=False)
    arrays = {f"input_{index}": array for index, array in enumerate(inputs)}
    flat = [np.asarray(answer) for answer in tf.nest.flatten(answers)]
    # NumPy's files know no bfloat16.
    halves = [array.astype(np.float16) if array.dtype.name == "bfloat16" else array for array in flat]
    arrays |= {f"answer_{index}": array for index, array in enumerate(halves)}
    np.savez(folder / ANSWERS, **arrays)
    (folder / "order.json").write_text(
        json.dumps({"inputs": list(model.input_names), "outputs": list(model.output_names)})
    )
    model.save(folder / "model.h5", save_format="h5")
    model.save(folder / "model.keras", save_format="keras")
    model.save(folder / SAVED_MODEL, save_format="tf")


def layer_writer(name: str, keras: Any) -> Callable[[Path], None]:
    """Return the function that writes a case of `tests.layers`."""
    from tests.layers.case import CASES, enliven

    case = CASES[name]

    def run(folder: Path) -> None:
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        inputs = [
            keras.Input(feed.shape, dtype=feed.dtype, batch_size=feed.batch, name=f"input_{letter}")
            for feed, letter in zip(case.feeds, "abcdefgh", strict=False)
        ]
        model = keras.Model(inputs, case.apply(*inputs))
        enliven(model)
        generator = np.random.default_rng(11)
        write(folder, model, [feed.draw(generator, 2, 0) for feed in case.feeds])

    return run


def application_writer(name: str, keras: Any) -> Callable[[Path], None]:
    """Return the function that writes a model of keras.applications, with random weights and small pictures.

    Without batch-norm statistics of its own a network of hundreds of layers grows or goes silent, and rounding decides.
    """
    from tests.layers.case import enliven
    from tests.zoo.models import measure_statistics, must_be_alive, random_pictures, settle_logits

    def run(folder: Path) -> None:
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        build = getattr(keras.applications, name.removeprefix(APPLICATIONS))
        shape = (PIXELS, PIXELS, 3)
        model = build(weights=None, classes=10, input_shape=shape)
        enliven(model)
        generator = np.random.default_rng(11)
        pictures = random_pictures(STATISTICS_PICTURES, shape, generator)
        measure_statistics(model, pictures, generator)
        settle_logits(model, pictures[:4])
        images = random_pictures(2, shape, generator)
        must_be_alive(name, model(images, training=False).numpy())
        write(folder, model, [images])

    return run


def main() -> None:
    """Write the cases of these names, or print the names of all."""
    keras = keras2_in_its_place()
    from tests.layers import cases  # noqa: F401 - registers every case.
    from tests.layers.case import CASES

    if len(sys.argv) == 1:
        models = [f"{APPLICATIONS}{name}" for name in dir(keras.applications) if name[0].isupper()]
        print("\n".join([*CASES, *models]))
        return
    root, names = Path(sys.argv[1]), sys.argv[2:]
    for name in names:
        writer = application_writer if name.startswith(APPLICATIONS) else layer_writer
        try:
            writer(name, keras)(folder_of(root, name))
            reason = ""
        except Exception as error:  # Keras 2 has no such layer or option, or cannot save it: no case of its files.
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        print(json.dumps([name, reason]), flush=True)


if __name__ == "__main__":
    main()
