"""What libraries say of damaged files does not reach stderr: each line there is ours."""

from __future__ import annotations

import io
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

resource = pytest.importorskip("resource", reason="Windows has no such limits")

FORMATS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "png": ("PNG", [{}]),
    "jpg": ("JPEG", [{}, {"progressive": True}]),
    "webp": ("WEBP", [{}]),
    "tif": ("TIFF", [{}, *({"compression": name} for name in ("tiff_lzw", "jpeg", "tiff_deflate", "group4"))]),
}
DAMAGES = 25


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, seven: Path) -> Path:
    """Return a folder of pictures with random bytes in their heads, or without their ends."""
    folder, chance = tmp_path_factory.mktemp("damaged"), random.Random(5)
    picture = Image.open(seven).convert("RGB").resize((64, 48))
    for ending, (name, ways) in FORMATS.items():
        for way, options in enumerate(ways):
            stream = io.BytesIO()
            (picture.convert("1") if "group4" in options.values() else picture).save(stream, name, **options)
            for number in range(DAMAGES):
                content = bytearray(stream.getvalue())
                for _ in range(chance.choice((1, 2, 8, 30))):
                    content[chance.randrange(4, min(300, len(content)))] = chance.randrange(256)
                cut = chance.randrange(8, len(content)) if number % 5 == 0 else len(content)
                (folder / f"{way}-{number}.{ending}").write_bytes(content[:cut])
    return folder


def _predict(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    code = "from edgeconv.cli.main import main; main()"
    command = [sys.executable, "-P", "-c", code, "predict", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.skipif(sys.platform != "linux", reason="libtiff is found by Linux' list of mapped files")
def test_damaged_pictures_say_nothing_but_their_errors(tiny: Path, damaged: Path) -> None:
    """Starts a process, since native code writes to its stderr."""
    done = _predict("--model", str(tiny), str(damaged))
    lines = done.stderr.splitlines()
    assert [line for line in lines if not line.startswith("Error: ")] == []
    assert len(lines) == done.stdout.count('"error": ') > 100


@pytest.mark.skipif(sys.platform != "linux", reason="libtiff is found by Linux' list of mapped files")
def test_damaged_pictures_write_nothing_in_a_program_either(tiny: Path, damaged: Path, tmp_path: Path) -> None:
    """Neither libtiff nor Pillow's warnings; a filter of the program's own shows these."""
    program = tmp_path / "program.py"
    program.write_text(
        """
import sys, warnings
if sys.argv[3:]:
    warnings.simplefilter("always")
from pathlib import Path
from edgeconv.runtime.predictor import Predictor
answers = Predictor(sys.argv[1]).predict_many(sorted(Path(sys.argv[2]).iterdir()))
print(sum(answer.error is not None for answer in answers))
"""
    )
    for more in ([], ["shown"]):
        command = [sys.executable, "-P", str(program), str(tiny), str(damaged), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(done.stdout) > 100
        assert ("PIL" in done.stderr) is bool(more)
        assert more or not done.stderr


def test_a_model_that_fails_says_so_once(tmp_path: Path, seven: Path) -> None:
    """ONNX Runtime logs in colours what it raises too."""
    pytest.importorskip("onnx", reason="needs the extra `train`")
    from tests.hostile import GRAPHS

    done = _predict("--model", str(GRAPHS["a large Expand"](tmp_path / "model.onnx")), str(seven))
    assert [line[:7] for line in done.stderr.splitlines()] == ["Error: "]
    assert "\x1b" not in done.stderr


def test_a_limit_on_the_size_of_files_leaves_what_was_there(tmp_path: Path, tiny: Path) -> None:
    """`ulimit -f` ends a process by a signal where nobody ignores it, as Python does."""
    pytest.importorskip("onnx", reason="needs the extra `train`")
    import numpy as np

    from tests.hostile import graph_of, output, write

    model = write(
        tmp_path / "model.onnx",
        graph_of(np.zeros((1, 2**20), np.float32), (1, 2**20)),
        output(kind="tensor", task="any"),
    )
    out = tmp_path / "out"
    out.mkdir()
    old = out / "x.npz"
    old.write_bytes(b"old")
    np.save(tmp_path / "x.npy", np.zeros((1, 12, 12, 3), np.uint8))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))

    done = _predict("--model", str(model), str(tmp_path / "x.npy"), "--out", str(out), preexec_fn=limit)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "File too large. Make room, or write elsewhere: what was there is as it was." in done.stderr
    assert [(path.name, path.read_bytes()) for path in out.iterdir()] == [("x.npz", b"old")]
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
