"""`edgeconv predict`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from .output import chosen_format, format_option, write_csv, write_json_line, write_table
from .pictures import STDIN, count_pictures, pictures_of
from .progress import TerminalProgress, no_bar
from .variant_options import variant_option

if TYPE_CHECKING:
    from edgeconv.runtime.prediction import Answer

COLUMNS = ("path", "label", "index", "probability", "top")


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--model", metavar="PATH", help="An artifact's folder or an .onnx file. Default: the newest, else the shipped."
)
@variant_option("what --tune found, else int8")
@click.option("--top-k", default=3, show_default=True, help="Classes that an answer lists.")
@click.option(
    "--device",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "cpu", "gpu"]),
    help="auto: a GPU only if it computes right. gpu: never the CPU in silence.",
)
@click.option("--threads", type=int, help="Threads inside an operator. Default: what --tune found best here, else 1.")
@format_option
def command(
    images: tuple[str, ...],
    model: str | None,
    variant: str | None,
    top_k: int,
    device: str,
    threads: int | None,
    output_format: str | None,
) -> None:
    """Read pictures: files, folders, globs, or - for stdin.

    \b
    Example: edgeconv predict image.png
    """
    from edgeconv.errors import ImageError
    from edgeconv.runtime.predictor import Predictor

    predictor = Predictor(model, variant=variant, device=device, threads=threads, top_k=top_k)
    tally = _Tally()
    # Rows that scroll by are progress enough; a bar is for a terminal whose stdout goes elsewhere.
    total = count_pictures(images) if sys.stderr.isatty() and not sys.stdout.isatty() else None
    with TerminalProgress().bar("Pictures", total) if total and total > 1 else nullcontext(no_bar) as advance:
        answers = predictor.predict_many(pictures_of(images))
        _write(tally.good_rows(answers, advance), chosen_format(output_format))
    if tally.seen == 0:
        raise ImageError(f"Pictures are required. Received: none in {', '.join(images)}. Name files or folders.")
    if tally.failed:
        click.get_current_context().exit(1)


class _Tally:
    """Counts answers as they pass, and tells the reason of each that failed on stderr."""

    def __init__(self) -> None:
        self.seen = 0
        self.failed = 0

    def good_rows(self, answers: Iterable[Answer], advance: Callable[[int, str], None]) -> Iterator[dict[str, Any]]:
        for answer in answers:
            self.seen += 1
            advance(1, "")
            name = answer.picture if isinstance(answer.picture, str) else STDIN
            if answer.prediction is None:
                self.failed += 1
                reason = str(answer.error)
                click.echo(f"Error: {reason if name in reason else f'{name}: {reason}'}", err=True)
            else:
                yield {"path": name, **answer.prediction.as_dict()}


def _write(rows: Iterable[dict[str, Any]], output_format: str) -> None:
    if output_format == "json":
        for row in rows:
            write_json_line(row)
    elif output_format == "csv":
        write_csv(rows, COLUMNS)
    else:
        write_table(
            ((row["path"], row["label"], f"{row['probability']:.2%}", _others(row)) for row in rows),
            ("path", "label", "probability", "next"),
        )


def _others(row: dict[str, Any]) -> str:
    return ", ".join(f"{score['label']} {score['probability']:.2%}" for score in row["top"][1:])
