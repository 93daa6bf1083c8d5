"""The last step: the files of an artifact, which appear at once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeconv.artifact import (
    CONTEXT_FILE,
    CURVES_FILE,
    FAILED_PARITY_FILE,
    KERAS_FILE,
    MANIFEST_FILE,
    PARITY_FILE,
    REPORT_FILE,
    SAMPLES_FILE,
    TRAINING_FILE,
    sha256_of,
    write_json,
)
from edgeconv.conversion.exported import ExportedModel
from edgeconv.conversion.graph.metadata import embed_metadata
from edgeconv.conversion.steps.contract import build_manifest
from edgeconv.conversion.steps.proof import ProvedExport
from edgeconv.conversion.steps.source import Source
from edgeconv.conversion.variants.e2e import contract_inside
from edgeconv.manifest import Manifest, Variant
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.ledger import Ledger, Row
from edgeconv.parity.report import FlipPicture, render_report
from edgeconv.transaction import transaction
from edgeconv.variants import VARIANTS, takes_pictures


def write(proved: ProvedExport) -> ExportedModel:
    """Write an artifact's files, all at once.

    What the source folder has of the training comes along; files of an earlier export that this one does not make are
    removed.
    """
    resolved, context = proved.conversion.loaded.resolved, proved.conversion.context
    folder, source = resolved.folder, resolved.source
    manifest, ledger, files = build_manifest(proved), proved.ledger, context.files
    with transaction(folder) as scratch:
        for name, file in files.items():
            contract = contract_inside(manifest) if takes_pictures(name) else manifest
            with (scratch / VARIANTS[name].file).open("wb") as written:
                written.writelines(embed_metadata(file.model, contract, name, file.bytes))
        manifest = replace(manifest, variants={name: _weighed(manifest, name, scratch) for name in manifest.variants})
        ledger = replace(ledger, rows=tuple(_weighed_row(row, manifest) for row in ledger.rows))
        np.savez(scratch / SAMPLES_FILE, **proved.samples.as_arrays())  # type: ignore[arg-type]
        write_json(scratch / PARITY_FILE, ledger.as_dict())
        write_json(scratch / MANIFEST_FILE, manifest.as_dict())
        for name in (KERAS_FILE,) * (source.path.suffix == ".keras") + (TRAINING_FILE, CURVES_FILE):
            _bring_along(name, source, folder, scratch)
        (scratch / REPORT_FILE).write_text(_report(source, manifest, ledger, context.compared), encoding="utf-8")
        for name in (FAILED_PARITY_FILE, CONTEXT_FILE, *(row.file for row in VARIANTS.values())):
            if not (scratch / name).exists():
                (scratch / name).touch()  # Removes the one of an earlier export.
    context.progress.say(resolved.release.sentence)
    return ExportedModel(folder, manifest, ledger, proved.explanation)


def _weighed(manifest: Manifest, name: str, scratch: Path) -> Variant:
    path = scratch / VARIANTS[name].file
    return replace(manifest.variants[name], size_bytes=path.stat().st_size, sha256=sha256_of(path))


def _weighed_row(row: Row, manifest: Manifest) -> Row:
    """Weigh a stage with its contract in it, as it ships."""
    size = manifest.variants[row.stage].size_bytes if row.stage in manifest.variants else None
    return row if size is None else replace(row, size_bytes=size)


def _bring_along(name: str, source: Source, folder: Path, scratch: Path) -> None:
    path = source.path if name == KERAS_FILE else source.path.parent / name
    known = name == KERAS_FILE or source.training is not None
    if known and path.is_file() and path.resolve() != (folder / name).resolve():
        shutil.copyfile(path, scratch / name)


def _report(source: Source, manifest: Manifest, ledger: Ledger, compared: ComparisonSet) -> str:
    curves = source.path.parent / CURVES_FILE
    flips: dict[str, list[FlipPicture]] = {}
    if compared.spreads is None and manifest.input.kind == "pixels":
        for row in ledger.rows[1:]:
            flips[row.stage] = [FlipPicture(flip, compared.images[flip.index]) for flip in row.flips]
    return render_report(
        manifest,
        ledger,
        training=source.training,
        curves_png=curves.read_bytes() if source.training is not None and curves.is_file() else None,
        flips=flips,
    )
