"""Keras files made by hand: no Keras is needed to write one, and its names alone to refuse one."""

from __future__ import annotations

import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")

from edgeconv.conversion.keras.archive import check_archive, members  # noqa: E402
from edgeconv.conversion.keras.archive.wording import shown  # noqa: E402
from edgeconv.errors import ArtifactError, EdgeconvError, UnsupportedModelError  # noqa: E402

TINY = Path(__file__).parents[2] / "data" / "tiny" / "model.keras"
Config = dict[str, Any]


def layer(class_name: str, name: str, module: str | None = "keras.layers", **config: Any) -> Config:
    build = config.pop("build", None)
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": None,
        **({"build_config": {"input_shape": build}} if build else {}),
    }


def sequential(*layers: Config) -> Config:
    first = layer("InputLayer", "pixels", batch_shape=[None, 4], dtype="float32")
    return layer("Sequential", "net", "keras", layers=[first, *layers])


DENSE = layer("Dense", "dense", units=2, build=[None, 4])


def write_weights(path: Path, fill: Callable[[Any], None] | None = None) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["0"], group["1"] = np.ones((4, 2), np.float32), np.zeros(2, np.float32)
        if fill:
            fill(file)
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a `.keras` file."""

    def make(config: Any = None, *, compress: bool = False, fill: Any = None, members: Any = ()) -> Path:
        path = tmp_path / "m.keras"
        text = config if isinstance(config, str) else json.dumps(config or sequential(DENSE))
        weights = write_weights(tmp_path / "w.h5", fill)
        parts = {"metadata.json": b"{}", "config.json": text.encode(), "model.weights.h5": weights.read_bytes()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
            for name, content in {**parts, **dict(members)}.items():
                if content is not None:
                    archive.writestr(name, content)
        return path

    return make


@pytest.fixture
def write_h5(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a `.h5` file of the legacy format."""

    def make(config: Any = None, fill: Callable[[Any], None] | None = None) -> Path:
        path = tmp_path / "m.h5"
        with h5py.File(path, "w") as file:
            file.create_group("model_weights")["kernel"] = np.ones((4, 2), np.float32)
            if config is not None:
                file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
            if fill:
                fill(file)
        return path

    return make


def refusal(path: Path, kind: type[EdgeconvError], **options: Any) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(kind, match=rf"^`{path}` must .*\. Received: .+\. .+\.$") as caught:
        check_archive(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert "\x1b" not in text
    return text


def test_what_keras_wrote_is_accepted(write: Any, write_h5: Any) -> None:
    """Imports Keras: seconds, once."""
    check_archive(TINY)
    check_archive(write())
    check_archive(write(compress=True))
    check_archive(write_h5(sequential(DENSE)))
    without_modules = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {}}]}}
    check_archive(write_h5(without_modules))


def test_training_that_keras_leaves_out_is_anyones(write: Any) -> None:
    """Imports Keras: seconds, once."""
    model = {**sequential(DENSE), "compile_config": {"loss": layer("MyLoss", "loss", "my.losses")}}
    check_archive(write(model))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_file_cut_off_is_refused(write: Any, share: float) -> None:
    path = write()
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "It may be cut off or damaged" in refusal(path, ArtifactError)


def test_a_config_with_a_flipped_byte_is_refused(write: Any) -> None:
    path = write()
    path.write_bytes(path.read_bytes().replace(b'"units": 2', b'"units": 3'))
    assert "Bad CRC-32 for file 'config.json'" in refusal(path, ArtifactError)


def test_weights_that_are_no_hdf5_are_refused(write: Any) -> None:
    path = write(members={"model.weights.h5": b"\x89HDF\r\n\x1a\n but no more"})
    assert "must hold its weights as sound HDF5" in refusal(path, ArtifactError)


@pytest.mark.parametrize("name", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_missing_part_is_named(write: Any, name: str) -> None:
    assert f"Received: no {name}." in refusal(write(members={name: None}), ArtifactError)


def test_a_zip_bomb_is_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "EXPANSION_FLOOR_BYTES", 2 << 20)
    path = write(compress=True, members={"assets/words.txt": bytes(3 << 20)})
    assert "the member `assets/words.txt`" in refusal(path, ArtifactError)
    assert "a zip bomb" in refusal(path, ArtifactError)


