"""What ONNX Runtime's profiler writes: how long each kernel of a session ran."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from edgeconv.errors import InferenceError

_SUFFIX = "_kernel_time"


@dataclass(frozen=True)
class Kernel:
    """One node of the graph that really ran.

    Attributes:
        name: of the node.
        operator: its type, such as ``"QLinearConv"``.
        parameter_bytes: size of its weights.
        time_us: median time of a call, microseconds, whole ones as the profiler has them.
    """

    name: str
    operator: str
    parameter_bytes: int
    time_us: float


@dataclass(frozen=True)
class Run:
    """The median call of a session.

    Attributes:
        kernels: in the order in which they ran.
        time_us: of the whole call inside ONNX Runtime.
    """

    kernels: tuple[Kernel, ...]
    time_us: float


ROUNDS = 10


def profile_in_turn(openers: Sequence[Callable[[str], Any]], call: Callable[[Any], object], *, calls: int) -> list[Run]:
    """Run sessions under the profiler, in turn, so that what slows the machine for a while slows all of them.

    Args:
        openers: each opens a session of ONNX Runtime's whose profile begins with the path that it is given.
        call: calls a session once.
        calls: how often each is called; the first call of a session is not counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        sessions = [
            open_profiled(str(Path(folder) / f"profile{number}-")) for number, open_profiled in enumerate(openers)
        ]
        for session in sessions:
            call(session)
        for _ in range(ROUNDS):
            for session in sessions:
                for _ in range(-(-calls // ROUNDS)):
                    call(session)
        profiles = [Path(session.end_profiling()).read_text(encoding="utf-8") for session in sessions]
    return [read_events(json.loads(profile)) for profile in profiles]


def read_events(events: list[Mapping[str, Any]]) -> Run:
    """Return the median call of a profile.

    Raises:
        InferenceError: there is no call in it.
    """
    kernels: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_SUFFIX):
            key = (event["name"].removesuffix(_SUFFIX), event["args"].get("node_index", ""))
            kernels.setdefault(key, []).append(event)
    whole = [event["dur"] for event in events if event.get("cat") == "Session" and event["name"] == "model_run"]
    if len(whole) < 2 or not kernels:
        raise InferenceError(
            f"The profile must show two calls. Received: {len(whole)}, and {len(kernels)} nodes. Upgrade onnxruntime."
        )
    return Run(
        tuple(
            Kernel(
                name=name,
                operator=str(found[0]["args"].get("op_name", "")),
                parameter_bytes=int(found[0]["args"].get("parameter_size", 0)),
                time_us=_per_call(found, len(whole)),
            )
            for (name, _), found in kernels.items()
        ),
        float(median(whole[1:])),
    )


def _per_call(found: list[Mapping[str, Any]], calls: int) -> float:
    """Return the median time that a node takes in a call; a node inside a loop runs several times in each."""
    times = [event["dur"] for event in found]
    each, left = divmod(len(times), calls)
    if left or each == 0:  # How often it runs depends on the input: the mean is all that can be said.
        return float(sum(times) / calls)
    return float(median(sum(times[place : place + each]) for place in range(each, len(times), each)))
