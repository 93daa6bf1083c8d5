"""Nothing that a stranger wrote steers the terminal, or breaks a table or a row."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.cli.output import printable  # noqa: E402
from tests.cli.conftest import Run  # noqa: E402
from tests.hostile import ROW, graph_of, labels, write  # noqa: E402

SEVEN = Path(__file__).parents[1] / "data" / "seven.png"

EVIL = "a\x1b[2J\x9b31m\nb\x7f\u202ec\u2028d\t\U000e0041"
SHOWN = r"a\u001b[2J\u009b31m\u000ab\u007f\u202ec\u2028d\u0009\udb40\udc41"


def _steers(text: str) -> set[str]:
    return {sign for sign in text if sign != "\n" and sign in EVIL and not sign.isprintable()}


def test_text_of_people_stays_and_what_steers_is_shown() -> None:
    assert printable(EVIL) == SHOWN
    for kept in (
        "café",
        "12\N{NARROW NO-BREAK SPACE}kB",
        "👩\N{ZERO WIDTH JOINER}🔬",
        "می\N{ZERO WIDTH NON-JOINER}خواهم",
    ):
        assert printable(kept) == kept
    assert json.loads(f'"{printable(EVIL)}"') == EVIL


@pytest.mark.parametrize("shown", ["table", "csv", "json"])
def test_labels_and_names_of_files(run: Run, tmp_path: Path, shown: str) -> None:
    picture = tmp_path / "p\x1b[2J\n.png"
    shutil.copyfile(SEVEN, picture)
    model = write(tmp_path / "model.onnx", graph_of(ROW), labels(EVIL, EVIL + "2", "c"))
    done = run("predict", "--model", model, picture, tmp_path / "absent\x1b[2J\n.png", "--format", shown)
    assert done.exit_code == 1
    assert not _steers(done.output)
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stdout.splitlines()) == 2
    if shown == "json":
        row = json.loads(done.stdout.splitlines()[0])
        assert (row["path"], row["label"]) == (str(picture), EVIL)
    else:
        assert SHOWN in done.stdout


def test_what_inspect_tells_of_a_file(run: Run, tmp_path: Path) -> None:
    model = graph_of(ROW)
    model.producer_name = model.graph.node[0].name = model.opset_import.add(version=1).domain = EVIL
    onnx.helper.set_model_props(model, {EVIL: "x"})
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    done = run("inspect", "model.onnx", "--format", "table")
    assert done.exit_code == 0
    assert not _steers(done.output)
    assert f"written by {SHOWN}" in done.stdout


@pytest.mark.parametrize(
    "damage",
    [
        lambda manifest: manifest.update(schema_version=EVIL),
        lambda manifest: manifest["output"].update(task=EVIL),
        lambda manifest: (manifest.update(name=EVIL), manifest.update(labels=[])),
        lambda manifest: manifest["variants"].clear(),
    ],
)
def test_errors(run: Run, tmp_path: Path, damage: Callable[[dict[str, Any]], object]) -> None:
    path = write(tmp_path / "m\x1b[2J\n.onnx", graph_of(ROW), damage)
    done = run("predict", "--model", path, "--variant", "int8", SEVEN)
    assert done.exit_code == 1
    assert not _steers(done.output)
    assert len(done.stderr.splitlines()) == 1
