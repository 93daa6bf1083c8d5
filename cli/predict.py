"""`edgeconv predict`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .answer_rows import FIELDS, NEAREST, answered, cells_of, failed, nearest_rows
from .arrays import NPZ, ArrayOptions, answers_with_arrays, are_arrays, run_arrays
from .output import chosen_format, format_option_with, say, write_csv, write_json_line, write_table
from .pictures import STDIN, count_pictures, pictures_of
from .progress import TerminalProgress, no_bar
from .variant_options import device_option, keep_to_free_memory, timeout_option, variant_option

if TYPE_CHECKING:
    from edgeconv.runtime.predictor import Predictor
    from edgeconv.runtime.streaming import Answer


NOT_IN_ROWS = {"mask": "masks", "picture": "pictures"}
"""Answers of which a row says only how large they are, and what is in them."""


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--model", metavar="PATH", help="An artifact's folder or an .onnx file. Default: the newest, else the shipped one."
)
@variant_option("what benchmark --tune chose, else int8")
@click.option("--top-k", default=3, show_default=True, help="Number of classes, or nearest pictures, to list.")
@device_option
@click.option("--threads", type=int, help="Threads inside an operator. Default: what benchmark --tune chose, else 1.")
@click.option("--threshold", type=float, help="Lowest probability of a tag, a yes or a box. Default: the model's.")
@timeout_option
@click.option("--draft", is_flag=True, help="Decode large JPEGs at reduced size: faster, answers change slightly.")
@click.option("--nearest", metavar="DIR", help="Answer embeddings with the nearest pictures of this folder.")
@click.option(
    "--out", metavar="DIR", help="Write masks, drawn boxes, pictures, embeddings and arrays into this folder."
)
@format_option_with(NPZ)
def command(
    images: tuple[str, ...],
    model: str | None,
    variant: str | None,
    top_k: int,
    device: str,
    threads: int | None,
    threshold: float | None,
    timeout: float | None,
    draft: bool,
    nearest: str | None,
    out: str | None,
    output_format: str | None,
) -> None:
    """Run a model on pictures or arrays.

    An IMAGE is a file, a folder, a glob or - for stdin, or an .npz or .npy file of arrays.

    --format npz writes the model's raw outputs to stdout.

    \b
    Example: edgeconv predict image.png
    """
    _one_thread_of_blas()
    keep_to_free_memory(model)
    options = ArrayOptions(model, variant, device, threads, top_k, threshold, timeout, out, output_format)
    if are_arrays(images) or output_format == NPZ:
        run_arrays(images, options)
        return
    from edgeconv.errors import ArtifactError, ImageError
    from edgeconv.runtime.predictor import Predictor

    try:
        predictor = Predictor(
            model,
            variant=variant,
            device=device,
            threads=threads,
            top_k=top_k,
            threshold=threshold,
            timeout=timeout,
            draft=draft,
        )
    except ArtifactError:
        if not answers_with_arrays(model):
            raise
        run_arrays(images, options)
        return
    if out is not None:
        from edgeconv.runtime.saving import check_saved
        from edgeconv.transaction import require_writable

        check_saved(predictor.manifest)
        require_writable(Path(out))
    gallery = None
    if nearest is not None:
        from edgeconv.runtime.gallery import Gallery

        gallery = Gallery.of(predictor, nearest, lambda reason: say(f"Warning: {reason}"))
    tally = _Tally()
    # Rows that scroll by are progress enough; a bar is for a terminal whose stdout goes elsewhere.
    total = count_pictures(images) if sys.stderr.isatty() and not sys.stdout.isatty() else None
    with TerminalProgress().bar("Pictures", total) if total and total > 1 else nullcontext(no_bar) as advance:
        answers = predictor.predict_many(pictures_of(images))
        saved = None if out is None else _Saved(predictor, Path(out))
        rows = tally.rows(answers, advance, saved)
        task = predictor.manifest.task
        if gallery is not None:
            rows, task = nearest_rows(rows, gallery, top_k), NEAREST
        _write(rows, chosen_format(output_format), task, predictor.manifest.labels)
    if tally.seen == 0:
        raise ImageError(f"Pictures are required. Received: none in {', '.join(images)}. Name files or folders.")
    if out is None and task in NOT_IN_ROWS and tally.failed < tally.seen:
        say(f"`--out DIR` writes the {NOT_IN_ROWS[task]} themselves.")
    if tally.failed:
        click.get_current_context().exit(1)


def _one_thread_of_blas() -> None:
    """Keep numpy's matrix products to one thread, if nobody said how many: those that decode pictures are enough.

    Of two kinds of threads on the same cores, one waits for the other: photographs took three times as long.
    """
    if "numpy" not in sys.modules:  # Which reads it as it is imported; this process may not be ours alone.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _Tally:
    """Counts answers as they pass, and tells the reason of each that failed on stderr too."""

    def __init__(self) -> None:
        self.seen = 0
        self.failed = 0

    def rows(
        self, answers: Iterable[Answer], advance: Callable[[int, str], None], saved: _Saved | None
    ) -> Iterator[dict[str, Any]]:
        for answer in answers:
            self.seen += 1
            advance(1, "")
            name = answer.picture if isinstance(answer.picture, str) else STDIN
            if answer.prediction is None:
                self.failed += 1
                yield failed(name, str(answer.error).replace("<bytes>", STDIN))
            else:
                file = {} if saved is None else {"file": saved.file_of(answer, name)}
                yield {"path": name, **answer.prediction.as_dict(), **file}


class _Saved:
    """Writes answers into a folder under the names of their pictures, each name once."""

    def __init__(self, predictor: Predictor, folder: Path) -> None:
        self._predictor = predictor
        self._folder = folder
        self._used: set[str] = set()

    def file_of(self, answer: Answer, name: str) -> str:
        from edgeconv.pictures.bands import scaled_down
        from edgeconv.pictures.boxes import MOST_PIXELS
        from edgeconv.pictures.reading import read_sized
        from edgeconv.runtime.saving import save_answer

        stem = unused = "stdin" if name == STDIN else Path(name).stem
        while unused in self._used:
            unused = f"{stem}-{len(self._used)}"
        self._used.add(unused)
        manifest = self._predictor.manifest
        pixels, size = read_sized(answer.picture)
        picture = scaled_down(pixels, MOST_PIXELS) if manifest.boxes else self._predictor.prepare(pixels)
        if answer.prediction is None:
            raise ValueError("an error is no answer")
        value_range = manifest.output.value_range
        return str(
            save_answer(answer.prediction, self._folder / unused, picture=picture, value_range=value_range, size=size)
        )


def _write(rows: Iterable[dict[str, Any]], output_format: str, task: str, labels: Sequence[str]) -> None:
    if output_format == "json":
        for row in rows:
            write_json_line(row)
    elif output_format == "csv":
        write_csv(answered(rows), ("path", *FIELDS[task]))
    else:
        cells, good = cells_of(task, labels), answered(rows)
        write_table(([row["path"], *(cell(row) for cell in cells.values())] for row in good), ["path", *cells])
