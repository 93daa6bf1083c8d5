"""`edgeconv train`."""

from __future__ import annotations

from typing import Any

import click

from .data_options import data_options, spec_of
from .output import emit, format_option
from .progress import TerminalProgress


@click.command()
@data_options
@click.option(
    "--arch",
    default="convnet",
    show_default=True,
    type=click.Choice(["convnet", "convnet-nopool", "convnet-strided", "convnet-avgpool", "dense"]),
    help="Architecture.",
)
@click.option("--depth", default=3, show_default=True, help="Number of convolutions of a convnet.")
@click.option(
    "--padding",
    default="valid",
    show_default=True,
    type=click.Choice(["valid", "same"]),
    help="Padding of convolutions.",
)
@click.option("--dropout", default=0.0, show_default=True, help="Share of features dropped before the classifier.")
@click.option("--augment", is_flag=True, help="Shift, rotate and zoom the training images.")
@click.option("--from", "base", metavar="MODEL.keras", help="Fine-tune this model with a new head.")
@click.option("--freeze-base", is_flag=True, help="With --from: train the new head only.")
@click.option(
    "--input-range",
    metavar="LOW:HIGH",
    help="With --from: the range 0..255 is scaled to for its float input; or caffe, torch, tf.",
)
@click.option(
    "--recipe",
    default="onecycle",
    show_default=True,
    type=click.Choice(["onecycle", "book"]),
    help="onecycle: AdamW, one-cycle learning rate. book: rmsprop.",
)
@click.option("--qat", is_flag=True, help="Train with the rounding that the int8 file will have.")
@click.option("--epochs", default=5, show_default=True, help="Passes over the training images.")
@click.option("--batch-size", type=int, help="Images per step. Default: the recipe's.")
@click.option("--learning-rate", type=float, help="Peak learning rate. Default: the recipe's.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "cpu", "gpu"]),
    help="gpu is an error if TensorFlow finds none.",
)
@click.option("--seed", default=0, show_default=True, help="Equal seeds give equal runs on the same CPU.")
@click.option("--name", help="Name of the artifact, a folder under exported/. Default: the dataset's.")
@click.option("--out", metavar="DIR", help="Folder of the artifact; with --name, its parent.")
@click.option("--resume", is_flag=True, help="Continue an interrupted run.")
@format_option
def command(output_format: str | None, name: str | None, out: str | None, resume: bool, **options: Any) -> None:
    """Train a convnet and write exported/<name>/model.keras.

    \b
    Example: edgeconv train --dataset mnist --epochs 5
    """
    import edgeconv
    from edgeconv.config import TrainConfig, artifact_folder

    spec = spec_of(options)
    config = TrainConfig(**options)
    folder = artifact_folder(name, out, "") if name or out else None
    trained = edgeconv.train(spec, config=config, out=folder, resume=resume, progress=TerminalProgress())
    emit(trained.as_dict(), trained.record["history"], _columns(trained.record["history"]), output_format)


def _columns(history: list[dict[str, Any]]) -> dict[str, Any]:
    def cell(key: str) -> Any:
        return lambda row: f"{row[key]:.4f}" if isinstance(row[key], float) else str(row[key])

    return {key.replace("_", " "): cell(key) for key in (history[0] if history else {})}
