"""The contract of a model: what it takes, what it answers, how it was made, and how well it does.

It lies in `manifest.json` beside the model, and, less the sizes and checksums of files, inside each `.onnx` under
`METADATA_KEY`, so that a lone file copied to a device still serves.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from edgeconv.artifact import MOST_JSON_BYTES
from edgeconv.errors import ManifestError, SchemaVersionError
from edgeconv.manifest_blocks import (
    FILE_NAME,
    Boxes,
    Calibration,
    Context,
    FloatNode,
    Metrics,
    OutputMeaning,
    Parity,
    Provenance,
    Quantization,
    Requirements,
)
from edgeconv.preparation import Preparation
from edgeconv.reading import read, received
from edgeconv.record import ABSENT, EMPTY, KEY, ONE_OF, PATTERN, Record
from edgeconv.session_options import Tuned
from edgeconv.tasks import ANY, BOXES, CLASSES, TASKS, THRESHOLD

FORMAT = "edgeconv"

SCHEMA_VERSION = 1
"""Version of the contract.

Raise it when a reader of the present version would misread the new one: a key renamed or removed, a unit or a
meaning changed. A new optional key needs no new version, since readers ignore what they don't know. With each raise:
teach `Manifest.from_dict` to read the old form, and freeze a manifest of it under `tests/data/` with its test.
Each change of the classes, optional keys too, changes the JSON Schema in `docs/schema/`: write that anew as well.
"""

METADATA_KEY = "edgeconv.manifest"
VARIANT_KEY = "edgeconv.variant"


DTYPES = (
    "bool",
    *(f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64)),
    "float16",
    "float32",
    "float64",
)
"""What inputs and outputs hold, by numpy's names."""


class ArraySpec(Record):
    """An input or output array.

    Attributes:
        name: of the graph's input or output.
        dtype: numpy's name of it, such as ``"uint8"``.
        shape: sizes, with names for the dynamic axes, such as ``("batch", 28, 28, 1)``.
        value_range: smallest and largest value that it holds, or None where that is not known.
        kind: ``"pixels"``, ``"tensor"`` or ``"picture"`` (of any size) for inputs; ``"probabilities"``, ``"logits"``
            or ``"tensor"`` (of anything but classes) for outputs.
        task: of an output: what it means, a key of `edgeconv.tasks.TASKS`; None in contracts that older releases wrote,
            whose kind tells classes from other arrays.
        pending: of an output that is no class: ``"sigmoid"`` or ``"softmax"`` where that is still to be done to it.
        threshold: of tags, a yes or no, or a mask of one map: probability from which on they are answered, where that
            is not `edgeconv.tasks.THRESHOLD`.
        meaning: of an output among several: what it means by itself; none where nothing says.
    """

    name: str
    dtype: str = field(metadata={ONE_OF: DTYPES})
    shape: tuple[int | str, ...]
    value_range: tuple[float, float] | None = field(metadata={KEY: "range"})
    kind: str
    task: str | None = field(default=None, metadata={ABSENT: True, ONE_OF: tuple(TASKS)})
    pending: str | None = field(default=None, metadata={ABSENT: True})
    threshold: float | None = field(default=None, metadata={ABSENT: True})
    meaning: OutputMeaning | None = field(default=None, metadata={ABSENT: True})


class Variant(Record):
    """One `.onnx` file of an artifact.

    Attributes:
        file: its name inside the artifact's folder.
        opset: version of the ONNX operators it uses.
        ir_version: version of the ONNX file format.
        quantization: how it was made int8; None for fp32.
        float_nodes: nodes left in float, each with the reason.
        calibration: what the int8 ranges were measured on; None for fp32.
        embeds: of the variant e2e: the variant inside it, behind the preparation of pictures.
        requires: what the file needs beyond the operators of ONNX; None where it needs no more.
        context: what was compiled of it for one chip; None where nothing was, and inside the file itself.
        size_bytes: of the file; None inside the file itself.
        sha256: of the file; None inside the file itself.
    """

    file: str = field(metadata={PATTERN: FILE_NAME})
    opset: int
    ir_version: int
    quantization: Quantization | None = field(default=None, metadata={EMPTY: True})
    float_nodes: tuple[FloatNode, ...] = ()
    calibration: Calibration | None = field(default=None, metadata={EMPTY: True})
    embeds: str | None = field(default=None, metadata={ABSENT: True})
    requires: Requirements | None = field(default=None, metadata={ABSENT: True})
    context: Context | None = field(default=None, metadata={ABSENT: True})
    size_bytes: int | None = field(default=None, metadata={ABSENT: True})
    sha256: str | None = field(default=None, metadata={ABSENT: True})


