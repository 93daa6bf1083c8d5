"""What reads files of others, one module a kind of file."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    arrays,
    artifact_onnx,
    bundles,
    examples,
    idx,
    keras_archive,
    keras_hdf5,
    labels,
    lone_onnx,
    manifest,
    pictures,
    records,
    requests,
)

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        manifest.TARGET,
        lone_onnx.TARGET,
        artifact_onnx.TARGET,
        keras_archive.TARGET,
        keras_hdf5.TARGET,
        *arrays.TARGETS,
        *pictures.TARGETS,
        *bundles.TARGETS,
        labels.TARGET,
        *examples.TARGETS,
        *records.TARGETS,
        idx.TARGET,
        requests.TARGET,
    )
}
"""All of them, by name."""
