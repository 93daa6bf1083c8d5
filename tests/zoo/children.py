"""Processes that are measured and held to limits of time and memory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

NICENESS = 15
ONE_THREAD = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
GIB = 1 << 30
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Limits:
    """What a process and its children may use: wall seconds, and bytes resident together."""

    seconds: float = 600.0
    memory_bytes: int = 12 * GIB


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: exit status, negative for a signal.
        over: ``"time"`` or ``"memory"`` where it was stopped at a limit, else empty.
        stdout: all of it, and
        stderr: too.
        seconds: wall time.
        cpu_seconds: processor time of the process and of the children it waited for, which a busy machine leaves alone.
        peak_bytes: the largest resident set of the process or of one of the children it waited for.
    """

    code: int
    over: str
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def cost(self) -> dict[str, Any]:
        """What it took, for the results file."""
        seconds = {"seconds": round(self.seconds, 1), "cpu_seconds": round(self.cpu_seconds, 1)}
        return {**seconds, "peak_bytes": self.peak_bytes}

    @property
    def reason(self) -> str:
        """One short line that says why it failed."""
        if self.over:
            return f"stopped at the limit of {self.over}"
        if self.code < 0:
            return f"died of {signal.Signals(-self.code).name}"
        lines = [line for line in self.stderr.strip().splitlines() if line.strip()]
        return short(lines[-1]) if lines else f"exit status {self.code}"


def short(text: str, length: int = 300) -> str:
    """Return a text as one line of at most `length` characters, without the folders of this machine."""
    line = re.sub(r"(?<![\w.-])(/[\w.-]+)+/(?=[\w.-])", "", " ".join(text.split()))
    return line if len(line) <= length else line[: length - 3] + "..."


def run(command: Sequence[str], limits: Limits) -> Ended:
    """Run a command at low priority and on one thread, from the root of the repository, within limits."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=ROOT, env=environment)
        os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
        over: list[str] = []
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(child.pid, limits, ended, over), daemon=True)
        watcher.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            _kill(child.pid)
            raise
        finally:
            ended.set()
            watcher.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        texts = _text(out), _text(err)
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Ended(child.returncode, "".join(over), *texts, seconds, cpu_seconds, _peak_bytes(usage.ru_maxrss))


def python(module: str, *arguments: str | Path, limits: Limits) -> Ended:
    """Run a module of the zoo in a fresh process of this interpreter."""
    return run([sys.executable, "-m", f"tests.zoo.{module}", *map(str, arguments)], limits)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def _peak_bytes(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024


def _watch(root: int, limits: Limits, ended: threading.Event, over: list[str]) -> None:
    """Kill a process tree at a limit. Resident memory, since TensorFlow reserves far more than it touches."""
    deadline = time.monotonic() + limits.seconds
    while not ended.wait(0.5):
        if time.monotonic() > deadline:
            over.append("time")
        elif sum(_tree(root).values()) > limits.memory_bytes:
            over.append("memory")
        if over:
            _kill(root)
            return


def _kill(root: int) -> None:
    """Kill a process and all below it, which may have left its group."""
    for process in {root, *_tree(root)}:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _tree(root: int) -> dict[int, int]:
    """Return what a process and each process below it have resident, in bytes; nothing where there is no /proc."""
    parents, resident = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            resident[int(folder.name)] = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):  # It ended meanwhile.
            continue
    tree, found = set(), {root}
    while found:
        tree |= found
        found = {process for process, parent in parents.items() if parent in found} - tree
    return {process: resident[process] for process in tree if process in resident}
