"""Parity starts at the picture file: Keras with the user's own loader beside what the contract makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.conversion.keras.loaders import answers_to_files  # noqa: E402
from edgeconv.datasets import DatasetSpec  # noqa: E402
from edgeconv.errors import ConfigError, DatasetError, ParityError  # noqa: E402
from edgeconv.fitting import LOADERS, Fitting  # noqa: E402
from tests.conversion.wide_pictures import SIDE, Words, save_wide_pictures, train_on  # noqa: E402

AS_DIRECTORY = LOADERS["keras-directory"]

OWN_LOADER = """
import numpy as np
from PIL import Image

def load(path):
    picture = Image.open(path).resize((16, 16), Image.Resampling.BILINEAR)
    return np.asarray(picture, np.float32)

def other_size(path):
    return np.zeros((9, 9, 3), np.float32)

def fails(path):
    raise RuntimeError("no such sensor")
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_wide_pictures(tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="module")
def model(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_on(pictures, tmp_path_factory.mktemp("stretching") / "wide.keras")


@pytest.fixture
def spec(pictures: Path) -> DatasetSpec:
    return DatasetSpec(str(pictures), image_size=(SIDE, SIDE))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module of the user's."""
    name = "own_loader"
    (tmp_path / f"{name}.py").write_text(OWN_LOADER)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_keras_directory_is_image_dataset_from_directory(model: Path, pictures: Path) -> None:
    loaded = keras.utils.image_dataset_from_directory(
        pictures / "test", image_size=(SIDE, SIDE), shuffle=False, batch_size=None, verbose=False
    )
    expected = keras.models.load_model(model)(np.stack([image for image, _ in loaded])).numpy()
    files = [Path(path) for path in loaded.file_paths]
    made = np.concatenate(list(answers_to_files(load_keras(model), files, "keras-directory", AS_DIRECTORY)))
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_a_loader_of_keras_says_how_pictures_are_fitted(model: Path, spec: DatasetSpec, tmp_path: Path) -> None:
    exported = export_here(
        model, config=edgeconv.ExportConfig(loader="keras-directory"), dataset=spec, out=tmp_path / "out"
    )
    assert [row.stage for row in exported.ledger.rows] == ["keras", "keras from the file", "fp32"]
    assert [row.accuracy for row in exported.ledger.rows] == [1.0, 1.0, 1.0]
    assert exported.manifest.preprocess is not None
    assert (exported.manifest.preprocess.fit, exported.manifest.preprocess.filter) == ("stretch", "bilinear")
    assert "keras from the file" in {gate.stage for gate in exported.ledger.gates}


def test_what_the_preparation_loses_beside_the_users_own_loader_fails_a_gate(
    model: Path, spec: DatasetSpec, module: str, tmp_path: Path
) -> None:
    crop = edgeconv.ExportConfig(loader=f"{module}:load", fit="crop")
    with pytest.raises(ParityError, match=r"keras from the file accuracy that our preparation loses: .*got 5"):
        export_here(model, config=crop, dataset=spec, out=tmp_path / "out")
    stretch = edgeconv.ExportConfig(loader=f"{module}:load", fit="stretch")
    exported = export_here(model, config=stretch, dataset=spec, out=tmp_path / "out")
    row = exported.ledger.row("keras from the file")
    assert row is not None
    assert (row.accuracy, row.count) == (1.0, 40)


def test_a_stated_range_goes_before_keras_directory_and_not_before_the_users_own(
    pictures: Path, module: str, tmp_path: Path
) -> None:
    path = train_on(pictures, tmp_path / "unit.keras", scaled=False)
    reference, model = load_keras(path, input_range="0:1"), keras.models.load_model(path)
    files = sorted(pictures.glob("test/*/0*.png"))
    raw = [np.asarray(Image.open(file).resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32) for file in files]
    (own,) = answers_to_files(reference, files, f"{module}:load", Fitting())
    np.testing.assert_allclose(own, model(np.stack(raw)).numpy(), atol=1e-6)
    (keras_directory,) = answers_to_files(reference, files, "keras-directory", AS_DIRECTORY)
    stretched = [tf.image.resize(np.asarray(Image.open(file)), (SIDE, SIDE)) / 255 for file in files]
    np.testing.assert_allclose(keras_directory, model(np.stack(stretched)).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("loader", "error", "message"),
    [
        ("nowhere:load", ConfigError, r"`loader` must name a module that Python finds"),
        (
            "load",
            ConfigError,
            r"must be module:function, or keras-directory or keras-load-img\. Received: 'load'",
        ),
        ("own_loader:np", ConfigError, r"`loader` must name a function"),
        (
            "own_loader:other_size",
            ConfigError,
            r"what the network takes, \(16, 16, 3\)\. Received: \(1, 9, 9, 3\)",
        ),
        ("own_loader:fails", DatasetError, r"must read every picture\. Received: .*png: RuntimeError: no such sensor"),
    ],
)
def test_a_loader_that_does_not_load_is_refused(
    loader: str, error: type[Exception], message: str, model: Path, pictures: Path, module: str
) -> None:
    assert module == "own_loader"
    with pytest.raises(error, match=message):
        list(answers_to_files(load_keras(model), sorted(pictures.glob("test/*/*.png"))[:2], loader, Fitting()))


def test_a_loader_needs_files(model: Path, tmp_path: Path) -> None:
    config = edgeconv.ExportConfig(loader="keras-directory")
    with pytest.raises(ConfigError, match=r"`loader` requires data that are files\. Received: none"):
        export_here(model, config=config, out=tmp_path / "out")


@pytest.mark.parametrize(("input_range", "at_chance"), [("0:1", False), ("-5:-4", True)])
def test_it_is_said_first_where_keras_itself_is_at_chance(
    input_range: str, at_chance: bool, pictures: Path, spec: DatasetSpec, tmp_path: Path
) -> None:
    path = train_on(pictures, tmp_path / "unit.keras", scaled=False)
    words = Words()
    config = edgeconv.ExportConfig(input_range=input_range, fit="stretch")
    export_here(path, config=config, dataset=spec, out=tmp_path / "out", progress=words)
    said = [line.startswith("Keras itself answers 20 of 40 right, no better than chance") for line in words.said]
    assert any(said) == at_chance
    assert not at_chance or said.index(True) < next(
        i for i, line in enumerate(words.said) if line.startswith("Converting")
    )
