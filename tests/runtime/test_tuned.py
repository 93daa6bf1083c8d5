"""What was found best for a device is followed there, and only there, and only where no argument says otherwise."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from edgeconv.errors import EdgeconvWarning, ManifestError, ProviderError
from edgeconv.manifest import Manifest
from edgeconv.reading import read
from edgeconv.runtime import embedded, loading, runner
from edgeconv.runtime.loading import open_model
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.runner import Runner
from edgeconv.runtime.session import Session
from edgeconv.runtime.tuned import fingerprint, tuned_for_this_device
from edgeconv.session_options import DEFAULT_OPTIONS, SessionOptions, Tuned
from tests.runtime.faked_providers import CUDA, OPENVINO, fake_providers

OPTIONS = SessionOptions("extended", spinning=False)


def _sha256(folder: Path, variant: str) -> str:
    return str(json.loads((folder / "manifest.json").read_text())["variants"][variant]["sha256"])


def _write(folder: Path, session: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "session": session}))


@pytest.fixture
def tuned(tiny: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a copy of the artifact which is tuned for a device, this one by default."""
    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))

    def make(device: str | None = None, **changes: Any) -> Path:
        entry = Tuned("fp32", CPU, 2, OPTIONS, _sha256(copy, "fp32"), {}).as_dict()
        _write(copy, {device or fingerprint(): {**entry, **changes}})
        return copy

    return make


def test_an_entry_survives_json() -> None:
    entry = Tuned("fp32", CPU, 2, OPTIONS, "ab", {"batch": 1})
    assert read(Tuned, json.loads(json.dumps(entry.as_dict())), "entry") == entry


def test_a_predictor_follows_what_was_found_for_its_device(tuned: Callable[..., Path]) -> None:
    folder = tuned()
    model = Predictor(folder)
    assert (model.variant, model.threads) == ("fp32", 2)
    assert open_model(folder).session.options == OPTIONS


