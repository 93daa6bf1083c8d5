"""What it costs to have a variant loaded: the time of the load and the memory, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeconv.benchmarking.configurations import Configuration, Opened
from edgeconv.benchmarking.inputs import Inputs
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.session_options import SessionOptions

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")

_MINUTES = 10 * 60.0


@dataclass(frozen=True)
class Footprint:
    """The costs of one configuration.

    Attributes:
        load_ms: from the name of the file to a session that is ready, in a fresh process.
        memory_bytes: by batch size, what the process took at most beyond what it had before the load; None on a
            system that does not tell.
    """

    load_ms: float
    memory_bytes: dict[int, int | None]


def footprint_of(files: ModelFiles, configuration: Configuration, batches: Sequence[int]) -> Footprint | None:
    """Load and run a variant in a process of its own.

    Args:
        files: of the model.
        configuration: the variant and its options.
        batches: batch sizes to run, ascending, since a peak only grows.

    Returns:
        The costs, or None where the process did not come to its end, for want of memory for instance.
    """
    request = {
        "path": str(files.path.resolve()),
        "variant": configuration.variant,
        "provider": configuration.provider,
        "threads": configuration.threads,
        "options": configuration.options.as_dict(),
        "picture": configuration.picture,
        "batches": list(batches),
        "timeout": files.timeout,
    }
    # The working directory must not come first, where a file beside a model could take the place of a module.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-P", "-m", __name__, json.dumps(request)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=_MINUTES)
    except subprocess.SubprocessError:
        return None
    answer = json.loads(done.stdout)
    return Footprint(answer["load_ms"], {int(batch): peak for batch, peak in answer["memory_bytes"].items()})


def main(argument: str) -> None:
    """Be the process: load, run, and write the costs on stdout."""
    request = json.loads(argument)
    files = read_files(Path(request["path"]), request["timeout"])
    configuration = Configuration(
        request["variant"],
        request["provider"],
        request["threads"],
        SessionOptions(**request["options"]),
        None if request["picture"] is None else (int(request["picture"][0]), int(request["picture"][1])),
    )
    inputs = Inputs.of(files)
    batches = {batch: inputs.of_call(configuration.picture, batch) for batch in request["batches"]}
    before = _resident()
    start = time.perf_counter()
    opened = Opened(files, configuration)
    load_ms = 1000.0 * (time.perf_counter() - start)
    memory: dict[int, int | None] = {}
    for batch, images in batches.items():
        call = opened.call(images)
        call()
        call()  # The memory of a call is planned after the first.
        peak = _peak()
        memory[batch] = None if before is None or peak is None else max(0, peak - before)
    print(json.dumps({"load_ms": load_ms, "memory_bytes": memory}))


def _resident() -> int | None:
    """Return the memory that this process has, in bytes, and let its peak count from here."""
    with suppress(OSError):
        RESET.write_text("5", encoding="ascii")  # proc(5): resets VmHWM. Without it the peak of the imports counts.
    return _status("VmRSS") if STATUS.exists() else _most()


def _peak() -> int | None:
    return _status("VmHWM") if STATUS.exists() else _most()


def _status(key: str) -> int | None:
    """Return a figure of Linux' list: unlike `getrusage`, it is of this program, not of the one that started it."""
    for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{key}:"):
            return 1024 * int(line.split()[1])
    return None


def _most() -> int | None:
    """Return the most memory that this process ever had, on a system without Linux' list."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


if __name__ == "__main__":
    main(sys.argv[1])
