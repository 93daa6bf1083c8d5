"""Each call starts a process: half a second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import errands
from edgeconv.conversion.export import export
from edgeconv.conversion.isolation import Limits, run_isolated
from edgeconv.conversion.isolation.error_messages import error_from_dict
from edgeconv.conversion.isolation.exit_errors import died
from edgeconv.errors import ArtifactError, ConfigError, ConversionError, ParityError
from edgeconv.memory import memory_allowed, memory_of_machine
from edgeconv.parity.ledger import Gate, Ledger

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux'")
LEDGER = Ledger("mnist", "test", "0" * 64, (), (Gate("int8", "drop", 0.2, 0.3, False, "more"),))


class Notes:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def say(self, message: str) -> None:
        self.heard.append(message)

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Any]:
        self.heard.append((description, total))
        yield lambda steps, status: self.heard.append((steps, status))
        self.heard.append("closed")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _read(note: Path) -> int:
    """Wait for a process to write its number, and return it."""
    for _ in range(200):
        if note.exists() and note.read_text():
            return int(note.read_text())
        time.sleep(0.05)
    raise AssertionError("the process did not start")


def _ends(pid: int) -> bool:
    for _ in range(100):
        if not _lives(pid):
            return True
        time.sleep(0.05)
    return False


def test_words_and_bars_come_through_and_what_is_printed_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    notes = Notes()
    assert run_isolated(errands.tell, progress=notes, what="Telling") != os.getpid()
    assert notes.heard == ["first", ("steps", 3), (1, "one"), (2, "three"), "closed", "last"]
    assert capfd.readouterr() == ("", "print goes to stderr\n")


def test_a_bar_that_is_left_open_is_closed() -> None:
    notes = Notes()
    run_isolated(errands.leave_a_bar_open, progress=notes, what="Telling")
    assert notes.heard == [("steps", None), "closed"]


def test_the_child_has_our_paths_and_folder_and_no_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)  # It may have a relative path, which the folder would be.
    # A file beside a model does not take the place of a module.
    (tmp_path / "json.py").write_text("raise SystemExit('code of the folder was run')")
    assert run_isolated(errands.whereabouts, what="Looking") == [str(tmp_path), sys.path, []]
    assert run_isolated(errands.ask, what="Asking") == ""


def test_data_come_through(tmp_path: Path) -> None:
    value = {"number": 0.1, "words": ["\u00e4", None, True], "deep": {"ledger": LEDGER.as_dict()}}
    assert run_isolated(errands.echo, value, what="Echoing") == value
    assert run_isolated(errands.echo, tmp_path, what="Echoing") == str(tmp_path)


def test_more_than_a_line_comes_through() -> None:
    value = {"flips": [{"index": index, "label": -1} for index in range(100_000)]}
    assert run_isolated(errands.echo, value, what="Echoing") == value


def test_an_error_of_ours_arrives_as_it_was_raised() -> None:
    with pytest.raises(ParityError, match=r"^`m` must keep its answers\. Received: 7 flips\.$") as caught:
        run_isolated(errands.fail, LEDGER.as_dict(), what="Failing")
    assert caught.value.ledger == LEDGER
    assert "in fail" in str(caught.value.__cause__), "the child's traceback, for --debug"


def test_an_error_of_the_system_keeps_its_file() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        run_isolated(errands.open_nothing, what="Opening")
    assert caught.value.filename == "nothing.here"


def test_a_bug_arrives_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)^Blundering failed in its process:.*in blunder\n.*a bug of ours"):
        run_isolated(errands.blunder, what="Blundering")


@LINUX
def test_more_memory_than_the_limit_is_refused() -> None:
    limits = Limits(memory_bytes=1_000_000_000)
    text = r"^Filling must fit into 1 GB of memory\. Received: it needs more than 1 GB\. Allow more"
    with pytest.raises(ConversionError, match=text):
        run_isolated(errands.fill, 2_000_000_000, limits=limits, what="Filling")
    assert run_isolated(errands.fill, 100_000_000, limits=limits, what="Filling") == 100_000_000


def test_an_error_that_came_of_a_lack_of_memory_says_so() -> None:
    with pytest.raises(ConversionError, match=r"^Loading must fit into"):
        run_isolated(errands.wrap_memory_error, what="Loading")


def test_a_child_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """Takes its second and a half."""
    note = tmp_path / "pid"
    with pytest.raises(ConversionError, match=r"^Sleeping must end within 2 s\. Received: it was still at work"):
        run_isolated(errands.sleep, note, 60, limits=Limits(seconds=1.5), what="Sleeping")
    assert not _lives(_read(note))


@pytest.mark.parametrize(
    ("function", "argument", "text"),
    [
        (signal.raise_signal, signal.SIGKILL, "killed by SIGKILL, most likely because the system ran out of memory"),
        (signal.raise_signal, signal.SIGSEGV, r"crashed \(SIGSEGV\), a fault in native code"),
        (os._exit, 5, "ended with exit code 5"),
    ],
)
def test_a_child_that_dies_is_reported(function: Any, argument: int, text: str) -> None:
    with pytest.raises(ConversionError, match=rf"^Dying must end with an answer\. Received: its process .*{text}"):
        run_isolated(function, argument, what="Dying")


def test_temporary_files_of_a_child_that_is_killed_are_removed(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="process"):
        run_isolated(errands.litter, tmp_path / "note", what="The conversion")
    left = Path((tmp_path / "note").read_text())
    assert left.parent.name.startswith("edgeconv-")
    assert not left.parent.exists()


def test_every_exit_error_is_one_line_with_advice() -> None:
    for code in (0, 1, -int(signal.SIGABRT), -int(signal.SIGTERM), -9, -200):
        text = str(died("Converting `m`", code, Limits()))
        assert text.startswith("Converting `m` must end with an answer. Received: its process ")
        assert text.endswith(".")
        assert "\n" not in text


def test_a_process_that_the_child_left_does_not_hold_us_up(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    begin = time.monotonic()
    with pytest.raises(ConversionError, match="ended with exit code 3"):
        run_isolated(errands.leave_a_child, note, 60, what="Leaving")
    assert time.monotonic() - begin < 30
    assert _ends(_read(note))


@pytest.mark.parametrize(
    ("deadly", "errand"),
    [
        (signal.SIGINT, "sleep"),
        (signal.SIGTERM, "sleep"),
        (signal.SIGKILL, "sleep"),
        pytest.param(signal.SIGKILL, "hold_the_lock", marks=LINUX),
    ],
)
def test_the_child_ends_with_its_parent(tmp_path: Path, deadly: signal.Signals, errand: str) -> None:
    """Starts a process that starts another: one second."""
    note = tmp_path / "pid"
    program = (
        "import errands, pathlib, signal; from edgeconv.conversion.isolation import run_isolated\n"
        # What a shell starts in the background ignores it, this suite too.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"run_isolated(errands.{errand}, pathlib.Path({str(note)!r}), 60, what='Staying')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=environment)
    pid = _read(note)
    assert _lives(pid)
    parent.send_signal(deadly)
    _, words = parent.communicate(timeout=30)
    assert parent.returncode == -deadly
    assert ("KeyboardInterrupt" in words) == (deadly == signal.SIGINT)
    assert _ends(pid)


def test_a_function_of_the_main_program_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be found by its name in a module.*<lambda>"):
        run_isolated(lambda: 1, what="Nothing")


@pytest.mark.parametrize("bad", [{"memory_bytes": 0}, {"seconds": -1}, {"seconds": float("nan")}])
def test_limits_are_above_0(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must be above 0"):
        Limits(**bad)


def test_the_default_is_the_machine() -> None:
    assert Limits().bytes_in_force == memory_of_machine() >= memory_allowed() > 100_000_000


@pytest.mark.parametrize(
    "value",
    [
        {"class": "os.system", "message": "x"},
        {"class": "Ledger", "message": "x"},
        {"class": "require", "message": "x"},
        {"class": "ParityError", "message": "x", "ledger": {"rows": []}},
        {"errno": "no number", "message": "x"},
        ["ParityError", "x"],
    ],
)
def test_what_is_no_error_of_ours_is_refused(value: Any) -> None:
    message = r"(is no error of edgeconv's|must hold a parity ledger|invalid literal|no attribute)"
    with pytest.raises((ValueError, ArtifactError, AttributeError), match=message):
        error_from_dict(value)


@pytest.mark.parametrize("name", ["no_json", "a_foreign_error", "a_broken_ledger"])
def test_an_answer_that_is_none_is_an_error_of_its_own(name: str) -> None:
    with pytest.raises(ConversionError, match=r"^Answering must end with an answer\. Received: something else"):
        run_isolated(getattr(errands, name), what="Answering")


@pytest.mark.parametrize("shape", ["nothing", "a_word", "a_foreign_folder", "a_foreign_table"])
def test_an_export_that_ends_with_something_else_is_one_too(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeconv.conversion.export.export_in_child", getattr(errands, f"answer_{shape}"))
    with pytest.raises(ConversionError, match=r"^The conversion must end with an answer\. Received: something else"):
        export("any.keras")


def test_a_result_that_is_no_data_is_a_bug_of_ours() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)^Asking failed in its process:.*not JSON serializable"):
        run_isolated(errands.answer_a_set, what="Asking")


def test_the_parent_stays_light() -> None:
    """Starts two processes."""
    program = (
        "import sys, errands; from edgeconv.conversion.isolation import run_isolated; "
        "run_isolated(errands.ask, what='Asking'); "
        "print(sorted({'tensorflow', 'keras', 'onnx', 'onnxruntime', 'h5py'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"