def test_a_config_of_many_megabytes_is_refused(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "CONFIG_LIMIT_BYTES", 1 << 20)
    path = write("[" + " " * (2 << 20) + "]", compress=True)
    assert "Received: a config.json of 2.1 MB." in refusal(path, ArtifactError)


def test_a_size_that_lies_is_refused(write: Any) -> None:
    path = write()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("config.json").file_size
    fields, lie = struct.pack("<LL", size, size), struct.pack("<LL", size, 10)
    path.write_bytes(path.read_bytes().replace(fields, lie))
    refusal(path, ArtifactError)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "assets/../../x", "C:x", "..\\x", "a\x1b[2J/../x"])
def test_a_name_that_leaves_the_archive_is_refused(write: Any, name: str) -> None:
    assert "which leaves the archive" in refusal(write(members={name: b"x"}), ArtifactError)


def test_a_link_is_refused(write: Any) -> None:
    path, link = write(), zipfile.ZipInfo("assets/passwd")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "`assets/passwd`, which is a link or a device" in refusal(path, ArtifactError)


def test_two_members_of_one_name_are_refused(write: Any) -> None:
    path = write()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    assert "the member `config.json` twice" in refusal(path, ArtifactError)


@pytest.mark.parametrize("text", ["{", "[]", '"model"', "{}", '{"class_name": "Sequential"}', "[" * 100_000])
def test_a_config_of_no_model_is_refused(write: Any, write_h5: Any, text: str) -> None:
    for path in (write(text), write_h5(text)):
        assert "must hold the config of a Keras model, JSON" in refusal(path, ArtifactError)


CODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}


@pytest.mark.parametrize(
    "lambda_layer",
    [
        layer("Lambda", "twice", function=CODE),
        layer("Lambda", "twice", output_shape=CODE, function={**layer("function", ""), "config": "relu"}),
        layer("Lambda", "twice", function=["4wEAAAA=", None, None]),
        layer("Dense", "twice", units=1, kernel_initializer=CODE),
        layer("TimeDistributed", "twice", layer={"config": {}, "class_name": "Lambda", "f": [CODE]}),
    ],
)
def test_code_is_refused_by_the_name_of_its_layer(write: Any, write_h5: Any, lambda_layer: Config) -> None:
    inner = layer("Sequential", "inner", "keras", layers=[lambda_layer])
    for path in (write(sequential(inner)), write_h5(sequential(inner))):
        text = refusal(path, UnsupportedModelError)
        assert "the layer `twice` is a Lambda, whose Python code would run on this machine" in text
        assert "`--unsafe`" in text


def test_code_passes_where_the_user_trusts_it(write: Any) -> None:
    """Imports Keras: seconds, once."""
    check_archive(write(sequential(layer("Lambda", "twice", function=CODE))), unsafe=True)


@pytest.mark.parametrize("name", ["TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"])
def test_wrapped_models_are_refused(write: Any, name: str) -> None:
    text = refusal(write(sequential(layer(name, "wrapped", filepath="/srv/model"))), UnsupportedModelError)
    assert f"the layer `wrapped`, a {name}, which " in text


def test_a_vocabulary_in_another_file_is_refused(write: Any) -> None:
    model = sequential(layer("StringLookup", "look", vocabulary="/etc/passwd"))
    assert "the layer `look` reads the file `/etc/passwd`" in refusal(write(model), UnsupportedModelError)


GADGETS = [
    layer("system", "gadget", "os"),
    layer("Popen", "gadget", "subprocess"),
    layer("get_file", "gadget", "keras.utils"),
    layer("load_model", "gadget", "keras.models"),
    layer("deserialize_keras_object", "gadget", "keras.saving"),
    layer("Dense", "gadget", "keras.layers;os"),
    layer("Activation", "gadget", activation={"class_name": "function", "config": "system", "module": "os"}),
    layer("Activation", "gadget", activation={"class_name": "function", "config": "get_file", "module": "keras.utils"}),
    layer("Activation", "gadget", activation={"class_name": "function", "config": "eval", "module": "builtins"}),
    layer("Mine", "gadget", None),
    layer("Dance", "gadget"),
]


@pytest.mark.parametrize("gadget", GADGETS, ids=lambda gadget: f"{gadget['module']}-{gadget['class_name']}")
def test_what_is_not_keras_is_refused_by_the_name_of_its_layer(write: Any, gadget: Config) -> None:
    """Imports Keras: seconds, once."""
    text = refusal(write(sequential(gadget)), UnsupportedModelError)
    assert "Received: the layer `gadget` needs the " in text


