"""What is in a model: its files, their layers, precision, cost and contract."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx

from edgeconv.artifact import MANIFEST_FILE, read_json
from edgeconv.conversion.graph.reading import all_nodes, read_model
from edgeconv.conversion.graph.runtimes import STANDARD_DOMAINS, first_runtime
from edgeconv.conversion.graph.shapes import Shape, dtype_name, shape_of
from edgeconv.errors import ArtifactError
from edgeconv.inspection.layer_table import Layer, tabulate_layers
from edgeconv.manifest import METADATA_KEY, VARIANT_KEY, Manifest
from edgeconv.manifest_blocks import FloatNode
from edgeconv.runtime.loading import find_model

LONGEST_VALUE = 160
"""Characters of a metadata entry that are shown."""


@dataclass(frozen=True)
class Array:
    """An input or output of a graph.

    Attributes:
        name: what `session.run` calls it.
        dtype: numpy's name of it.
        shape: sizes, with names for the dynamic axes; None where the file does not say.
    """

    name: str
    dtype: str
    shape: Shape | None


@dataclass(frozen=True)
class InspectedFile:
    """One `.onnx` file.

    Attributes:
        variant: its name, such as ``"int8"``; None in a file that is not edgeconv's.
        path: of the file.
        size_bytes: of the file.
        sha256: of the file.
        intact: whether that is the manifest's; None where no manifest names one.
        opsets: version of the operators by domain, ``""`` being ONNX's own.
        ir_version: version of the ONNX file format.
        producer: the program that wrote it.
        first_runtime: first ONNX Runtime release that loads it; None where it has operators of others than ONNX.
        inputs: what it takes.
        outputs: what it answers.
        operators: how many nodes of each operator, those of branches and loops included.
        layers: in order, each with its precision and cost.
        weights: elements of weights and biases by dtype.
        float_nodes: nodes left in float, each with the reason; from the contract.
        metadata: the file's own entries, long ones cut.
    """

    variant: str | None
    path: Path
    size_bytes: int
    sha256: str
    intact: bool | None
    opsets: Mapping[str, int]
    ir_version: int
    producer: str
    first_runtime: str | None
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    operators: Mapping[str, int]
    layers: tuple[Layer, ...]
    weights: Mapping[str, int]
    float_nodes: tuple[FloatNode, ...]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """Elements of all weights and biases; scales, zero points and shapes are none."""
        return sum(self.weights.values())

    @property
    def multiply_adds(self) -> int | None:
        """Multiply-adds of all convolutions and products for one image; None where those of a layer are not known."""
        return _total(layer.multiply_adds for layer in self.layers)

    @property
    def multiply_adds_int8(self) -> int | None:
        """The part of them that is computed on 8-bit integers."""
        return _total(layer.multiply_adds for layer in self.layers if layer.precision == "int8")

    def as_dict(self) -> dict[str, Any]:
        """Return the file as a JSON object."""
        return {
            **asdict(self),
            "path": str(self.path),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "multiply_adds_int8": self.multiply_adds_int8,
        }


@dataclass(frozen=True)
class Inspection:
    """What is in a model.

    Attributes:
        path: the artifact's folder, or the lone file.
        manifest: its contract; None for a file that is not edgeconv's.
        files: one per variant.
    """

    path: Path
    manifest: Manifest | None
    files: tuple[InspectedFile, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as a JSON object."""
        return {
            "path": str(self.path),
            "manifest": self.manifest.as_dict() if self.manifest else None,
            "files": [file.as_dict() for file in self.files],
        }


def inspect(model: str | Path | None = None, *, variant: str | None = None) -> Inspection:
    """Show what is in a model, without running it.

    Args:
        model: an artifact's folder or any `.onnx` file; None: the newest artifact under ``exported/``, else the
            reference model that the package ships.
        variant: only this one, such as ``"int8"``; None: all that the folder has.

    Returns:
        The contract, and each file with its layers. A file that differs from its manifest has `intact` False.

    Raises:
        ArtifactError: the path is no model, or a file is absent, damaged, or keeps its weights in other files.

    Example:
        >>> inspect("exported/mnist").files[0].parameters  # doctest: +SKIP
        93322
    """
    path = find_model() if model is None else Path(model)
    if path.is_file():
        data, proto = read_model(path)
        entries = {entry.key: entry.value for entry in proto.metadata_props}
        manifest = Manifest.from_json(entries[METADATA_KEY], str(path)) if METADATA_KEY in entries else None
        _require_variant(path, variant, [entries.get(VARIANT_KEY, "")])
        return Inspection(path, manifest, (_look_into(path, data, proto, manifest, entries.get(VARIANT_KEY)),))
    if path.is_dir():
        manifest = Manifest.from_dict(read_json(path / MANIFEST_FILE), str(path / MANIFEST_FILE))
        _require_variant(path, variant, list(manifest.variants))
        names = [variant] if variant else manifest.variants
        return Inspection(path, manifest, tuple(_look_into_variant(path, manifest, name) for name in names))
    raise ArtifactError(
        f"`{path}` must be an artifact's folder or an `.onnx` file. Received: no such path. "
        "Make one with `edgeconv export`."
    )


def _require_variant(path: Path, variant: str | None, names: list[str]) -> None:
    if variant is not None and variant not in names:
        raise ArtifactError(
            f"`{path}` must hold the variant {variant}. Received: {', '.join(names) or 'none'}. "
            "Make int8 with `edgeconv export --quantize`."
        )


def _look_into_variant(folder: Path, manifest: Manifest, name: str) -> InspectedFile:
    path = folder / manifest.variants[name].file
    data, model = read_model(path)
    return _look_into(path, data, model, manifest, name)


def _look_into(
    path: Path, data: bytes, model: onnx.ModelProto, manifest: Manifest | None, variant: str | None
) -> InspectedFile:
    contract = manifest.variants.get(variant or "") if manifest else None
    digest = hashlib.sha256(data).hexdigest()
    opsets = {
        entry.domain.replace("ai.onnx", "") if entry.domain == "ai.onnx" else entry.domain: entry.version
        for entry in model.opset_import
    }
    table = tabulate_layers(model)
    nodes = list(all_nodes(model.graph))
    standard = {node.domain for node in nodes} <= STANDARD_DOMAINS
    constants = {tensor.name for tensor in model.graph.initializer}  # Listed as inputs too in files before IR 4.
    return InspectedFile(
        variant=variant,
        path=path,
        size_bytes=len(data),
        sha256=digest,
        intact=contract.sha256 == digest if contract and contract.sha256 else None,
        opsets=opsets,
        ir_version=model.ir_version,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        first_runtime=first_runtime(opsets.get("", 0), model.ir_version) if standard else None,
        inputs=tuple(_array(value) for value in model.graph.input if value.name not in constants),
        outputs=tuple(_array(value) for value in model.graph.output),
        operators=dict(sorted(Counter(node.op_type for node in nodes).items())),
        layers=table.layers,
        weights=table.weights,
        float_nodes=contract.float_nodes if contract else (),
        metadata={entry.key: _shortened(entry.key, entry.value) for entry in model.metadata_props},
    )


def _array(value: onnx.ValueInfoProto) -> Array:
    return Array(value.name, dtype_name(value.type.tensor_type.elem_type), shape_of(value))


def _shortened(key: str, value: str) -> str:
    if key == METADATA_KEY:
        return f"the contract, {len(value):,} characters of JSON"
    return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}... ({len(value):,} characters)"


def _total(counts: Iterator[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)
