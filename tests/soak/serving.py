"""`make soak-serving`: ten minutes of requests to a server, bad ones among them, each answer checked.

    python -m tests.soak.serving [--seconds 600] [--requests 300000] [--connections 32]

It ends once both are reached, and fails where an answer is lost, mixed up or wrong, or where memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeconv.runtime.runner import Runner
from tests.serving.running import serving

MODEL = Path(__file__).parents[1] / "data" / "tiny"
LABELS = ("red", "green", "blue")

MOST_GROWTH = 0.05
"""Of the server's resident memory, from the first tenth, when pools and caches have filled, to the end."""

CLOSE = 1e-5
"""Of a probability: a batch may be summed in another order than a picture alone."""

IMAGES = np.random.default_rng(0).integers(0, 256, (512, 12, 12, 3), np.uint8)


@dataclass
class Soaked:
    """What came of the requests.

    Attributes:
        asked: requests by kind.
        lost: requests that were not answered.
        mixed_up: those that got the answer to another one.
        wrong: those that were answered otherwise than they should be.
        memory: of the server, in bytes, in hundredths of the way.
        seconds: that it took.
    """

    asked: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def early(self) -> float:
        """Memory after a tenth of the way, in bytes: the median of the next tenth."""
        return float(np.median(self.memory[len(self.memory) // 10 : len(self.memory) // 5 + 1]))

    @property
    def late(self) -> float:
        """Memory at the end: the median of the last tenth."""
        return float(np.median(self.memory[-max(1, len(self.memory) // 10) :]))


@dataclass(frozen=True)
class Kind:
    """A kind of request: its body and headers for a place among `IMAGES`, and whether its answer is right."""

    path: str
    make: Callable[[int], tuple[bytes, str]]
    check: Callable[[int, int, bytes], bool]
    weight: int


def kinds(expected: np.ndarray) -> dict[str, Kind]:
    """Return all kinds, good and bad."""
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 12, 12, 3]}
    wanted = [{"name": "probabilities", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": 432}}], "outputs": wanted}).encode()
    length = f"Inference-Header-Content-Length: {len(head)}\r\n"

    def close(place: int, found: Any) -> bool:
        return bool(np.allclose(found, expected[place], atol=CLOSE))

    def raw(place: int, status: int, body: bytes) -> bool:
        return status == 200 and close(place, np.frombuffer(body[-12:], np.float32))

    def listed(place: int, status: int, body: bytes) -> bool:
        return status == 200 and close(place, json.loads(body)["outputs"][0]["data"])

    def predicted(place: int, status: int, body: bytes) -> bool:
        rows = {row["label"]: row["probability"] for row in json.loads(body).get("top", ())}
        return status == 200 and close(place, [rows[label] for label in LABELS])

    def refused(with_status: int) -> Callable[[int, int, bytes], bool]:
        return lambda _, status, body: status == with_status and "error" in json.loads(body)

    def file(place: int) -> bytes:
        stream = BytesIO()
        Image.fromarray(IMAGES[place]).save(stream, "PNG")
        return stream.getvalue()

    def numbers(place: int) -> bytes:
        return json.dumps({"inputs": [tensor | {"data": IMAGES[place].ravel().tolist()}]}).encode()

    infer, predict = "/v2/models/colours/infer", "/predict?top_k=3"
    return {
        "raw": Kind(infer, lambda place: (head + IMAGES[place].tobytes(), length), raw, 60),
        "json": Kind(infer, lambda place: (numbers(place), ""), listed, 20),
        "picture": Kind(predict, lambda place: (file(place), "Content-Type: image/png\r\n"), predicted, 8),
        "cut short": Kind(infer, lambda place: (head + IMAGES[place].tobytes()[:100], length), refused(400), 3),
        "no json": Kind(infer, lambda _: (b"{", ""), refused(400), 3),
        "no model": Kind("/v2/models/none/infer", lambda place: (numbers(place), ""), refused(404), 2),
        "no picture": Kind(predict, lambda place: (file(place)[:60], ""), refused(400), 2),
        "hung up": Kind(infer, lambda place: (numbers(place), ""), listed, 2),
    }


async def soak(port: int, pid: int, *, seconds: float, requests: int, connections: int) -> Soaked:
    """Ask a server of `MODEL` until both the time and the number of requests are reached."""
    expected = Runner(MODEL).run({"image": IMAGES})["probabilities"]
    found, known, begin = Soaked(), kinds(expected), time.monotonic()
    names, weights = list(known), [kind.weight for kind in known.values()]

    def done() -> float:
        return min((time.monotonic() - begin) / seconds, found.asked.total() / requests)

    async def client(seed: int) -> None:
        chance = random.Random(seed)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (share := done()) < 1.0:
            if share * 100 >= len(found.memory):
                found.memory.append(_resident(pid))
            name, place = chance.choices(names, weights)[0], chance.randrange(len(IMAGES))
            kind = known[name]
            body, headers = kind.make(place)
            head = f"POST {kind.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
            found.asked[name] += 1
            if name == "hung up":
                writer.write(head.encode() + body[: chance.randrange(len(body))])
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                continue
            writer.write(head.encode() + body)
            try:
                status, answer = await asyncio.wait_for(_answer(reader), 60)
                if not kind.check(place, status, answer):
                    others = any(kind.check(other, status, answer) for other in range(len(IMAGES)))
                    (found.mixed_up if others else found.wrong).append(f"{name} {place}: {status} {answer[:200]!r}")
            except (ValueError, KeyError) as error:
                found.wrong.append(f"{name} {place}: {error!r}")
            except (OSError, EOFError, TimeoutError) as error:
                found.lost.append(f"{name} {place}: {error!r}")
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    await asyncio.gather(*map(client, range(connections)))
    found.seconds = time.monotonic() - begin
    return found


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].split(b"\r", 1)[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def main() -> None:
    """Soak, print what was asked and the memory in tenths of the way, and exit 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.serving")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--requests", type=int, default=300_000)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    with serving(f"colours={MODEL}", "--no-access-log") as server:
        found = asyncio.run(soak(server.port, server.process.pid, **vars(options)))
        errors = [words for words in server.said if "Traceback" in words]
    counts = ", ".join(f"{count:,} {name}" for name, count in found.asked.most_common())
    bad = [*found.lost, *found.mixed_up, *found.wrong, *errors]
    growth = found.late / found.early - 1.0
    print(f"{found.asked.total():,} requests in {found.seconds:,.0f} s: {counts}")
    print(
        f"{len(found.lost)} lost, {len(found.mixed_up)} mixed up, {len(found.wrong)} wrong; "
        f"{len(errors)} errors of the server's own"
    )
    print(f"resident memory in MB, tenth by tenth: {', '.join(f'{size / 1e6:.1f}' for size in found.memory[::10])}")
    print(
        f"{found.early / 1e6:.1f} MB after a tenth of the way, {found.late / 1e6:.1f} MB at the end: {growth:+.1%}, "
        f"at most {MOST_GROWTH:+.0%}"
    )
    for words in bad[:10]:
        print(f"    {words}")
    sys.exit(bool(bad) or growth > MOST_GROWTH)


if __name__ == "__main__":
    main()
