"""TensorFlow's SavedModel, of TensorFlow 2 or 1, as a Keras model of one layer."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.graph_reading import ServedGraph
from edgeconv.errors import ArtifactError, ConfigError, UnsupportedModelError
from edgeconv.scaling_layers import Scaling

GRAPH = "saved_model.pb"
ENDPOINT = "serving_default"


def open_saved_model(path: Path, *, signature: str | None, unsafe: bool) -> Any:
    """Return one signature of a SavedModel as a Keras model, whose graph TensorFlow runs as it is.

    Args:
        path: the folder.
        signature: its name; None takes `serving_default`, or the only one.
        unsafe: the user trusts the graph; it may read and write files.

    Raises:
        ArtifactError: the folder is no SavedModel.
        ConfigError: it has no such signature.
        UnsupportedModelError: it is not trusted, or has no signature at all.
    """
    if not (path / GRAPH).is_file():
        raise ArtifactError(
            f"`{path}` must be a SavedModel's folder. Received: a folder without `saved_model.pb`. Name a .keras file."
        )
    if not unsafe:
        raise UnsupportedModelError(
            f"`{path}` must be a model that loads without running its code. Received: a SavedModel, whose graph may "
            "read and write files. Save it with `model.save('model.keras')`, or trust it with `--unsafe`."
        )
    import keras

    loaded = _loaded(path)
    function = loaded.signatures[_chosen(path, signature, sorted(loaded.signatures))]

    graph = ServedGraph.of(function)

    class SavedModel(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
        """The signature; it holds what was loaded, which TensorFlow would let go."""

        def __init__(self) -> None:
            super().__init__(name="saved_model")
            self.loaded = loaded
            self.activation = graph.activation
            self.foreign_parameters = sum(variable.shape.num_elements() or 0 for variable in function.variables)
            self.smallest_table = graph.smallest_table

        def call(self, inputs: Any) -> Any:
            return function(**inputs)

        def scalings(self, state: Scaling) -> list[Scaling]:
            return graph.scalings(state)

    specs = function.structured_input_signature[1]
    inputs = {
        name: keras.Input(batch_shape=spec.shape, dtype=spec.dtype.name, name=name) for name, spec in specs.items()
    }
    return keras.Model(inputs, SavedModel()(inputs), name=path.name)


def _chosen(path: Path, signature: str | None, names: list[str]) -> str:
    """Return the name of the signature that is meant."""
    if not names:
        raise UnsupportedModelError(
            f"`{path}` must have a signature to call. Received: a SavedModel without one. Save it with "
            "`model.export`, or as a .keras file."
        )
    wanted = signature or (ENDPOINT if ENDPOINT in names or len(names) > 1 else names[0])
    if wanted in names:
        return wanted
    listed = ", ".join(f"`{name}`" for name in names)
    given = f"`signature` is {wanted!r}" if signature else f"no signature `{ENDPOINT}`"
    raise ConfigError(
        f"`{path}` must have the signature that is converted. Received: {given}, and it has {listed}. Choose one "
        f"with `--signature {names[0]}`."
    )


def _loaded(path: Path) -> Any:
    """Load a SavedModel without its optimizer's slots, which TensorFlow can make only where it has that optimizer."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel()
    try:
        saved.ParseFromString((path / GRAPH).read_bytes())
    except DecodeError as error:
        raise ArtifactError(
            f"`{path / GRAPH}` must be a whole SavedModel. Received: {error}. It may be cut off or "
            "damaged: copy it again."
        ) from error
    nodes = [node for graph in saved.meta_graphs for node in graph.object_graph_def.nodes if node.slot_variables]
    if not nodes:
        return tf.saved_model.load(str(path))
    for node in nodes:
        del node.slot_variables[:]
    with tempfile.TemporaryDirectory() as folder:
        slotless = Path(folder) / path.name
        slotless.mkdir()
        for part in path.resolve().iterdir():
            if part.name != GRAPH:
                _linked(part, slotless / part.name)
        (slotless / GRAPH).write_bytes(saved.SerializeToString())
        return tf.saved_model.load(str(slotless))


def _linked(part: Path, place: Path) -> None:
    """Let a file or a folder be found in another place too, without a copy where the system has links."""
    try:
        place.symlink_to(part)
    except OSError:  # Windows asks for a privilege.
        (shutil.copytree if part.is_dir() else shutil.copy2)(part, place)