def test_a_runner_follows_it_where_it_is_told_to(tuned: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[SessionOptions] = []
    real = runner.open_session
    monkeypatch.setattr(runner, "open_session", lambda *a, **k: opened.append(k["options"]) or real(*a, **k))
    folder = tuned()
    followed, fewer, plain = Runner(folder, tuned=True), Runner(folder, threads=1, tuned=True), Runner(folder)
    assert [(one.variant, one.threads) for one in (followed, fewer, plain)] == [("fp32", 2), ("fp32", 1), ("int8", 1)]
    again = pickle.loads(pickle.dumps(followed))
    assert (again.variant, again.threads) == ("fp32", 2)
    assert opened == [OPTIONS, OPTIONS, DEFAULT_OPTIONS, OPTIONS]


def test_another_device_ignores_it(tuned: Callable[..., Path]) -> None:
    opened = open_model(tuned("0123456789abcdef"))
    assert (opened.variant, opened.session.threads, opened.session.options) == ("int8", 1, DEFAULT_OPTIONS)


def test_explicit_arguments_win(tuned: Callable[..., Path]) -> None:
    folder = tuned()
    other = open_model(folder, variant="int8")
    assert (other.variant, other.session.threads, other.session.options) == ("int8", 1, DEFAULT_OPTIONS)
    fewer = open_model(folder, threads=1)
    assert (fewer.variant, fewer.session.threads, fewer.session.options) == ("fp32", 1, OPTIONS)
    same = open_model(folder, variant="fp32", device="cpu")
    assert (same.variant, same.session.threads) == ("fp32", 2)


def test_what_was_found_for_another_file_is_ignored(tuned: Callable[..., Path]) -> None:
    assert open_model(tuned(sha256="0" * 64)).variant == "int8"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threads": "many"}, r"a whole number of 64 bits at `session\.\w+\.threads`\. Received: 'many'"),
        (
            {"options": {"optimization": "most"}},
            r"one of basic, extended, all at `session\.\w+\.options\.opt",
        ),
        ({"options": None}, r"an object at `session\.\w+\.options`\. Received: null"),
    ],
)
def test_an_entry_that_is_damaged(tuned: Callable[..., Path], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        open_model(tuned(**changes))


def test_a_provider_that_went_since_leaves_the_default(
    tuned: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tuned(provider="CUDAExecutionProvider")
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. CUDA\w+ must be installed\. .* found best here; find"):
        opened = open_model(folder)
    assert (opened.variant, opened.session.provider) == ("int8", CPU)
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. CUDAExecutionProvider (must run|requires a card)"):
        opened = open_model(folder)  # It is listed, and its libraries are missing.
    assert (opened.variant, opened.session.provider) == ("int8", CPU)
    # The CPU is asked for: what was found for a GPU does not count, and is not even tried.
    monkeypatch.setattr("edgeconv.runtime.strict.open_strictly", lambda *_, **__: pytest.fail("a GPU was tried"))
    assert open_model(folder, device="cpu").variant == "int8"


def test_a_provider_that_races_the_cpu_is_taken_unasked_where_it_works(
    tuned: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    native = fake_providers(monkeypatch)
    monkeypatch.setattr(ort, "get_available_providers", lambda: [OPENVINO, CPU])
    folder = tuned(provider=OPENVINO)
    model = Predictor(folder)
    assert (model.provider, model.variant, model.threads) == (OPENVINO, "fp32", 2)
    assert Predictor(folder, device="cpu").provider == CPU
    native.error = 0.9
    with pytest.warns(EdgeconvWarning, match=r"The CPU is used\. OpenVINO\w+ must answer as Keras did"):
        model = Predictor(folder)
    assert (model.provider, model.variant, model.threads) == (CPU, "int8", 1)
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    native.error = 0.0
    with pytest.warns(EdgeconvWarning, match=r"^CUDAExecutionProvider is used\. OpenVINO\w+ must be installed"):
        assert Predictor(folder).provider == CUDA  # The next best, which is said.


@pytest.mark.parametrize(
    ("found", "given", "calls"),
    [(2, {}, 2), (2, {"threads": 1}, 1), (None, {}, None), (None, {"threads": 1}, 1)],
    ids=["tuned", "told", "tuned for one image", "told, tuned for one image"],
)
def test_calls_at_the_same_time_are_followed_unless_a_number_of_threads_is_given(
    tuned: Callable[..., Path], found: int | None, given: dict[str, int], calls: int | None
) -> None:
    folder = tuned(threads=1, options=SessionOptions(calls_at_once=found).as_dict())
    session = open_model(folder, **given).session  # type: ignore[arg-type]
    assert isinstance(session, Session)
    assert (session.threads, session._calls) == (1, calls)


def test_a_gpu_that_is_asked_for_is_not_the_tuned_cpu(tuned: Callable[..., Path]) -> None:
    with pytest.raises(ProviderError, match="`--device gpu` requires"):
        open_model(tuned(), device="gpu")


def test_a_model_without_an_entry_does_not_look_at_the_processor(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeconv.runtime.tuned.fingerprint", lambda: pytest.fail("the processor was read"))
    assert tuned_for_this_device(Manifest.from_json((tiny / "manifest.json").read_text())) is None


@pytest.mark.parametrize("variant", ["int8", "e2e"])
@pytest.mark.parametrize("reduced", [True, False])
def test_a_file_with_reduced_range_is_opened_as_one(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str, reduced: bool
) -> None:
    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["variants"]["int8"]["quantization"]["reduce_range"] = reduced
    (copy / "manifest.json").write_text(json.dumps(manifest))
    seen = []
    for room, plain in ((loading, loading.Session), (embedded, embedded.EmbeddedModel)):

        def opened(data: bytes, *, plain: Any = plain, **settings: Any) -> Session:
            seen.append(settings["reduced_range"])
            return plain(data, **settings)  # type: ignore[no-any-return]

        monkeypatch.setattr(room, plain.__name__, opened)
    open_model(copy, variant=variant)
    assert seen == [reduced]
