"""`edgeconv export`."""

from __future__ import annotations

from typing import Any

import click

from .data_options import FITTING, channels_of, data_options, given_spec_of, loader_option, size_of
from .explain_table import columns_of
from .output import emit, format_option, say
from .parity_table import parity_columns
from .progress import TerminalProgress
from .variant_options import export_options, taken_variants, task_option


@click.command()
@click.argument("model", required=False)
@export_options
@click.option("--calibration-size", default=1000, show_default=True, help="Samples to measure int8 ranges on.")
@click.option(
    "--max-drop", type=float, help="Percent int8 may lose. Default: 0.2 points of accuracy; 1 for other tasks."
)
@click.option(
    "--metric", metavar="MODULE:FUNCTION", help="Your metric for labelled data: outputs and targets in, a number out."
)
@click.option("--target", metavar="T", help="int8 for x86, x86-avx2, arm64, web, tensorrt, qnn or auto. Default: x86.")
@click.option("--context", type=int, metavar="SOC", help="With --target qnn: compile int8 for this chip, such as 60.")
@click.option("--seed", default=0, show_default=True, help="Seed of the choice of calibration images.")
@click.option(
    "--input-range", metavar="LOW:HIGH", help="The range 0..255 is scaled to for a float input; or caffe, torch, tf."
)
@task_option
@click.option("--threshold", type=float, help="Lowest probability of a tag or a yes. Default: 0.5.")
@click.option(
    "--boxes",
    metavar="KEY=VALUE,...",
    help="Form of a detector's outputs: format=xyxy, rel_cxcywh, ..., scores=NAME, activation=sigmoid, ...",
)
@click.option("--nms", is_flag=True, help="Add ONNX's NonMaxSuppression to a detector's file.")
@click.option(
    "--calibration", metavar="PLACE", help="Pictures, .npz, .npy or module:function to measure int8 ranges on."
)
@loader_option
@click.option(
    "--input-data", metavar="NPZ", help="Inputs by name for the comparison with Keras, instead of random ones."
)
@click.option("--explain", is_flag=True, help="Compare every layer with Keras: SQNR in dB, largest error.")
@click.option(
    "--custom-objects",
    metavar="MODULE[:NAME]",
    multiple=True,
    help="Module with the model's own classes, or one of them; repeatable.",
)
@click.option("--unsafe", is_flag=True, help="Run code in the model's file: Lambda layers, SavedModels.")
@click.option(
    "--signature", metavar="NAME", help="Signature of a SavedModel. Default: serving_default, or the only one."
)
@click.option("--opset", type=int, help="Version of the ONNX operators. Default: 17.")
@click.option("--min-runtime", metavar="VERSION", help="Oldest ONNX Runtime that must load the files, such as 1.16.")
@click.option("--batch", type=int, help="Fix the batch axis to this size. Default: dynamic.")
@click.option("--max-memory-gb", type=float, help="Memory limit of the conversion. Default: the machine's memory.")
@click.option("--max-minutes", default=60.0, show_default=True, help="Time limit of the conversion.")
@click.option("--labels", metavar="A,B,...|FILE", help="Class names, or a text file with one per line.")
@data_options
@click.option("--name", help="Name of the artifact, a folder under exported/. Default: the model's own.")
@click.option("--out", metavar="DIR", help="Folder of the artifact; with --name, its parent.")
@format_option
def command(
    model: str | None, labels: str | None, name: str | None, out: str | None, output_format: str | None, **options: Any
) -> None:
    """Convert a Keras MODEL to ONNX that gives the same answers.

    MODEL is a .keras or .h5 file, or a SavedModel's folder. Default: the newest under exported/.

    \b
    Example: edgeconv export --quantize
    """
    import edgeconv
    from edgeconv.config import ExportConfig, artifact_folder
    from edgeconv.datasets.labels import read_labels

    fitting = {name: options[name] for name in FITTING}
    fitting |= {"image_size": size_of(options["image_size"]), "channels": channels_of(options["channels"])}
    spec = given_spec_of(options)
    names = None if labels is None else read_labels(labels)
    config = ExportConfig(labels=names, variants=taken_variants(options), **fitting, **options)
    folder = artifact_folder(name, out, "") if name or out else None
    exported = edgeconv.export(model, config=config, dataset=spec, out=folder, progress=TerminalProgress())
    say(f"Saved {exported.path}; look at {exported.path / 'report.html'}.")
    result = exported.as_dict()
    if exported.explanation is None:
        emit(result, result["ledger"]["rows"], parity_columns(exported.ledger), output_format)
    else:
        columns = columns_of(exported.explanation.variants)
        emit(result, result["explanation"]["layers"], columns, output_format)
