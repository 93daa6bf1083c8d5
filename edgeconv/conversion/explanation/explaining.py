"""`explain`: every layer of a model in every variant, against Keras, a few layers at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import onnx

from edgeconv.conversion.explanation.divergence import Reference
from edgeconv.conversion.explanation.matching import Match, match_layers, settle
from edgeconv.conversion.explanation.recording import LayerRecord, in_chunks, layer_order, outputs_of
from edgeconv.conversion.explanation.searching import CANDIDATES
from edgeconv.conversion.explanation.table import Explanation, LayerError, LayerRow
from edgeconv.conversion.explanation.tapping import TappedModel
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

CHUNK_BYTES = 2**28
"""Memory that the outputs of the layers looked at together may take, those of the candidates in the graph included."""

NEAR = 1e-3
NEAR_ROUNDED = 0.25
"""How near statistics must lie; see `match_layers`. Eight bits move the smallest and largest element of a tensor."""

_Found = dict[str, LayerError]


def explain(
    reference: Reference,
    feeds: Feeds,
    variants: Mapping[str, onnx.ModelProto],
    *,
    chunk_bytes: int = CHUNK_BYTES,
    progress: Progress = SILENT,
) -> Explanation:
    """Compare every layer's output in every variant with Keras.

    Args:
        reference: the Keras model.
        feeds: arrays by input of the files, all of one batch size.
        variants: files by name; the first is fp32, which tells what is whose output.
        chunk_bytes: memory for the outputs that are held at once; one layer's are always.
        progress: hears how many layers are done.

    Returns:
        The table.

    Example:
        >>> explain(load_keras(path), {"image": images}, {"fp32": fp32, "int8": int8})  # doctest: +SKIP
    """
    records = layer_order(reference.model, lambda: reference.run(feeds))
    found: dict[str, _Found] = {}
    scopes: dict[str, str] = {}
    with progress.bar("Comparing layers", len(variants) * len(records)) as advance:
        for variant, model in variants.items():
            exact = next(iter(found.values()), None)
            tapped = TappedModel(model, feeds)
            errors: _Found = {}
            matches = match_layers(records, tapped, near=NEAR if exact is None else NEAR_ROUNDED, scopes=scopes)
            by_record = {match.record.name: match for match in matches}
            for chunk in in_chunks(records, chunk_bytes // (1 + 2 * CANDIDATES)):
                wanted = [by_record[record.name] for record in chunk if exact is None or record.name in exact]
                errors |= _errors(wanted, reference, feeds, tapped, NEAR if exact is None else NEAR_ROUNDED)
                advance(len(chunk), variant)
            if exact is None:
                scopes = {name: tapped.values[error.value].scope for name, error in errors.items()}
            found[variant] = errors if exact is None else _nearest_only(errors, exact)
    return Explanation(tuple(variants), tuple(_row(record, found) for record in records))


def _errors(matches: Sequence[Match], reference: Reference, feeds: Feeds, tapped: TappedModel, near: float) -> _Found:
    """Return what a graph makes of a few layers, without those that it has folded away."""
    names = [match.record.name for match in matches if match.candidates]
    if not names:
        return {}
    outputs = outputs_of(reference.model, lambda: reference.run(feeds), names)
    arrays = tapped.fetch(sorted({name for match in matches for name in match.candidates}))
    errors: _Found = {}
    for match in matches:
        expected = outputs.get(match.record.name)
        nearest = None if expected is None else settle(match, expected, arrays, tapped, limit=near)
        if nearest is not None:
            value, comparison = nearest
            errors[match.record.name] = LayerError(value, comparison.sqnr_db, comparison.max_error)
    return errors


def _nearest_only(errors: _Found, exact: _Found) -> _Found:
    """Leave a tensor that two layers were found in to the nearer: the other one was folded into it.

    Layers that share a tensor in fp32 as well, such as a Dropout and the layer before it, have it in common.
    """
    sharing: dict[str, list[str]] = defaultdict(list)
    for name, error in errors.items():
        sharing[error.value].append(name)
    nearest = {value: min(names, key=lambda name: errors[name].max_error) for value, names in sharing.items()}
    return {name: error for name, error in errors.items() if exact[name].value == exact[nearest[error.value]].value}


def _row(record: LayerRecord, found: Mapping[str, _Found]) -> LayerRow:
    errors = {variant: errors.get(record.name) for variant, errors in found.items()}
    return LayerRow(record.name, record.class_name, record.shape, record.statistics.spread, errors)
