"""The search, in a process of its own."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.hunting import Hunt, hunt
from tests.fuzz.judging import MOST_SECONDS
from tests.fuzz.targets import TARGETS


def search(name: str, seconds: float, seed: int) -> Hunt:
    """Search in a process, and in another one where that dies: a file may take the whole process with it."""
    total, end = Hunt(), time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as scratch:
            folder = Path(scratch) / "files"
            folder.mkdir()
            result, died = _searched(name, folder, left, seed)
            total.examples, total.answered = total.examples + result.examples, total.answered + result.answered
            total.found |= result.found
            if died is None:
                break
            total.found[died] = died, (folder / TARGETS[name].file).read_bytes()
        seed += 1_000_000
    return total


def _searched(name: str, folder: Path, seconds: float, seed: int) -> tuple[Hunt, str | None]:
    """Return what a process found, and what it died of; of one that died the last file is its finding."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(name, folder, seconds, seed, sending))
    process.start()
    sending.close()
    path = folder / TARGETS[name].file
    try:
        while not receiving.poll(1):
            if path.exists() and time.time() - path.stat().st_mtime > 3 * MOST_SECONDS:
                process.kill()
                return Hunt(), "hangs outside of Python"
        result: Hunt = receiving.recv()
        return result, None
    except EOFError:
        process.join()
        code = process.exitcode or 0
        return Hunt(), f"dies of {signal.Signals(-code).name}" if code < 0 else f"ends with {code}"
    finally:
        process.kill()
        process.join()


def _child(name: str, folder: Path, seconds: float, seed: int, sending: Connection) -> None:
    warnings.simplefilter("ignore")
    reader = TARGETS[name].open(folder)
    try:
        sending.send(hunt(TARGETS[name], reader, folder, examples=None, seconds=seconds, first_seed=seed))
    finally:
        reader.close()
