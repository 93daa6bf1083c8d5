"""`make kills`: every command that writes, killed at each of its writes, with readers alive; then 100,000 openings.

python -m tests.kills [--each 100] [--opens 100000]
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from itertools import repeat
from multiprocessing.synchronize import Event
from pathlib import Path

from edgeconv.runtime.predictor import Predictor
from tests.kills.artifacts import make_new, make_old, what_opens, write
from tests.kills.commands import ROOT, Command, bundled, exported, measured, run, save_pictures, trained, tuned

SIGKILL = -9
TINY = ROOT / "tests" / "data" / "tiny"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.kills")
    parser.add_argument("--each", type=int, default=100, help="kills of a command, at most; none makes so many calls")
    parser.add_argument("--opens", type=int, default=100_000, help="openings beside writes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        broken = _kill_commands(Path(name), options.each) + _open_beside_writes(Path(name), options.opens)
    sys.exit(bool(broken))


def _kill_commands(root: Path, most: int) -> int:
    """Kill each command before its first call, its second one, and so on; return how many states were broken.

    Two commands at a time: each is one thread that imports and computes, for most of its time.
    """
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    commands, total = _commands(root), Counter[str]()
    print(HEAD)
    with ProcessPoolExecutor(max_workers=2) as pool:
        for command, (states, opened) in zip(
            commands, pool.map(_killed, commands, repeat(root), repeat(most)), strict=True
        ):
            counts = _counts(states, opened)
            total += counts
            print(_row(command.name, counts))
            for state in states.keys() - {"old", "new"}:
                print(f"    {state}")
    print(_row("all", total))
    return total["broken"] + total["failed"]


HEAD = f"{'command':14} {'kills':>5} {'old':>5} {'new':>5} {'broken':>6} {'opened beside':>13} {'failed':>6}"


def _counts(states: Counter[str], opened: Counter[str]) -> Counter[str]:
    broken = sum(count for state, count in states.items() if state not in {"old", "new"})
    return Counter({"old": states["old"], "new": states["new"], "broken": broken}) + opened


def _row(name: str, counts: Counter[str]) -> str:
    killed = f"{counts['kills']:5} {counts['old']:5} {counts['new']:5} {counts['broken']:6}"
    return f"{name:14} {killed} {counts['opened']:13,} {counts['failed']:6}"


def _killed(command: Command, root: Path, most: int) -> tuple[Counter[str], Counter[str]]:
    before = root / f"{command.name}-before" / "model"
    before.parent.mkdir()
    if command.over:
        if command.arguments[0]:
            _made(command.arguments[0], before)
        else:
            shutil.copytree(root / "artifact", before)
    states: Counter[str] = Counter()
    folder = root / command.name / "model"
    opened: Counter[str] = Counter()
    for number in range(1, most + 1):
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.parent.mkdir()
        if command.over:
            shutil.copytree(before, folder)
        with _Reader(folder) if command.over else nullcontext(_Reader(folder)) as reader:
            status = run(command.arguments[1], folder, kill_at=number)
        opened += reader.seen
        opened["kills"] += status != 0
        try:
            states[command.state(folder)] += 1
        except Exception as error:
            states[f"call {number}: {error}"] += 1
        if status == 0:  # It was not killed: it makes fewer calls.
            break
    return states, opened


def _made(arguments: Sequence[str], folder: Path) -> None:
    if run(arguments, folder):
        raise RuntimeError(f"edgeconv {arguments[0]} fails when nobody kills it")


def _commands(root: Path) -> list[Command]:
    data = str(save_pictures(root / "pictures.npz"))
    train = ["train", "--dataset", data, "--epochs", "1", "--depth", "1", "--out", "{folder}", "--seed"]
    artifact = root / "artifact"
    _made([*train, "0"], artifact)
    model = ["export", str(artifact / "model.keras"), "--dataset", data, "--max-drop", "100"]
    _made([*model, "--quantize"], artifact)
    here = ["benchmark", "{folder}", "--seconds", "0.01", "--max-threads", "1"]
    return [
        Command("train", ([*train, "0"], [*train, "1"]), trained),
        Command("export", ([*model, "--out", "{folder}"], [*model, "--quantize", "--out", "{folder}"]), exported),
        Command("tune", ([], [*here, "--tune"]), tuned),
        Command("benchmark", ([], [*here, "--max-batch", "1"]), measured),
        *(
            Command(f"bundle {target}", ([], ["bundle", "--target", target, "--out", "{folder}"]), bundled, over=False)
            for target in ("python", "c")
        ),
    ]


class _Reader:
    """A process that opens a folder's model for as long as the block lasts, where there is one."""

    def __init__(self, folder: Path) -> None:
        self.seen: Counter[str] = Counter()
        self._stop, self._told = multiprocessing.Event(), multiprocessing.SimpleQueue()
        self._folder = folder

    def __enter__(self) -> _Reader:
        self._process = multiprocessing.Process(target=_open_again, args=(self._folder, self._stop, self._told))
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.seen = self._told.get()
        self._process.join()


def _open_again(folder: Path, stop: Event, told: multiprocessing.SimpleQueue[Counter[str]], most: int = 0) -> None:
    seen: Counter[str] = Counter()
    while not stop.is_set() and (not most or seen.total() < most):
        if not (folder / "manifest.json").is_file():
            time.sleep(0.01)
            continue
        try:
            what_opens(folder)
            Predictor(folder).close()
            seen["opened"] += 1
        except Exception as error:
            print(f"    {error}", file=sys.stderr)
            seen["failed"] += 1
    told.put(seen)


def _open_beside_writes(root: Path, opens: int) -> int:
    """Open a model in two processes while it is exported again and again; return how many openings failed."""
    artifacts, folder = (make_old(TINY, root / "old"), make_new(TINY, root / "new")), root / "live"
    write(artifacts[0], folder)
    stop, told = multiprocessing.Event(), multiprocessing.SimpleQueue()  # type: ignore[var-annotated]
    readers = [
        multiprocessing.Process(target=_open_again, args=(folder, stop, told, opens // 2 + opens % 2)) for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    writes = 0
    while any(reader.is_alive() for reader in readers):
        writes += 1
        write(artifacts[writes % 2], folder)
    seen = sum((told.get() for _ in readers), Counter[str]())
    print(f"{seen['opened']:,} openings beside {writes:,} writes, {seen['failed']} failed")
    return seen["failed"]


if __name__ == "__main__":
    main()
