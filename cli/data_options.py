"""The options that choose a dataset, the same for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgeconv import DatasetSpec

_NAMES = ("dataset", "data_dir", "image_size", "val_split", "channels", "preparation", "split_seed")
_INTERPOLATIONS = (
    *("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"),
    *("box", "hamming", "pillow-nearest"),
)
"""Those of `edgeconv.preparation`, which help does not import."""

FITTING = ("fit", "interpolation", "antialias", "transparency")
"""The options that say how a picture is brought to the size."""


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose a dataset."""
    options = (
        click.option(
            "--dataset",
            metavar="NAME|PATH",
            help="mnist, mnist-sample, fashion-mnist, an .npz file, a folder of IDX files, or a folder with one "
            "subfolder of pictures per class; for other tasks, a .csv, an .npz or a folder with labels.",
        ),
        click.option("--data-dir", metavar="DIR", help="Folder with mnist and fashion-mnist. Default: $EDGECONV_DATA."),
        click.option("--image-size", metavar="HxW", help="Resize pictures to this size, such as 64x64."),
        click.option(
            "--val-split", default=0.2, show_default=True, help="Share to hold out if the data have no test set."
        ),
        click.option(
            "--channels",
            type=click.Choice(["grey", "rgb", "rgba", "1", "3", "4"]),
            metavar="grey|rgb|rgba",
            help="Convert pictures to these. Default: what the model takes; for train, grey if all pictures are.",
        ),
        click.option(
            "--preparation",
            default="auto",
            show_default=True,
            type=click.Choice(["auto", "digit", "resize"]),
            help="How to prepare pictures: as MNIST's digits were, or only resized.",
        ),
        click.option(
            "--fit",
            type=click.Choice(["stretch", "crop", "pad"]),
            help="How to fit pictures of another aspect ratio. Default: crop.",
        ),
        click.option(
            "--interpolation",
            type=click.Choice(_INTERPOLATIONS),
            metavar="NAME",
            help=f"How to resize: {', '.join(_INTERPOLATIONS)}. Default: bilinear.",
        ),
        click.option(
            "--antialias/--no-antialias",
            default=None,
            help="Average pixels when shrinking, as Pillow does, or not, as TensorFlow. Default: average.",
        ),
        click.option(
            "--transparency",
            type=click.Choice(["white", "ignore"]),
            help="Put transparent pictures on white, or ignore their alpha, as Keras does. Default: white.",
        ),
        click.option("--split-seed", default=0, show_default=True, help="Seed of the choice of the held-out share."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def loader_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option that names the user's own loader of pictures."""
    text = (
        "Your function from a path to the model's input, or keras-directory or keras-load-img; "
        "compared with edgeconv's own."
    )
    return click.option("--loader", metavar="MODULE:FUNCTION", help=text)(command)


def stated_alone(options: dict[str, Any]) -> str | None:
    """Return an option that says how pictures are prepared where no data are named, or None."""
    if options["dataset"] is not None or options["data_dir"] is not None:
        return None
    stated = [name for name in (*FITTING, "image_size", "channels") if options[name] is not None]
    return "--" + stated[0].replace("_", "-") if stated else None


def spec_of(options: dict[str, Any]) -> DatasetSpec:
    """Take the data options out of a command's options, and return what they choose."""
    from edgeconv import DatasetSpec

    chosen = {name: options.pop(name) for name in (*_NAMES, *FITTING)}
    return DatasetSpec(
        dataset=chosen["dataset"] or "auto",
        data_dir=chosen["data_dir"],
        image_size=size_of(chosen["image_size"]),
        val_split=chosen["val_split"],
        channels=channels_of(chosen["channels"]),
        preparation=chosen["preparation"],
        seed=chosen["split_seed"],
        **{name: chosen[name] for name in FITTING},
    )


def given_spec_of(options: dict[str, Any]) -> DatasetSpec | None:
    """Return what the data options choose, or None where no dataset is named: then the recorded one is meant."""
    named = options["dataset"] is not None or options["data_dir"] is not None
    spec = spec_of(options)
    return spec if named else None


def size_of(text: str | None) -> tuple[int, int] | None:
    """Return the height and width that an option names, or None."""
    if text is None:
        return None
    height, times, width = text.lower().partition("x")
    if not height.isdigit() or (times and not width.isdigit()):
        raise click.BadParameter(f"must be HEIGHTxWIDTH, such as 64x64. Received: {text!r}.", param_hint="--image-size")
    return int(height), int(width or height)


def channels_of(word: str | None) -> int | None:
    """Return how many channels pictures are read with, or None where nobody said."""
    from edgeconv.preparation import CHANNELS

    return None if word is None else CHANNELS.get(word) or int(word)
