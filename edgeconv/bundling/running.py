"""Run a bundle as its users will, in its own language, over many images: for its row in the parity ledger.

Every bundle's self-test answers any file of samples and prints a JSON row for each; that is all that is needed here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.bundling.browser import rows_of_page
from edgeconv.bundling.context import MODEL_FILE
from edgeconv.bundling.inventory import read_inventory
from edgeconv.bundling.selftest import Limit, SelftestSample, encode
from edgeconv.bundling.targets import target_named
from edgeconv.errors import ConfigError, InferenceError
from edgeconv.tasks import CLASSES

LONGEST_SECONDS = 600

Rows = Iterable[dict[str, Any]]


@dataclass(frozen=True)
class RunnableBundle:
    """A bundle that is built, and can be run here.

    Attributes:
        target: what it is for.
        path: its folder.
        size_bytes: of the model in it.
        labels: of the model in it.
    """

    target: str
    path: Path
    size_bytes: int
    labels: tuple[str, ...]
    _encode: Callable[[list[SelftestSample]], bytes]
    _rows_of: Callable[[bytes], Rows]

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer prepared images.

        Args:
            images: uint8, (batch, height, width, channels), 0-255.

        Returns:
            Probabilities, float32, (batch, classes).

        Raises:
            InferenceError: the bundle does not answer; it may not be built yet.
        """
        unknown = np.zeros((1, len(self.labels)), np.float32)
        samples = [SelftestSample((image,), (unknown, image[None])) for image in images]
        rows = self._rows_of(self._encode(samples))
        answers = [row["outputs"]["probabilities"] for row in rows]
        if len(answers) != len(images):
            raise InferenceError(
                f"`{self.path}` must answer each of {len(images)} images. Received: {len(answers)} answers. "
                "Build it first, with the commands of its README."
            )
        return np.asarray(answers, np.float32)


def runnable(folder: Path) -> RunnableBundle:
    """Return a bundle that can be run here.

    Raises:
        ArtifactError: the folder is no bundle.
        ConfigError: bundles of its target do not run by themselves.
    """
    inventory = read_inventory(folder)
    target = target_named(inventory["target"])
    assets = folder / target.assets
    if target.selftest is not None:
        rows_of = _of_process(folder, target.selftest)
    elif target.selftest_page:
        rows_of = partial(rows_of_page, assets)
    else:
        raise ConfigError(
            f"`bundle` must be one that runs by itself: python, node, web or c. Received: {target.name}. Leave it out."
        )
    answers = inventory["interface"]["answers"]
    if answers != CLASSES:
        raise ConfigError(
            f"`bundle` must be one that answers classes of pictures. Received: `{folder}`, which answers {answers}. "
            "Run its own self-test."
        )

    def encoded(samples: list[SelftestSample]) -> bytes:
        limits = Limit(1.0), Limit(255.0)  # Never mind what is off: the answers are all that is looked at.
        fingerprint = inventory["selftest"]["fingerprint"]
        return encode(samples, limits, fingerprint)

    size = (assets / MODEL_FILE).stat().st_size
    return RunnableBundle(target.name, folder, size, tuple(inventory["model"]["labels"]), encoded, rows_of)


def _of_process(folder: Path, command: tuple[str, ...]) -> Callable[[bytes], Rows]:
    def rows_of(samples: bytes) -> Rows:
        with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
            file = Path(scratch) / "images.bin"
            file.write_bytes(samples)
            # Python writes no bytecode beside the bundle's files.
            program = (sys.executable, "-B") if command[0] == "python" else command[:1]
            try:
                done = subprocess.run(
                    [*program, *command[1:], str(file), "--rows"],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    encoding="utf-8",
                    timeout=LONGEST_SECONDS,
                    check=False,  # The self-test fails here: the reference's probabilities are not known to it.
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise InferenceError(
                    f"`{folder}` must run `{' '.join(command)}`. Received: {error}. "
                    "Build it first, with the commands of its README."
                ) from error
        try:
            return [json.loads(line) for line in done.stdout.splitlines()]
        except ValueError as error:
            raise InferenceError(
                f"`{folder}` must print a JSON row for each image. Received: {done.stdout[:100]!r}. "
                "Make the bundle again."
            ) from error

    return rows_of