def test_a_class_of_no_module_in_h5_is_looked_for(write_h5: Any) -> None:
    """Imports Keras: seconds, once."""
    model = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dance", "config": {"name": "odd"}}]}}
    assert "the layer `odd` needs the class `Dance`" in refusal(write_h5(model), UnsupportedModelError)


@pytest.mark.parametrize(
    "custom",
    [
        layer("Swish2", "mine", "my.layers"),
        {**layer("Swish2", "mine", None), "registered_name": "my>Swish2"},
        layer("Activation", "mine", activation={"class_name": "function", "config": "my>Swish2", "module": "builtins"}),
    ],
)
def test_what_the_user_brings_is_accepted(write: Any, custom: Config) -> None:
    """Imports Keras: seconds, once."""
    path = write(sequential(custom))
    assert "name it with `--custom-objects module:Swish2`" in refusal(path, UnsupportedModelError)
    check_archive(path, custom_objects=["Swish2"])


@pytest.mark.parametrize(
    ("large", "size"),
    [
        (layer("Dense", "vast", units=250_000, build=[None, 1_000_000]), "1 TB"),
        (layer("Embedding", "vast", input_dim=10**9, output_dim=250), "1 TB"),
        (layer("Conv2D", "vast", filters=10**6, kernel_size=[500, 500], build=[None, 9, 9, 1]), "1 TB"),
        (layer("LSTM", "vast", units=250_000), "1 TB"),
        (layer("InputLayer", "vast", batch_shape=[None, 500_000, 500_000, 1]), "1 TB"),
        (layer("Dense", "vast", units=10**40), "more than 1,000,000 TB"),
    ],
)
def test_a_shape_of_a_terabyte_is_refused_by_name(write: Any, large: Config, size: str) -> None:
    text = refusal(write(sequential(large)), UnsupportedModelError)
    assert f"at least {size}, of which {size} for the layer `vast`, a {large['class_name']}" in text


def test_weights_of_a_terabyte_are_refused(write: Any, write_h5: Any) -> None:
    def never_written(file: Any) -> None:
        file.create_dataset("vast", (500_000, 500_000), "f4", chunks=(1000, 1000), compression="gzip")

    for path in (write(fill=never_written), write_h5(sequential(DENSE), never_written)):
        assert "`/vast` of shape (500000, 500000), 1 TB, of which 0 bytes are there" in refusal(path, ArtifactError)


def _external_link(file: Any) -> None:
    file["linked"] = h5py.ExternalLink("/etc/secret.h5", "/weights")


def _soft_link(file: Any) -> None:
    file["linked"] = h5py.SoftLink("/layers")


def _external_storage(file: Any) -> None:
    file.create_dataset("linked", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/secret.h5", "weights", (4,))
    file.create_virtual_dataset("linked", layout)


@pytest.mark.parametrize("fill", [_external_link, _soft_link, _external_storage, _virtual])
def test_weights_in_other_files_are_refused(write: Any, write_h5: Any, fill: Any) -> None:
    for path in (write(fill=fill), write(fill=fill, compress=True), write_h5(sequential(DENSE), fill)):
        text = refusal(path, ArtifactError)
        assert "`/linked`" in text
        assert "loading it would read other files" in text


def test_a_group_that_holds_itself_is_walked_once(write: Any) -> None:
    """Imports Keras: seconds, once."""

    def circle(file: Any) -> None:
        file["layers/again"] = file["layers"]

    check_archive(write(fill=circle))


def test_an_h5_without_a_model_is_refused(write_h5: Any) -> None:
    assert "Received: weights alone." in refusal(write_h5(), ArtifactError)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.pkl"
    path.write_bytes(b"")
    assert "must be a .keras or .h5 file" in refusal(path, ArtifactError)
    (tmp_path / "m.h5").write_bytes(b"no HDF5")
    assert "as sound HDF5" in refusal(tmp_path / "m.h5", ArtifactError)


def test_names_are_shown_short_and_harmless() -> None:
    assert shown("dense") == "`dense`"
    assert shown("a\x1b[2J\n`b") == "`a?[2J??b`"
    assert shown("x" * 500) == f"`{'x' * 80}...`"
