"""The contract of a model: what it eats, what it answers, how it was made, and how well it does.

It lies in `manifest.json` beside the model, and, less the sizes and checksums of files, inside each `.onnx` under
`METADATA_KEY`, so that a lone file copied to a device still serves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edgeconv.errors import ManifestError, SchemaVersionError
from edgeconv.preparation import Preparation

FORMAT = "edgeconv"

SCHEMA_VERSION = 1
"""Version of the contract.

Raise it when a reader of the present version would misread the new one: a key renamed or removed, a unit or a
meaning changed. A new optional key needs no new version, since readers ignore what they don't know. With each raise:
teach `Manifest.from_dict` to read the old form, and freeze a manifest of it under `tests/data/` with its test.
"""

METADATA_KEY = "edgeconv.manifest"
VARIANT_KEY = "edgeconv.variant"


@dataclass(frozen=True)
class ArraySpec:
    """An input or output array.

    Attributes:
        name: of the graph's input or output.
        dtype: numpy's name of it, such as ``"uint8"``.
        shape: sizes, with names for the dynamic axes, such as ``("batch", 28, 28, 1)``.
        value_range: smallest and largest value that it holds, or None where that is not known.
        kind: ``"pixels"``, ``"tensor"`` or ``"picture"`` (of any size) for inputs; ``"probabilities"``, ``"logits"``
            or ``"tensor"`` (of anything but classes) for outputs.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    value_range: tuple[float, float] | None
    kind: str

    def as_dict(self) -> dict[str, Any]:
        """Return the array's description as a JSON object."""
        bounds = list(self.value_range) if self.value_range else None
        return {
            "name": self.name,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "range": bounds,
            "kind": self.kind,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ArraySpec:
        """Read what `as_dict` wrote."""
        low_high = value["range"]
        return cls(
            name=str(value["name"]),
            dtype=str(value["dtype"]),
            shape=tuple(axis if isinstance(axis, str) else int(axis) for axis in value["shape"]),
            value_range=(float(low_high[0]), float(low_high[1])) if low_high else None,
            kind=str(value["kind"]),
        )


@dataclass(frozen=True)
class Variant:
    """One `.onnx` file of an artifact.

    Attributes:
        file: its name inside the artifact's folder.
        opset: version of the ONNX operators it uses.
        ir_version: version of the ONNX file format.
        quantization: every argument given to the quantizer; empty for fp32.
        float_nodes: nodes left in float, each with the reason.
        calibration: what the int8 ranges were measured on; empty for fp32.
        size_bytes: of the file; None inside the file itself.
        sha256: of the file; None inside the file itself.
        requires: what the file needs beyond the operators of ONNX: ``"operators"``, the domain of ONNX Runtime's own,
            ``"onnxruntime"``, the releases that have them, ``"processor"``; empty where it needs no more.
        embeds: of the variant e2e: the variant inside it, behind the preparation of pictures.
    """

    file: str
    opset: int
    ir_version: int
    quantization: Mapping[str, Any] = field(default_factory=dict)
    float_nodes: tuple[Mapping[str, str], ...] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    size_bytes: int | None = None
    sha256: str | None = None
    embeds: str | None = None
    requires: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the variant as a JSON object, without the keys that are not known."""
        value: dict[str, Any] = {
            "file": self.file,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "quantization": dict(self.quantization),
            "float_nodes": [dict(node) for node in self.float_nodes],
            "calibration": dict(self.calibration),
        }
        if self.embeds is not None:
            value["embeds"] = self.embeds
        if self.requires:
            value["requires"] = dict(self.requires)
        if self.size_bytes is not None:
            value["size_bytes"] = self.size_bytes
        if self.sha256 is not None:
            value["sha256"] = self.sha256
        return value

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Variant:
        """Read what `as_dict` wrote."""
        return cls(
            file=str(value["file"]),
            opset=int(value["opset"]),
            ir_version=int(value["ir_version"]),
            quantization=dict(value.get("quantization", {})),
            float_nodes=tuple(dict(node) for node in value.get("float_nodes", ())),
            calibration=dict(value.get("calibration", {})),
            size_bytes=value.get("size_bytes"),
            sha256=value.get("sha256"),
            embeds=value.get("embeds"),
            requires=dict(value.get("requires", {})),
        )


@dataclass(frozen=True)
class Manifest:
    """The contract of one artifact.

    Attributes:
        name: of the artifact.
        input: the array that the model eats.
        preprocess: how a picture becomes such an array; None where edgeconv does not know.
        output: the array that the model answers with.
        labels: class names in the order of the outputs.
        variants: the `.onnx` files by name: ``"fp32"``, ``"fp16"``, ``"int8"``, and ``"e2e"`` with the preparation
            inside.
        metrics: accuracy of each stage and the data it was measured on.
        parity: agreement of each stage with Keras, and the gates.
        session: tuned options for named devices.
        provenance: source SHA-256, seed, data fingerprint, versions.
        more_inputs: the inputs behind the first, of a model with several.
        more_outputs: the outputs behind the first.

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
    metrics: Mapping[str, Any] = field(default_factory=dict)
    parity: Mapping[str, Any] = field(default_factory=dict)
    session: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    more_inputs: tuple[ArraySpec, ...] = ()
    more_outputs: tuple[ArraySpec, ...] = ()

    @property
    def is_classifier(self) -> bool:
        """Whether one array goes in and a row of class scores comes out."""
        return self.output.kind != "tensor"

    def as_dict(self) -> dict[str, Any]:
        """Return the contract as a JSON object."""
        value: dict[str, Any] = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "input": self.input.as_dict(),
            "preprocess": self.preprocess.as_dict() if self.preprocess else None,
            "output": self.output.as_dict(),
            "labels": list(self.labels),
            "variants": {name: variant.as_dict() for name, variant in self.variants.items()},
            "metrics": dict(self.metrics),
            "parity": dict(self.parity),
            "session": dict(self.session),
            "provenance": dict(self.provenance),
        }
        if self.more_inputs:
            value["more_inputs"] = [array.as_dict() for array in self.more_inputs]
        if self.more_outputs:
            value["more_outputs"] = [array.as_dict() for array in self.more_outputs]
        return value

    def as_stamp(self) -> str:
        """Return the contract as compact JSON for the inside of a file, without sizes and checksums of files."""
        bare = {name: replace(variant, size_bytes=None, sha256=None) for name, variant in self.variants.items()}
        return json.dumps(replace(self, variants=bare).as_dict(), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], source: str = "manifest") -> Manifest:
        """Read a contract of this or an older version.

        Args:
            value: the JSON object.
            source: what the errors call it, such as its path.

        Raises:
            ManifestError: it is no edgeconv manifest, or a key is absent or has a value it cannot have.
            SchemaVersionError: it is newer than this edgeconv.
        """
        version = value.get("schema_version")
        if value.get("format") != FORMAT or isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ManifestError(
                f"`{source}` must be an edgeconv manifest with a schema_version. Received: format "
                f"{value.get('format')!r}, schema_version {version!r}. Export the model with `edgeconv export`."
            )
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"`{source}` requires an edgeconv that reads schema version {version}. "
                f"Received: this one reads up to {SCHEMA_VERSION}. Upgrade with `pip install -U edgeconv`."
            )
        try:
            return cls(
                name=str(value["name"]),
                input=ArraySpec.from_dict(value["input"]),
                preprocess=Preparation.from_dict(value["preprocess"]) if value["preprocess"] else None,
                output=ArraySpec.from_dict(value["output"]),
                labels=tuple(str(label) for label in value["labels"]),
                variants={str(name): Variant.from_dict(item) for name, item in value["variants"].items()},
                metrics=dict(value.get("metrics", {})),
                parity=dict(value.get("parity", {})),
                session=dict(value.get("session", {})),
                provenance=dict(value.get("provenance", {})),
                more_inputs=tuple(ArraySpec.from_dict(item) for item in value.get("more_inputs", ())),
                more_outputs=tuple(ArraySpec.from_dict(item) for item in value.get("more_outputs", ())),
            )
        except KeyError as error:
            raise ManifestError(
                f"`{source}` must have the key {error}. Received: a manifest without it. Export the model again."
            ) from error
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            raise ManifestError(
                f"`{source}` must follow schema version {version}. Received: {error}. Export the model again."
            ) from error

    @classmethod
    def from_json(cls, text: str, source: str = "manifest") -> Manifest:
        """Read a contract from JSON; see `from_dict`."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ManifestError(f"`{source}` must be JSON. Received: {error}. Export the model again.") from error
        if not isinstance(value, dict):
            raise ManifestError(f"`{source}` must be a JSON object. Received: {type(value).__name__}. Export again.")
        return cls.from_dict(value, source)
