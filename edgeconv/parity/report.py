"""`report.html`: the ledger and the pictures to look at, one page that needs nothing but a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import KERAS_FILE
from edgeconv.errors import require
from edgeconv.formatting import NARROW, difference, facts, format_size, latency, percent
from edgeconv.manifest import Manifest, Variant
from edgeconv.parity.accuracy import drop_in_points
from edgeconv.parity.confusion import MOST_CLASSES_IN_MATRIX, class_scores, frequent_pairs, heat_map
from edgeconv.parity.ledger import Flip, Ledger, Row
from edgeconv.variants import takes_pictures

TEMPLATE = "report.html.jinja"

MOST_FLIPS = 60
"""Flipped images that are shown of a stage; the rest is counted."""

LARGEST_PICTURE = 160
"""Pixels of a flipped image's longer side; larger ones are made smaller, so that the page stays light."""

_CURVES = ("loss", "accuracy", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class FlipPicture:
    """A flip and what it looks like.

    Attributes:
        flip: which image, and both answers.
        image: uint8, (height, width, 1 or 3), 0-255.
    """

    flip: Flip
    image: NDArray[np.uint8]


def render_report(
    manifest: Manifest,
    ledger: Ledger,
    *,
    training: Mapping[str, Any] | None,
    curves_png: bytes | None,
    flips: Mapping[str, Sequence[FlipPicture]],
) -> str:
    """Return the page: equal for equal arguments, without a date, and without a link to anything outside.

    Args:
        manifest: the contract, with the sizes and checksums of the files.
        ledger: all stages on one set.
        training: what `training.json` says, or None; keys that it lacks are left out.
        curves_png: `curves.png`, or None.
        flips: the flipped images by stage; those of a stage that is absent are listed without pictures.

    Returns:
        HTML, for UTF-8.

    Raises:
        MissingDependencyError: Jinja2 is not installed.
    """
    require("jinja2", extra="train", purpose="The report")
    import jinja2

    def name_of(index: int) -> str:
        return manifest.labels[index] if 0 <= index < len(manifest.labels) else "unknown" if index < 0 else str(index)

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: files(__package__).joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "percent": percent,
        "size": partial(format_size, space=NARROW),
        "latency": latency,
        "difference": difference,
        "facts": facts,
        "name_of": name_of,
    }
    headline = _headline(ledger)
    page = environment.get_template(TEMPLATE).render(
        manifest=manifest,
        ledger=ledger,
        headline=headline,
        by_interest=[*reversed(headline), *filter(_prepares, ledger.rows)],
        training=list(_training_facts(training or {})),
        curves=_data_uri(curves_png) if curves_png else None,
        curves_alt=_curves_in_words(training or {}),
        pictures={
            stage: [(picture.flip, *_picture(picture.image)) for picture in shown[:MOST_FLIPS]]
            for stage, shown in flips.items()
        },
        most_flips=MOST_FLIPS,
        verdict=_verdict(ledger),
        things=_things(ledger),
        matrices={row.stage: heat_map(row) for row in ledger.rows if 0 < len(row.confusion) <= MOST_CLASSES_IN_MATRIX},
        pairs={row.stage: frequent_pairs(row, name_of) for row in ledger.rows if row.confusion},
        scores=class_scores(ledger, name_of),
        float_nodes={name: list(_float_nodes(variant)) for name, variant in manifest.variants.items()},
        long_labels=any(len(label) > 3 for label in manifest.labels),
        keras_file=KERAS_FILE,
    )
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()) + "\n"


def _headline(ledger: Ledger) -> list[Row]:
    """Return the stages that compute the model; e2e is one of them with its preparation in front."""
    return [row for row in ledger.rows if not _prepares(row)]


def _prepares(row: Row) -> bool:
    return takes_pictures(row.stage)


def _verdict(ledger: Ledger) -> str:
    """Say in one sentence what the ledger proves."""
    last = _headline(ledger)[-1]
    if not ledger.passed:
        failed = sum(not gate.passed for gate in ledger.gates)
        return f"{'A gate' if failed == 1 else f'{failed} gates'} failed. {ledger.failures()}."
    if len(ledger.rows) == 1:
        return "Nothing was compared with Keras."
    images = f"{last.count:,} {'test' if ledger.split == 'test' else ledger.split} {_things(ledger)}"
    if ledger.in_spreads:
        worst = difference(last.max_abs_dp)
        return (
            f"Every gate passed: {last.stage} differs from Keras by at most {worst} of an output's spread, on {images}."
        )
    if not last.flips:
        return f"Every gate passed: {last.stage} gives the same answer as Keras for all {images}."
    drop, equal = _drop(ledger.rows[0], last), last.count - len(last.flips)
    return (
        f"Every gate passed: {last.stage} gives the same answer as Keras for {equal:,} of {images}"
        f"{f', and {drop}' if drop else ''}."
    )


def _things(ledger: Ledger) -> str:
    return "inputs" if ledger.in_spreads else "images"


def _drop(reference: Row, row: Row) -> str:
    if reference.accuracy is None or row.accuracy is None:
        return ""
    points = drop_in_points(reference.accuracy, row.accuracy)
    if abs(points) < 0.0005:
        return "its accuracy is the same"
    return f"its accuracy is {abs(points):.2f} percentage points {'lower' if points > 0 else 'higher'}"


def _training_facts(training: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    dataset = training.get("dataset")
    chosen = {
        "architecture": training.get("config", {}).get("arch"),
        "parameters": f"{training['parameters']:,}" if "parameters" in training else None,
        "epochs": training.get("epochs_done"),
        "seed": training.get("seed"),
        "test accuracy": percent(training["test_accuracy"]) if "test_accuracy" in training else None,
        "recipe": training.get("recipe"),
        "data": {key: dataset.get(key) for key in ("name", "source", "counts", "sha256")} if dataset else None,
    }
    return facts(chosen)


def _curves_in_words(training: Mapping[str, Any]) -> str:
    """Say what the curves end in, for those who do not see them."""
    text = "Loss and accuracy by epoch, on the training and the test images."
    if not training.get("history"):
        return text
    last = training["history"][-1]
    ends = [f"{key.replace('_', ' ')} {last[key]:.4f}" for key in _CURVES if isinstance(last.get(key), float)]
    return f"{text} In the last epoch, {len(training['history'])}: {', '.join(ends)}."


def _float_nodes(variant: Variant) -> Iterator[tuple[str, str]]:
    for node in variant.float_nodes:
        yield node.node, node.reason


def _picture(image: NDArray[np.uint8]) -> tuple[str, bool]:
    """Return an image as a data URI, and whether its pixels are to be seen."""
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture.thumbnail((LARGEST_PICTURE, LARGEST_PICTURE))
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return _data_uri(stream.getvalue()), max(picture.size) <= LARGEST_PICTURE // 2


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
