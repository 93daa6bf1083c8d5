"""`edgeconv predict` of a folder beside decoding its pictures alone, in turn, as whole processes.

    python tests/benchmarks/bench_folder.py [--photographs 200] [--digits 5000] [--rounds 3]

Photographs are JPEGs of 12 megapixels, digits are PNGs of 28x28 pixels. Decoding alone is Pillow's `Image.load`, in two
threads as `predict` has them, and in one. A share is the time of decoding over that of `predict`: 1 is where all else
costs nothing. Peak memory is given for a quarter of the pictures too, for it must not grow with them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
"""Of the user who sets nothing."""

DECODE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from PIL import Image

def load(path):
    with Image.open(path) as image:
        image.load()

paths = sorted(Path(sys.argv[2]).iterdir())
if sys.argv[1] == "1":
    for path in paths:
        load(path)
else:
    with ThreadPoolExecutor(int(sys.argv[1])) as threads:
        list(threads.map(load, paths))
"""

TINT = (1.0, 0.98, 0.94)
"""Red, green and blue of the paper, as shares of its light."""

DISTINCT = 8
"""Pictures that are drawn; the others are further names of the same files."""

SAMPLES = Path(__file__).parents[2] / "exported" / "mnist-reference" / "samples.npz"


def photograph(digit: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """Draw a digit, uint8, (28, 28), on paper in uneven light, with a sensor's noise: 4000x3000 pixels, RGB."""
    ink = np.asarray(Image.fromarray(digit).resize((2400, 2400), Image.Resampling.BICUBIC), np.float32) / 255
    light = np.linspace(220, 170, 4000, dtype=np.float32)
    grey = np.repeat(light[None], 3000, axis=0)
    grey[300:2700, 800:3200] *= 1 - 0.8 * ink
    grey += rng.standard_normal(grey.shape, np.float32) * 5
    return Image.merge("RGB", [Image.fromarray((grey * share).clip(0, 255).astype(np.uint8)) for share in TINT])


def fill(folder: Path, suffix: str, count: int, drawn: Callable[[NDArray[np.uint8]], Image.Image]) -> None:
    """Make a folder of so many pictures of the golden digits."""
    folder.mkdir()
    digits = np.load(SAMPLES)["images"][..., 0]
    for number in range(count):
        path, first = folder / f"{number:05}{suffix}", folder / f"{number % DISTINCT:05}{suffix}"
        if number < DISTINCT:
            drawn(digits[number]).save(path, quality=90)
        else:
            path.hardlink_to(first)


def draw(scratch: Path, counts: dict[str, int]) -> None:
    """Make the folders, each a second time with a quarter of its pictures."""
    rng = np.random.default_rng(0)
    for part, ending in ((1, ""), (4, "-quarter")):
        fill(scratch / f"digits{ending}", ".png", counts["digits"] // part, Image.fromarray)
        fill(
            scratch / f"photographs{ending}",
            ".jpg",
            counts["photographs"] // part,
            lambda digit: photograph(digit, rng),
        )


def run(command: list[str]) -> tuple[float, int]:
    """Return the seconds that a process took, and its peak memory in KiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} must end well. Received: exit status {process.returncode}.")
    return seconds, usage.ru_maxrss


def measure(folder: Path, rounds: int, *options: str) -> dict[str, object]:
    """Time the commands on a folder, round by round; milliseconds a picture."""
    predict = [str(Path(sys.executable).parent / "edgeconv"), "predict", *options]
    commands = {"predict": [*predict, str(folder)]}
    commands |= {f"decode_{n}_threads": [sys.executable, "-c", DECODE, str(n), str(folder)] for n in (1, 2)}
    found: dict[str, list[float]] = {name: [] for name in commands}
    peak = 0
    for _ in range(rounds):
        for name, command in commands.items():
            seconds, memory = run(command)
            found[name].append(1000 * seconds / len(list(folder.iterdir())))
            peak = max(peak, memory * (name == "predict"))
    shares = {
        f"share_of_{name}": round(median(np.divide(found[name], found["predict"])), 2) for name in list(commands)[1:]
    }
    return {
        **{f"{name}_ms": round(median(times), 3) for name, times in found.items()},
        **shares,
        "peak_mib": peak >> 10,
        "peak_mib_quarter": run([*predict, f"{folder}-quarter"])[1] >> 10,
    }


def main() -> None:
    """Make the folders, and print what came of each as JSON, a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=200)
    parser.add_argument("--digits", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.draw:
        draw(asked.draw, {"photographs": asked.photographs, "digits": asked.digits})
        return
    with tempfile.TemporaryDirectory(prefix="edgeconv-bench-") as scratch:
        # In a process of its own: the peak memory of one that starts another counts for that other too.
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--draw", scratch], check=True)
        for kind, options in (("digits", ()), ("photographs", ("--draft",)), ("photographs", ())):
            figures = measure(Path(scratch) / kind, asked.rounds, *options)
            print(json.dumps({"pictures": " ".join((kind, *options)), **figures}), flush=True)


if __name__ == "__main__":
    main()
