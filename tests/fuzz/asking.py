"""A program that reads one file after the other: it gets a path a line, and says what became of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.fuzz.target import Reader

ANSWERED, REFUSED = "answered", "refused"
"""The last line about each file; an error stands in a line before the second."""


class RefusedError(Exception):
    """What a program said of a file that it did not answer."""


class DiedError(Exception):
    """A program ended over a file."""


class Program:
    """A program that is alive, and started anew where a file ended it.

    Args:
        command: starts it.
        folder: its working directory.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path) -> None:
        self._command, self._folder = [str(part) for part in command], folder
        self._start()

    def _start(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    @property
    def id(self) -> int:
        return self._process.pid

    def ask(self, path: Path) -> None:
        """Let a file be read.

        Raises:
            RefusedError: it is refused; what was said.
            DiedError: the program ended.
        """
        try:
            said = self._answer(path)
        except BaseException:
            self.close()
            self._start()
            raise
        if said[-1] == REFUSED:
            raise RefusedError("\n".join(said[:-1]))

    def _answer(self, path: Path) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        said: list[str] = []
        try:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            said.append("it was gone before")
        while not said or said[-1] not in {ANSWERED, REFUSED}:
            line = self._process.stdout.readline()
            if not line:
                raise DiedError(f"code {self._process.wait()}: {_telling(said)}")
            said.append(line.rstrip("\n"))
        return said

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def reader_of(command: Sequence[str | Path], folder: Path) -> Reader:
    """Return a program as the reader of a target."""
    program = Program(command, folder)
    ask: Callable[[Path], None] = program.ask
    return Reader(ask, (RefusedError,), lambda: program.id, program.close)


def _telling(said: Sequence[str]) -> str:
    """Return the lines that say most of the end of a program: a sanitizer's summary, or its last words."""
    return next((line for line in said if "SUMMARY" in line or "runtime error" in line), " / ".join(said[-8:]))
