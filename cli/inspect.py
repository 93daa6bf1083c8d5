"""`edgeconv inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .output import chosen_format, emit, format_option, printable

if TYPE_CHECKING:
    from edgeconv.inspection.inspect import InspectedFile

LAYER_COLUMNS = {
    "layer": lambda row: row["name"],
    "operator": lambda row: row["operator"],
    "output": lambda row: "x".join(map(str, row["output_shape"])) if row["output_shape"] else "-",
    "precision": lambda row: row["precision"],
    "parameters": lambda row: f"{row['parameters']:,}",
    "multiply-adds": lambda row: "-" if row["multiply_adds"] is None else f"{row['multiply_adds']:,}",
}


@click.command()
@click.argument("model", required=False)
@format_option
def command(model: str | None, output_format: str | None) -> None:
    """Show what is in MODEL: layers, precision, cost, metadata.

    It also tells which versions of ONNX Runtime load it. MODEL is an artifact's folder or any .onnx file. Default: the
    newest, else the model that the package ships.

    \b
    Example: edgeconv inspect exported/mnist
    """
    import edgeconv

    inspection = edgeconv.inspect(model)
    table = chosen_format(output_format) == "table"
    layers = [{"file": file.path.name, **layer.as_dict()} for file in inspection.files for layer in file.layers]
    if not table:
        emit(inspection.as_dict(), layers, LAYER_COLUMNS, output_format)
        return
    for file in inspection.files:
        for name, value in _facts(file):
            click.echo(f"{name:<14} {printable(str(value))}")
        emit({}, [layer.as_dict() for layer in file.layers], LAYER_COLUMNS, "table")
        click.echo()


def _facts(file: InspectedFile) -> list[tuple[str, Any]]:
    """Return what is told of a file above its layers."""
    cost = "not known" if file.multiply_adds is None else f"{file.multiply_adds:,} for one image"
    weights = ", ".join(f"{count:,} {dtype}" for dtype, count in file.weights.items())
    opsets = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in file.opsets.items())
    arrays = [*(("input", array) for array in file.inputs), *(("output", array) for array in file.outputs)]
    return [
        ("file", file.path),
        ("size", f"{file.size_bytes:,} bytes{'' if file.intact is not False else ', not those of the manifest'}"),
        ("sha256", file.sha256),
        *((kind, f"{array.name} {array.dtype} {_shape(array.shape)}") for kind, array in arrays),
        ("operators", ", ".join(f"{count} {name}" for name, count in file.operators.items())),
        ("parameters", f"{file.parameters:,} ({weights})"),
        ("multiply-adds", cost if not file.multiply_adds_int8 else f"{cost}, {file.multiply_adds_int8:,} of them int8"),
        *(("in float", f"{node.node}: {node.reason}") for node in file.float_nodes),
        ("opset", f"{opsets}; IR {file.ir_version}; written by {file.producer}"),
        ("loads in", f"ONNX Runtime {file.first_runtime} and newer" if file.first_runtime else "not known"),
        ("metadata", ", ".join(file.metadata) or "none"),
    ]


def _shape(shape: Any) -> str:
    return "(" + ", ".join(map(str, shape)) + ")" if shape is not None else "of unknown shape"
