"""`edgeconv predict` with arrays: `.npz` and `.npy` files in, or whatever a model of no task answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .answer_rows import FIELDS, cells_of, failed
from .output import chosen_format, write_csv, write_json_line, write_table
from .pictures import STDIN, Stdin, pictures_of

if TYPE_CHECKING:
    from edgeconv.manifest import Manifest
    from edgeconv.runtime.results import Result
    from edgeconv.runtime.runner import Runner

SUFFIXES = (".npz", ".npy")

NPZ = "npz"
"""The format of arrays on stdout."""

BY_ROW = ("classes", "tags", "yes-no", "values", "embedding")
"""Tasks whose answers are rows of an output."""

Row = dict[str, Any]
Named = tuple[str, Any]
"""The name of a file, and what is made of the arrays that answer it."""


class ArrayOptions(NamedTuple):
    """What `predict` is asked for beside its inputs. A tuple, since every start waits for it.

    Attributes:
        model, variant, device, threads, timeout: of the runner.
        top_k, threshold: of answers by task.
        out: folder of `.npz` files, or None.
        output_format: as `--format` gave it.
    """

    model: str | None
    variant: str | None
    device: str
    threads: int | None
    top_k: int
    threshold: float | None
    timeout: float | None
    out: str | None
    output_format: str | None


def are_arrays(arguments: Sequence[str]) -> bool:
    """Tell whether all arguments name files of arrays."""
    return all(argument.lower().endswith(SUFFIXES) for argument in arguments)


def answers_with_arrays(model: str | None) -> bool:
    """Tell whether a model's answers are arrays that no task explains."""
    from edgeconv.runtime.files import read_files
    from edgeconv.runtime.loading import find_model
    from edgeconv.tasks import ANY

    return read_files(Path(model) if model else find_model()).manifest.task == ANY


def run_arrays(arguments: Sequence[str], options: ArrayOptions) -> None:
    """Run a model on files of arrays or on pictures, and write what it answers.

    A model of rows of numbers with a task answers each row by it; another one with one row a file, of its arrays.
    """
    from edgeconv.runtime.runner import Runner

    runner = Runner(
        options.model,
        variant=options.variant,
        device=options.device,
        threads=options.threads or 1,
        timeout=options.timeout,
    )
    bad: list[str] = []
    if options.output_format == NPZ:
        _write_npz(_answers(runner, arguments, options, bad, dict), options)
    elif options.out is None and _has_rows(runner.manifest):
        results = partial(_results, runner.manifest, options)
        _write_rows(runner.manifest, _answers(runner, arguments, options, bad, results), options)
    else:
        from edgeconv.runtime.array_files import checked_for_text

        _write_arrays(runner, _answers(runner, arguments, options, bad, checked_for_text), options)
    if bad:
        click.get_current_context().exit(1)


def _has_rows(manifest: Manifest) -> bool:
    """Whether each row of the one output is an answer by its task; older contracts lack the names of array models."""
    return manifest.task in BY_ROW and bool(manifest.labels or manifest.task == "embedding")


def _answers(
    runner: Runner,
    arguments: Sequence[str],
    options: ArrayOptions,
    bad: list[str],
    made_of: Callable[[dict[str, Any]], Any],
) -> Iterator[Named]:
    """Yield the name of each file and what is made of its answer; tell of those that have none, and list them."""
    from edgeconv.errors import ImageError, InferenceError, InferenceTimeoutError

    for name, read in _feeds(runner, arguments):
        try:
            answer = made_of(runner.run(read()))
        except InferenceTimeoutError:  # Other arrays would take as long.
            raise
        except (ImageError, InferenceError) as error:
            bad.append(name)
            row = failed(name, str(error))
            if chosen_format(options.output_format) == "json":
                write_json_line(row)
        else:
            yield name, answer


def _feeds(runner: Runner, arguments: Sequence[str]) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Yield the name of each file, and what reads its arrays by the names of the inputs, or prepares a picture."""
    from edgeconv.pictures.reading import read_picture
    from edgeconv.runtime.array_files import read_arrays
    from edgeconv.runtime.pipeline import for_graph, prepare_for

    def prepared(picture: str | Stdin) -> dict[str, Any]:
        pixels, spec = read_picture(picture), runner.inputs[0]
        return {spec.name: for_graph(pixels) if spec.kind == "picture" else prepare_for(runner.manifest, pixels)[None]}

    names = [spec.name for spec in runner.inputs]
    for argument in arguments:
        if are_arrays([argument]):
            yield argument, partial(read_arrays, Path(argument), names)
        else:
            for picture in pictures_of([argument]):
                yield picture if isinstance(picture, str) else STDIN, partial(prepared, picture)


def _results(manifest: Manifest, options: ArrayOptions, arrays: Mapping[str, Any]) -> Sequence[Result]:
    """Return an answer by its task for each row of the one output."""
    from edgeconv.runtime.activation import activated
    from edgeconv.runtime.answering import results_of

    outputs = activated(manifest, arrays[manifest.output.name])
    return results_of(manifest, outputs, top_k=options.top_k, threshold=options.threshold)


def _write_rows(manifest: Manifest, answers: Iterable[Named], options: ArrayOptions) -> None:
    rows = (
        {"path": name, "row": place, **result.as_dict()}
        for name, results in answers
        for place, result in enumerate(results)
    )
    chosen = chosen_format(options.output_format)
    cells = cells_of(manifest.task, manifest.labels)
    if chosen == "json":
        for row in rows:
            write_json_line(row)
    elif chosen == "csv":
        write_csv(rows, ("path", "row", *FIELDS[manifest.task]))
    else:
        table = ([row["path"], str(row["row"]), *(cell(row) for cell in cells.values())] for row in rows)
        write_table(table, ["path", "row", *cells])


def _write_arrays(runner: Runner, answers: Iterable[Named], options: ArrayOptions) -> None:
    names = [spec.name for spec in runner.outputs]
    rows = (_saved(name, arrays, options.out) for name, arrays in answers)
    chosen = chosen_format(options.output_format)
    if chosen == "json":
        for row in rows:
            write_json_line({key: _listed(value) for key, value in row.items()})
    elif chosen == "csv":
        columns = ("path", *names, *(("file",) if options.out else ()))
        write_csv(({key: _listed(value) for key, value in row.items()} for row in rows), columns)
    else:
        cells = (
            (row["path"], name, f"{row[name].dtype} {row[name].shape}", _ends(row[name]))
            for row in rows
            for name in names
        )
        write_table(cells, ("path", "output", "array", "smallest to largest"))


def _saved(name: str, arrays: Mapping[str, Any], out: str | None) -> Row:
    from edgeconv.runtime.saving import save_arrays

    file = {} if out is None else {"file": str(save_arrays(arrays, Path(out) / Path(name).stem))}
    return {"path": name, **arrays, **file}


def _write_npz(answers: Iterable[Named], options: ArrayOptions) -> None:
    """Write the arrays of the one input as an `.npz` on stdout."""
    from edgeconv.runtime.saving import npz_of

    found = list(islice(answers, 2))
    if not found:  # Why is told already.
        return
    if len(found) != 1 or options.out is not None:
        raise click.UsageError(
            "--format npz writes the arrays of one input to stdout. For several give --out DIR alone."
        )
    click.echo(npz_of(found[0][1]), nl=False)


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _ends(array: Any) -> str:
    return f"{array.min():.6g} to {array.max():.6g}" if array.size else "empty"
