"""Hostile and damaged Keras files, through everything that stands between a file and its conversion, in the child."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import errands

h5py = pytest.importorskip("h5py", reason="Keras files need the extra `train`")
keras = pytest.importorskip("keras", reason="Keras files need the extra `train`")

from edgeconv.conversion.isolation import Limits, run_isolated  # noqa: E402
from edgeconv.errors import ConversionError  # noqa: E402

pytestmark = pytest.mark.train

Change = Callable[[dict[str, Any]], object]


def rewritten(source: Path, path: Path, change: Change | None = None, **members: bytes | None) -> Path:
    """Write a `.keras` file anew with its config changed, and members added, replaced or left out (None)."""
    with zipfile.ZipFile(source) as archive:
        parts: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"] or b"")
    if change:
        change(config)
    parts = {**parts, "config.json": json.dumps(config).encode(), **members}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def dense(config: dict[str, Any]) -> dict[str, Any]:
    return next(part for part in config["config"]["layers"] if part["class_name"] == "Dense")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Return hostile files by name, each with what is to be said of it."""
    folder = tmp_path_factory.mktemp("hostile")
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,), name="pixels"), keras.layers.Dense(2, name="scores")])
    sound = folder / "sound.keras"
    model.save(sound)
    # Keras calls the function when it makes the model, and again when it loads it, to see what shape comes of it.
    trap, lair = folder / "code-was-run", folder / "lambda.keras"
    source = f"lambda x: (open({str(trap)!r}, 'w').close(), x)[1]"
    pixels = keras.Input((4,))
    keras.Model(pixels, keras.layers.Lambda(eval(source), name="trap")(pixels)).save(lair)
    assert trap.exists(), "Keras called it while the model was made"
    trap.unlink()

    files: dict[str, tuple[Path, str]] = {"lambda": (lair, "the layer `trap` is a Lambda")}

    def add(name: str, said: str, change: Change | None = None, **members: bytes | None) -> Path:
        files[name] = rewritten(sound, folder / f"{name}.keras", change, **members), said
        return files[name][0]

    cut = add("truncated", "must be a whole .keras file")
    cut.write_bytes(cut.read_bytes()[:-40])
    add("bomb", "a zip bomb", **{"assets/x": b"\0" * (257 << 20)})
    add("wrong-config", "must hold the config of a Keras model", **{"config.json": b'{"a": [1, 2'})
    add("no-weights", "Received: no model.weights.h5", **{"model.weights.h5": None})
    add("unknown-class", "`scores` needs the class `keras.layers.Dance`", lambda c: dense(c).update(class_name="Dance"))
    add("gadget", "needs the class `os.system`", lambda c: dense(c).update(module="os", class_name="system"))
    function = {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "exec"}
    add("function", "needs the function `builtins.exec`", lambda c: dense(c)["config"].update(activation=function))
    add("terabyte", "the layer `scores`, a Dense", lambda c: dense(c)["config"].update(units=10**11))
    # Of a class that is not counted beforehand: the limit on memory is what stops it.
    vast = {"class_name": "EinsumDense", "config": {"equation": "ab,bc->ac", "output_shape": [10**11]}}
    add("uncounted", "", lambda c: dense(c).update(vast))
    add("other-shape", "must be a .keras file that Keras", lambda c: dense(c)["config"].update(units=3))
    add("climber", "which leaves the archive", **{"assets/../../climbed": b"x"})
    link = zipfile.ZipInfo("assets/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(add("symlink", "which is a link or a device"), "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with h5py.File(folder / "outside.h5", "w") as file:
        file["secret"] = [1.0, 2.0]
    with h5py.File(folder / "linked.h5", "w") as file:
        file["layers/dense/vars/0"] = h5py.ExternalLink(str(folder / "outside.h5"), "/secret")
    add("link", "would read other files", **{"model.weights.h5": (folder / "linked.h5").read_bytes()})
    return files


def test_each_is_refused_in_one_line_and_nothing_is_run_or_written(hostile: Any, tmp_path: Path) -> None:
    """Loads TensorFlow, once for all files: ten seconds."""
    uncounted = hostile.pop("uncounted")
    folder = uncounted[0].parent
    before = sorted(folder.iterdir())
    answers = run_isolated(errands.load_each, [path for path, _ in hostile.values()], what="Loading hostile files")
    for (name, (path, said)), answer in zip(hostile.items(), answers, strict=True):
        assert answer.startswith(("ArtifactError: `", "UnsupportedModelError: `")), (name, answer)
        assert said in answer, (name, answer)
        assert str(path) in answer, (name, answer)
        assert "\n" not in answer, (name, answer)
    assert sorted(folder.iterdir()) == before
    hostile["uncounted"] = uncounted


def test_what_was_not_counted_meets_the_limit_on_memory(hostile: Any) -> None:
    """Loads TensorFlow: ten seconds."""
    path, _ = hostile["uncounted"]
    with pytest.raises(
        ConversionError, match=r"^Converting `m` must fit into 4 GB of memory\. Received: it needs more"
    ):
        run_isolated(errands.load_one, path, limits=Limits(memory_bytes=4_000_000_000), what="Converting `m`")


def test_the_trap_is_one(hostile: Any) -> None:
    """The Lambda of the test above does run where its file is trusted: the test would see it."""
    path, _ = hostile["lambda"]
    keras.models.load_model(path, compile=False, safe_mode=False)
    trap = path.with_name("code-was-run")
    assert trap.exists()
    trap.unlink()
