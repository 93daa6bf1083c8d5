from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

ROOT = Path(__file__).parents[3]
SIDE = 32
FEW, MANY = 200, 20_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak memory of a process"),
]


def _write(kind: str, folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    if kind == "npz":
        images = rng.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
        np.savez_compressed(folder / f"{count}.npz", images=images)
        return folder / f"{count}.npz"
    pictures = folder / str(count)
    pictures.mkdir()
    for index in range(count):
        pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{index:05}.bmp")
    return pictures


def _peak_mib(path: Path, count: int) -> float:
    """Return the peak memory of a process that measures on so many images: reading them and both passes."""
    script = Path(__file__).with_name("measuring_once.py")
    command = [sys.executable, str(script), str(path), str(count), str(path.parent / f"cache{count}")]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True)
    seen, peak = done.stdout.split()
    assert int(seen) == count
    return float(peak)


@pytest.mark.parametrize("kind", ["folder", "npz"])
def test_peak_memory_does_not_grow_with_the_images(
    kind: str, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    """Minutes. Held whole, 20,000 images are 59 MiB as uint8 and 234 as float32; names and digests a few."""
    few, many = (_peak_mib(_write(kind, tmp_path, count), count) for count in (FEW, MANY))
    record_property("peak_mib", {FEW: few, MANY: many})
    print(f"{kind}: {few:.1f} MiB at {FEW} images, {many:.1f} MiB at {MANY:,}")
    assert many < few + 20