class Manifest(Record):
    """The contract of one artifact.

    Attributes:
        name: of the artifact.
        input: the array that the model takes.
        preprocess: how a picture becomes such an array; None if edgeconv does not know.
        output: the array that the model answers with.
        labels: class names in the order of the outputs.
        variants: the `.onnx` files by the names that `edgeconv.variants.VARIANTS` has.
        metrics: accuracy of each stage and the data it was measured on.
        parity: agreement of each stage with Keras, and the gates.
        session: tuned options by the fingerprint of the device.
        provenance: source SHA-256, seed, data fingerprint, versions.
        more_inputs: the other inputs, if there are several.
        more_outputs: the other outputs.
        boxes: for a detector, how detections are read from its outputs.

    Example:
        >>> manifest = Manifest.from_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY])  # doctest: +SKIP
        >>> manifest.labels[7]  # doctest: +SKIP
        '7'
    """

    name: str
    input: ArraySpec
    preprocess: Preparation | None
    output: ArraySpec
    labels: tuple[str, ...]
    variants: Mapping[str, Variant]
    metrics: Metrics | None = field(default=None, metadata={EMPTY: True})
    parity: Parity | None = field(default=None, metadata={EMPTY: True})
    session: Mapping[str, Tuned] = field(default_factory=dict)
    provenance: Provenance | None = field(default=None, metadata={EMPTY: True})
    more_inputs: tuple[ArraySpec, ...] = field(default=(), metadata={ABSENT: True})
    more_outputs: tuple[ArraySpec, ...] = field(default=(), metadata={ABSENT: True})
    boxes: Boxes | None = field(default=None, metadata={ABSENT: True})

    @property
    def is_classifier(self) -> bool:
        """Whether one array goes in and a row of class scores comes out."""
        return self.output.kind != "tensor"

    @property
    def takes_picture(self) -> bool:
        """Whether one picture goes in, and what a task explains comes out."""
        prepared = self.input.name == "image" and len(self.input.shape) == 4 and not self.more_inputs
        of_any_size = self.input.kind == "picture" and (not self.more_outputs or self.boxes is not None)
        return self.is_classifier or (self.task != ANY and (prepared or of_any_size))

    @property
    def batch(self) -> int | None:
        """The only batch size that the model takes, or None where it takes any."""
        size = self.input.shape[0]
        return size if isinstance(size, int) else None

    @property
    def task(self) -> str:
        """What the output means, a key of `edgeconv.tasks.TASKS`."""
        return self.output.task or (CLASSES if self.is_classifier else ANY)

    @property
    def threshold(self) -> float:
        """Probability from which on a tag, a yes or a pixel of one map is answered."""
        return THRESHOLD if self.output.threshold is None else self.output.threshold

    def as_dict(self) -> dict[str, Any]:
        """Return the contract as a JSON object."""
        return {"format": FORMAT, "schema_version": SCHEMA_VERSION, **super().as_dict()}

    def as_metadata(self) -> str:
        """Return the contract as compact JSON for the inside of a file, without sizes and checksums of files."""
        bare = {name: replace(variant, size_bytes=None, sha256=None) for name, variant in self.variants.items()}
        return json.dumps(replace(self, variants=bare).as_dict(), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], source: str = "manifest") -> "Manifest":
        """Read a contract of this or an older version.

        Args:
            value: the JSON object.
            source: what the errors call it, such as its path.

        Raises:
            ManifestError: it is no edgeconv manifest, a key is absent or has a value it cannot have, or a file lies
                outside its folder.
            SchemaVersionError: it is newer than this edgeconv.
        """
        version = value.get("schema_version")
        if value.get("format") != FORMAT or isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ManifestError(
                f"`{source}` must be an edgeconv manifest with a schema_version. Received: format "
                f"{received(value.get('format'))}, schema_version {received(version)}. Export the model with "
                "`edgeconv export`."
            )
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"`{source}` requires an edgeconv that reads schema version {received(version)}. "
                f"Received: this one reads up to {SCHEMA_VERSION}. Upgrade with `pip install -U edgeconv`."
            )
        manifest = read(cls, value, source)
        if manifest.task == BOXES and manifest.boxes is None:
            raise ManifestError(
                f"`{source}` requires the key `boxes` of the task boxes. Received: an object without it. Export the "
                "model again."
            )
        for variant in manifest.variants.values():
            _check_name(variant.file, source)
            if variant.context is not None:
                _check_name(variant.context.file, source)
        return manifest

    @classmethod
    def from_json(cls, text: str, source: str = "manifest") -> "Manifest":
        """Read a contract from JSON; see `from_dict`."""
        try:
            if len(text) > MOST_JSON_BYTES:
                raise ValueError(f"{len(text) / 1e6:,.0f} MB, more than {MOST_JSON_BYTES / 1e6:,.0f} MB")
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"`{source}` must be JSON. Received: {error}. Export the model again.") from error
        if not isinstance(value, dict):
            raise ManifestError(f"`{source}` must be a JSON object. Received: {received(value)}. Export again.")
        return cls.from_dict(value, source)


def _check_name(file: str, source: str) -> None:
    """Refuse the name of a file outside the artifact's folder, on any system."""
    if not re.search(FILE_NAME, file):
        raise ManifestError(
            f"`{source}` must name files of its own folder. Received: {received(file)}. Do not trust this model."
        )
