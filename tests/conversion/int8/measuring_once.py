"""Measure the ranges of a small network on the images of a path, and tell the peak memory of the process.

Run as a script by `test_memory`: ``python measuring_once.py PATH COUNT CACHE``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgeconv.conversion.int8.calibration import read_calibration
from edgeconv.conversion.int8.measuring import measure
from edgeconv.conversion.int8.quantizing import prepare
from edgeconv.conversion.keras.ports import Port
from edgeconv.preparation import Preparation
from tests.conversion.int8.networks import convnet

SIDE = 32

if __name__ == "__main__":
    port, preparation = Port("image", "uint8", (SIDE, SIDE, 3)), Preparation("resize", SIDE, SIDE, 3)
    images = read_calibration(Path(sys.argv[1]), [port], preparation, size=int(sys.argv[2]), seed=0)
    found = measure(prepare(convnet(side=SIDE)), images, cache=Path(sys.argv[3]))
    # Not `getrusage`: its peak is handed down from the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii").split()
    print(found.count, int(status[status.index("VmHWM:") + 1]) / 1024)
