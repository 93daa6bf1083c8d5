"""Trains in a process of its own, for the tests that stop it. Prints what it hears.

    python -m tests.training.child DATASET OUT SLOW_EPOCH [resume]

From epoch SLOW_EPOCH on (0: never) every step takes long enough to be interrupted in the middle of an epoch.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edgeconv.progress import Advance
from edgeconv.training import train
from tests.training.conftest import SMALL


class Printer:
    def __init__(self, slow_epoch: int) -> None:
        self.slow_epoch = slow_epoch

    def say(self, message: str) -> None:
        print(message, flush=True)

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Advance]:
        epoch, done = int(description.split()[1].split("/")[0]), 0

        def advance(steps: int, status: str) -> None:
            nonlocal done
            done += steps
            print(f"{description}: {done} of {total}, {status}", flush=True)
            if self.slow_epoch and epoch >= self.slow_epoch:
                time.sleep(0.5)

        yield advance


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell may have started us with SIGINT ignored.
    dataset, out, slow_epoch, *rest = sys.argv[1:]
    train(dataset, config=SMALL, out=out, resume="resume" in rest, progress=Printer(int(slow_epoch)))
