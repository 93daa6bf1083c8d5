"""The last step: the files of an artifact, written beside their places and moved in together."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeconv.artifact import (
    CURVES_FILE,
    FAILED_PARITY_FILE,
    KERAS_FILE,
    MANIFEST_FILE,
    PARITY_FILE,
    REPORT_FILE,
    SAMPLES_FILE,
    TRAINING_FILE,
    replacing,
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
from edgeconv.variants import VARIANTS, takes_pictures


def write(proved: ProvedExport) -> ExportedModel:
    """Write an artifact's files; the manifest, which vouches for the others, takes its name last.

    All are complete in a hidden folder beside their places before the first one moves. What the source folder has of
    the training comes along; files of an earlier export that this one does not make are removed.
    """
    resolved, context = proved.conversion.loaded.resolved, proved.conversion.context
    folder, source = resolved.folder, resolved.source
    manifest, ledger, files = build_manifest(proved), proved.ledger, context.files
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as scratch_name:
        scratch = Path(scratch_name)
        for name, file in files.items():
            contract = contract_inside(manifest) if takes_pictures(name) else manifest
            (scratch / VARIANTS[name].file).write_bytes(embed_metadata(file.model, contract, name))
        manifest = replace(manifest, variants={name: _weighed(manifest, name, scratch) for name in manifest.variants})
        ledger = replace(ledger, rows=tuple(_weighed_row(row, manifest) for row in ledger.rows))
        np.savez(scratch / SAMPLES_FILE, **proved.samples.as_arrays())  # type: ignore[arg-type]
        write_json(scratch / PARITY_FILE, ledger.as_dict())
        for name in (KERAS_FILE,) * (source.path.suffix == ".keras") + (TRAINING_FILE, CURVES_FILE):
            _bring_along(name, source, folder, scratch)
        (scratch / REPORT_FILE).write_text(_report(source, manifest, ledger, context.compared), encoding="utf-8")
        for path in sorted(scratch.iterdir()):
            with replacing(folder / path.name) as sibling:
                shutil.copyfile(path, sibling)
    write_json(folder / MANIFEST_FILE, manifest.as_dict())
    stale_files = [row.file for name, row in VARIANTS.items() if name not in files]
    for stale in (FAILED_PARITY_FILE, *stale_files):
        (folder / stale).unlink(missing_ok=True)
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
