"""`make bench-serving`: requests a second of the server, of LitServe and of bare uvicorn, on one model, in turn.

python -m tests.benchmarks.serving [--rounds 5] [--seconds 4] [--connections 32]

A quiet machine of two cores is needed: one for the servers, one for the client.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import reference_model
from tests.pages import line

EDGECONV = [
    "-c",
    "from edgeconv.cli.main import main; main()",
    "serve",
    f"digits={reference_model()}",
    "--no-access-log",
    "--port",
]
BARE = ["-m", "tests.benchmarks.serving.bare"]
LITSERVE = ["-m", "tests.benchmarks.serving.litserving"]

AT_LEAST = {"edgeconv, raw bytes": ("LitServe, JSON", 8.0), "edgeconv, JSON": ("LitServe, JSON", 5.0)}
OF_BARE = 0.8
"""What is held to: requests a second as a multiple of a peer's, and as a share of bare uvicorn's with the session."""


class Contender(NamedTuple):
    """A server, and what it is asked."""

    server: str
    path: str
    body: bytes
    headers: dict[str, str]


def main() -> None:
    """Time all in turn, print their medians, and exit 1 where the server is slower than it is held to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    rounds: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        commands = {"edgeconv": EDGECONV, "bare": BARE, "litserve": LITSERVE}
        ports = {name: stack.enter_context(_running(command)) for name, command in commands.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contenders = _contenders()
        for number in range(options.rounds + 1):
            for name, one in contenders.items():
                found = _load(folder, ports[one.server], one, options.seconds, options.connections)
                if number:  # The first warms up.
                    rounds.setdefault(name, []).append(found)
    figures = {
        name: {key: median(row[key] for row in rows) for key in ("requests_per_second", "p50_ms", "p99_ms")}
        for name, rows in rounds.items()
    }
    print(_table(figures, options.connections))
    sys.exit(not all(list(_verdicts(figures))))


def _contenders() -> dict[str, Contender]:
    found = reference_model()
    assert found is not None
    image = np.ascontiguousarray(Samples.load(found / "samples.npz").images[:1])
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(image.shape)}
    wanted = [{"name": "probabilities", "parameters": {"binary_data": True}}]
    numbers = image.ravel().tolist()
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": 784}}], "outputs": wanted}).encode()
    raw = head + image.tobytes()
    path = "/v2/models/digits/infer"
    return {
        "edgeconv, raw bytes": Contender("edgeconv", path, raw, {"Inference-Header-Content-Length": str(len(head))}),
        "edgeconv, JSON": Contender(
            "edgeconv", path, json.dumps({"inputs": [tensor | {"data": numbers}]}).encode(), {}
        ),
        "bare uvicorn, raw bytes": Contender("bare", "/", raw, {}),
        "LitServe, JSON": Contender(
            "litserve", "/predict", json.dumps({"data": numbers}).encode(), {"Content-Type": "application/json"}
        ),
    }


@contextmanager
def _running(command: list[str]) -> Iterator[int]:
    """Start a server at a free port, and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, *command, str(port)], start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not _answers(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{command} does not start")
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _answers(port: int) -> bool:
    """Tell whether a server is there; one of ours once its models are loaded."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=5)
    except urllib.error.HTTPError as error:
        return error.code != HTTPStatus.SERVICE_UNAVAILABLE
    except OSError:
        return False
    return True


def _load(folder: Path, port: int, one: Contender, seconds: float, connections: int) -> dict[str, Any]:
    lines = [f"POST {one.path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(one.body)}"]
    lines += [f"{name}: {value}" for name, value in one.headers.items()]
    request = folder / "request"
    request.write_bytes("\r\n".join([*lines, "", ""]).encode() + one.body)
    arguments = [str(port), str(request), str(seconds), str(connections)]
    client = [sys.executable, "-m", "tests.benchmarks.serving.load", *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(client, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def _table(figures: dict[str, dict[str, float]], connections: int) -> str:
    slowest = figures["LitServe, JSON"]["requests_per_second"]
    rows = [line((f"{connections} connections", "requests/s", "of LitServe", "p50 ms", "p99 ms")), line(("---",) * 5)]
    for name, row in figures.items():
        speed = row["requests_per_second"]
        rows.append(
            line((name, f"{speed:,.0f}", f"{speed / slowest:.1f} x", f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}"))
        )
    return "\n".join(rows)


def _verdicts(figures: dict[str, dict[str, float]]) -> Iterator[bool]:
    """Say of each thing that is held to whether it is kept."""

    def held(words: str, good: bool) -> bool:
        print(f"{'kept' if good else 'MISSED'}: {words}")
        return good

    speed = {name: row["requests_per_second"] for name, row in figures.items()}
    for name, (peer, least) in AT_LEAST.items():
        yield held(f"{name}: at least {least:g} x {peer}", speed[name] >= least * speed[peer])
        yield held(f"{name}: p99 no worse than {peer}", figures[name]["p99_ms"] <= figures[peer]["p99_ms"])
    bare = speed["bare uvicorn, raw bytes"]
    yield held(f"{OF_BARE:g} of bare uvicorn with the session", speed["edgeconv, raw bytes"] >= OF_BARE * bare)


if __name__ == "__main__":
    main()
