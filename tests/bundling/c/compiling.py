"""Builds a bundle in C and runs its programs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HEADERS = os.environ.get("ONNXRUNTIME_INCLUDE_DIR", "")
SANITIZED = "-Werror -fsanitize=address,undefined -fno-sanitize-recover=undefined"

Run = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Weird:
    """A bundle whose names are all that a compiler could trip over: its folder, identifier and labels."""

    folder: Path
    name: str
    labels: tuple[str, ...]


def run(*command: str | Path, **environment: str) -> Run:
    # LC_ALL: the system's words for absent files.
    environment = {**os.environ, "LC_ALL": "C", **environment}
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment, timeout=300)


def configure(source: Path, build: Path, *options: str) -> Run:
    return run("cmake", "-S", source, "-B", build, f"-DPython3_EXECUTABLE={sys.executable}", *options)


def build(source: Path, build: Path, flags: str, *options: str) -> Path:
    made = configure(source, build, f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}", *options)
    assert made.returncode == 0, made.stderr
    made = run("cmake", "--build", build, "-j", "2")
    assert made.returncode == 0, made.stdout + made.stderr
    return build


def say(made: Run) -> str:
    """Return what a program that failed in words said."""
    assert made.returncode == 1, made.stdout + made.stderr
    assert "Sanitizer" not in made.stderr, made.stderr
    assert "runtime error" not in made.stderr, made.stderr
    return made.stderr
