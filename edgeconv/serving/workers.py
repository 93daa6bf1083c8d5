"""Several processes at one port: one that dies comes back, and loses only the requests that were in its hands."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from socket import socket
from typing import cast

from prometheus_client.multiprocess import mark_process_dead

from edgeconv.serving.config import ServeConfig
from edgeconv.serving.http.access_log import say

Work = Callable[[ServeConfig, socket, bool], None]
"""Serves in a process; the last argument is whether to take connections only once every model is loaded."""

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of prometheus_client keep their figures for each other, as it reads it when it is imported."""

PAUSE_S = 1.0
"""Between the end of a process and the next one in its place, where it ended as soon as it began."""

_GRACE_MORE_S = 5.0


def supervise(config: ServeConfig, sock: socket, work: Work) -> None:
    """Run as many processes as the config says, until SIGTERM or SIGINT; SIGHUP goes to each of them.

    Args:
        config: of the server.
        sock: that listens.
        work: what each process does.
    """
    stop = threading.Event()
    figures = tempfile.TemporaryDirectory(prefix="edgeconv-metrics-", ignore_cleanup_errors=True)
    os.environ[METRICS_FOLDER] = figures.name
    running: dict[int, tuple[SpawnProcess, float]] = {}

    def start(*, others_answer: bool) -> None:
        process = _CONTEXT.Process(target=_work, args=(work, config, sock, others_answer))
        process.start()
        running[process.sentinel] = process, time.monotonic()

    def forward(number: int, _: object) -> None:
        for process, _ in list(running.values()):
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, number)

    def end(_: int, frame: object) -> None:
        stop.set()
        forward(signal.SIGTERM, frame)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, forward)
    try:
        for _ in range(config.workers):
            start(others_answer=False)
        while not stop.is_set():
            for sentinel in wait(list(running), timeout=PAUSE_S):
                process, began = running.pop(cast("int", sentinel))
                process.join()  # Its end is seen before its exit code is.
                mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
                if stop.is_set():
                    continue
                say(f"Worker {process.pid} ended with {process.exitcode}; another takes its place.")
                stop.wait(max(0.0, PAUSE_S - (time.monotonic() - began)))
                start(others_answer=config.workers > 1)
        _end(running, config.limits.grace)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        figures.cleanup()


_CONTEXT = multiprocessing.get_context("spawn")


def _work(work: Work, config: ServeConfig, sock: socket, others_answer: bool) -> None:
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    work(config, sock, others_answer)


def _end_with_the_parent() -> None:
    """End this process once nobody looks after it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _end(running: dict[int, tuple[SpawnProcess, float]], grace: int) -> None:
    """Wait until all processes have ended, and end those that take longer than they may."""
    deadline = time.monotonic() + grace + _GRACE_MORE_S
    for process, _ in running.values():
        process.terminate()  # Again, for one that was started when the signal came.
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
