"""The card of a model on its page: what it is, how well it does, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from edgeconv.serving.models.served_model import ServedModel
from edgeconv.tasks import TASKS

MOST_LABELS = 12
"""That the card lists; of more it says how many there are."""


def card_html(model: ServedModel) -> str:
    """Return the card as HTML."""
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in _rows(model))
    return f'<section class="card" aria-labelledby="card"><h2 id="card">About this model</h2><dl>{rows}</dl></section>'


def models_html(name: str, names: Sequence[str]) -> str:
    """Return links to the pages of the server's other models."""
    others = [other for other in names if other != name]
    return " ".join(f'<a href="../{quote(other, safe="")}/">{escape(other)}</a>' for other in others)


def _rows(model: ServedModel) -> Iterator[tuple[str, str]]:
    manifest, variant = model.contract, model.runner.variant
    labels = manifest.labels
    yield "Answers with", TASKS[manifest.task].title
    if labels:
        listed = ", ".join(labels[:MOST_LABELS])
        yield "Labels", listed if len(labels) <= MOST_LABELS else f"{listed} and {len(labels) - MOST_LABELS} more"
    if manifest.preprocess is not None:
        yield "Sees", manifest.preprocess.sentence
    yield "Variant", variant
    metrics, parity = manifest.metrics, manifest.parity
    accuracy = metrics.accuracy.get(variant) if metrics else None
    if metrics is not None and accuracy is not None:
        yield "Accuracy", f"{accuracy:.2%} of {metrics.count:,} images of {metrics.dataset}"
    if metrics is not None and parity is not None and variant in parity.flips:
        yield "Parity", f"{parity.flips[variant]:,} of {metrics.count:,} answers differ from Keras"
    if manifest.provenance is not None:
        yield "Parameters", f"{manifest.provenance.parameters:,}"
        yield "Made with", ", ".join(f"{name} {number}" for name, number in manifest.provenance.versions.items())
