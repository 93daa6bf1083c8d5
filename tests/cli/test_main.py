from __future__ import annotations

import errno
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from edgeconv import errors
from edgeconv.cli.main import COMMANDS, cli

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(run: Any, name: str) -> None:
    command = importlib.import_module(f"edgeconv.cli.{name}").command
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"Example: edgeconv {name}" in result.output
    assert f"`edgeconv {name}" in README
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"--{parameter.name} has no help"


def test_the_commands_are_listed_in_the_order_of_the_way(run: Any) -> None:
    listed = re.findall(r"^  (\w+)  +\S", run("--help").output, re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_version(run: Any) -> None:
    assert re.fullmatch(r"edgeconv \d+\.\d+\.\d+\n", run("--version").output)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a command which raises an error."""

    def make(error: BaseException) -> None:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(importlib.import_module("edgeconv.cli.inspect"), "command", command)

    return make


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ArtifactError("no model"), 1),
        (errors.DatasetError("no data"), 1),
        (errors.MissingDependencyError("no tensorflow"), 1),
        (errors.ConfigError("no such option"), 2),
        (errors.ParityError("a gate failed"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.png"), 1),
        (OSError(errno.EFBIG, "File too large"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_of_the_user_are_one_line_and_a_code(run: Any, failing: Any, error: BaseException, code: int) -> None:
    failing(error)
    result = run("inspect")
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert (str(error) in result.stderr) or isinstance(error, KeyboardInterrupt)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError("a bug"), KeyError("a bug")])
def test_a_bug_keeps_its_traceback(run: Any, failing: Any, error: Exception) -> None:
    failing(error)
    assert run("inspect").exception is error


def test_debug_shows_the_traceback_of_our_errors(run: Any, failing: Any) -> None:
    error = errors.ArtifactError("no model")
    failing(error)
    assert run("--debug", "inspect").exception is error


def test_every_error_of_ours_has_an_exit_code(run: Any, failing: Any) -> None:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.EdgeconvError):
            failing(error("text"))
            assert run("inspect").exit_code in {1, 2, 3}


@pytest.mark.parametrize(
    "arguments", [("fly",), ("predict",), ("predict", "--top-k", "x", "a.png"), ("train", "--arch", "x")]
)
def test_usage_errors_exit_with_2(run: Any, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [("predict", "a.png", "--model"), ("evaluate",), ("benchmark",), ("inspect",), ("bundle", "--target", "python")],
)
@pytest.mark.parametrize("name", ["my model.keras", "old.H5"])
def test_a_model_that_is_not_exported_yet_names_the_command(run: Any, arguments: tuple[str, ...], name: str) -> None:
    if arguments[0] in {"inspect", "evaluate"}:
        pytest.importorskip("onnx", reason="needs the extra `train`")
    Path(name).write_bytes(b"PK\3\4")
    result = run(*arguments, name)
    assert result.exit_code == 1
    assert f"Received: a Keras model. Convert it with `edgeconv export {shlex.quote(name)}`." in result.stderr


def test_the_group_is_what_the_entry_point_runs() -> None:
    assert isinstance(cli, click.Group)


def _started(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    # -P: the folder of the sources, where tests run, would hide the wheel.
    command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_ctrl_c_while_modules_are_imported_leaves_no_traceback() -> None:
    """Starts two processes."""
    code = (
        "import sys\nclass Pressed:\n    def find_spec(self, name, *_):\n"
        "        if name == {name!r}: raise {error}\n"
        "sys.meta_path.insert(0, Pressed())\nfrom edgeconv.cli.main import main\nmain()"
    )
    done = _started(code.format(name="click", error="KeyboardInterrupt"))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    done = _started(code.format(name="click", error="RuntimeError('a bug')"))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "RuntimeError: a bug")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such numbers")
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_closed_stream_is_no_traceback(tiny: Path, seven: Path, closed: tuple[int, ...]) -> None:
    """Starts a process."""
    code = "from edgeconv.cli.main import main; main()"

    def close() -> None:
        for number in closed:
            os.close(number)

    done = _started(code, "predict", "--model", tiny, seven, "absent.png", preexec_fn=close)
    assert done.returncode == 1
    assert ("absent.png: a picture file is required" in done.stderr) == (2 not in closed)
    assert len(done.stdout.splitlines()) == 2 * (1 not in closed)
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")
def test_a_name_of_any_bytes_can_be_told_from_the_answer(tiny: Path, seven: Path, tmp_path: Path) -> None:
    """Starts three processes."""
    name = b"caf\xe9.png"
    (tmp_path / os.fsdecode(name)).write_bytes(seven.read_bytes())
    command = [sys.executable, "-c", "from edgeconv.cli.main import main; main()", "predict", "--model", tiny, name]
    for output_format in ("json", "csv", "table"):
        done = subprocess.run([*command, "--format", output_format], capture_output=True, check=True, cwd=tmp_path)
        if output_format == "json":
            row = json.loads(done.stdout)
            assert (row["path"], bytes.fromhex(row["path_bytes"])) == ("caf\ufffd.png", name)
        else:
            assert name in done.stdout
