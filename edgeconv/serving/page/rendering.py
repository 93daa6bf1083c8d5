"""The files of a model's page: those of the web bundle, and in place of its model one that asks the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from edgeconv.bundling.context import interface_values, picture_values
from edgeconv.bundling.interface import ANSWERS, ARRAYS, BundleArray, BundleInterface
from edgeconv.bundling.literals import html_element
from edgeconv.bundling.rendering import render
from edgeconv.bundling.targets import TEMPLATES
from edgeconv.manifest import ArraySpec
from edgeconv.runtime.embedded import INPUT as PICTURE
from edgeconv.runtime.embedded import PREPARED
from edgeconv.serving.models.served_model import ServedModel
from edgeconv.serving.page.card import card_html, models_html
from edgeconv.tasks import THRESHOLD_TASKS

OWN = Path(__file__).parent / "templates"

SHARED = frozenset(
    {
        *("style.css", "icon.svg", "app.js", "answer.js", "dropping.js", "overlay.js", "picture.js", "prepared.js"),
        *("rows.js", "stage.js", "view.js", "input-words.js"),
        *("answers.mjs", "contract.mjs", "inputs.mjs", "numbers.mjs", "npy.mjs"),
    }
)
"""What the page takes of the web bundle; its model, its worker, its self-test and its copy for later stay there."""

KINDS = {".html": b"text/html; charset=utf-8", ".css": b"text/css", ".svg": b"image/svg+xml"}
SCRIPT = b"text/javascript"


def page_of(model: ServedModel, others: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
    """Return the files of a model's page by their names, each with its content type.

    Args:
        model: that is tried on it.
        others: the names of all models of the server.
    """
    interface = _interface(model)
    values = {
        "NAME": model.name,
        "ADDRESS": quote(model.name, safe=""),
        "TITLE_HTML": html_element("title", model.name, depth=2),
        "HEADING_HTML": html_element("h1", model.name, depth=4),
        "CARD_HTML": card_html(model),
        "MODELS_HTML": models_html(model.name, others),
        **interface_values(interface, model.manifest.labels),
        **(picture_values(interface.preparation) if interface.preparation else {}),
    }
    values["SECTIONS_HTML"] = render(_sections(interface.parts), values)
    found: dict[str, tuple[bytes, bytes]] = {}
    for part in interface.parts:
        for folder in (TEMPLATES / "javascript_code" / part / "BUNDLE_ASSETS", TEMPLATES / "web" / part / "app"):
            found |= _rendered(folder, values, SHARED)
    for part in interface.parts[:2]:
        found |= _rendered(OWN / part, values)
    return found


def _sections(parts: Sequence[str]) -> str:
    """Return where a picture or arrays go in and where the answer comes, as the page of the web bundle has them."""
    pages = [TEMPLATES / "web" / part / "app" / "index.html" for part in parts]
    text = next(page for page in pages if page.is_file()).read_text(encoding="utf-8")
    end = "</section>"
    return text[text.index("<section") : text.rindex(end) + len(end)]


def _rendered(
    folder: Path, values: Mapping[str, str], names: frozenset[str] | None = None
) -> dict[str, tuple[bytes, bytes]]:
    paths = [path for path in folder.iterdir() if names is None or path.name in names] if folder.is_dir() else []
    return {
        path.name: (render(path.read_text(encoding="utf-8"), values).encode(), KINDS.get(path.suffix, SCRIPT))
        for path in paths
    }


def _interface(model: ServedModel) -> BundleInterface:
    """Return what goes in and out as a bundle of the model would have it."""
    manifest = model.manifest
    outputs = tuple(_array(spec) for spec in model.outputs.values())
    preparation = manifest.preprocess if model.of_pictures else None
    if preparation is None:
        return BundleInterface(None, ARRAYS, None, tuple(map(_array, model.inputs.values())), outputs)
    answer = manifest.task if manifest.task in ANSWERS and not manifest.more_outputs else ARRAYS
    threshold = manifest.threshold if answer in THRESHOLD_TASKS else None
    fed = (1, preparation.height, preparation.width, preparation.channels)
    inputs = (BundleArray(PICTURE, "uint8", (None, None, None)),)
    return BundleInterface(preparation, answer, threshold, inputs, (*outputs, BundleArray(PREPARED, "uint8", fed)))


def _array(spec: ArraySpec) -> BundleArray:
    return BundleArray(spec.name, spec.dtype, tuple(size if isinstance(size, int) else None for size in spec.shape))
