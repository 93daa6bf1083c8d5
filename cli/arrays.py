"""`edgeconv predict` on arrays: what a model answers to `.npz` and `.npy` files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .output import chosen_format, write_csv, write_json_line, write_table

SUFFIXES = (".npz", ".npy")


def are_arrays(arguments: Sequence[str]) -> bool:
    """Tell whether all arguments name files of arrays."""
    return all(argument.lower().endswith(SUFFIXES) for argument in arguments)


def run_arrays(
    arguments: Sequence[str],
    model: str | None,
    *,
    variant: str | None,
    threads: int | None,
    out: str | None,
    output_format: str | None,
) -> None:
    """Run a model on files of arrays, and write what it answers: one row a file, or an `.npz` a file."""
    from edgeconv.runtime.runner import Runner

    runner = Runner(model, variant=variant, threads=threads or 1)
    rows = _rows(runner, arguments, out)
    chosen = chosen_format(output_format)
    if chosen == "json":
        for row in rows:
            write_json_line({key: _listed(value) for key, value in row.items()})
    elif chosen == "csv":
        columns = ("path", *(spec.name for spec in runner.outputs), *(("file",) if out else ()))
        write_csv(({key: _listed(value) for key, value in row.items()} for row in rows), columns)
    else:
        cells = (
            (row["path"], spec.name, f"{row[spec.name].dtype} {row[spec.name].shape}", _ends(row[spec.name]))
            for row in rows
            for spec in runner.outputs
        )
        write_table(cells, ("path", "output", "array", "smallest to largest"))


def _rows(runner: Any, arguments: Sequence[str], out: str | None) -> Iterator[dict[str, Any]]:
    from edgeconv.runtime.array_files import read_arrays
    from edgeconv.runtime.saving import save_arrays

    for argument in arguments:
        answers = runner.run(read_arrays(Path(argument), [spec.name for spec in runner.inputs]))
        row = {"path": argument, **answers}
        if out is not None:
            row["file"] = str(save_arrays(answers, Path(out) / Path(argument).stem))
        yield row


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _ends(array: Any) -> str:
    return f"{array.min():.6g} to {array.max():.6g}" if array.size else "empty"
