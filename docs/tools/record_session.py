"""The session that the README shows: the three commands, really run, as an SVG.

    python docs/tools/record_session.py [FOLDER]

It trains on the mnist.npz of $EDGECONV_DATA. FOLDER is where it works, and keeps the artifact; else a temporary one.
"""

from __future__ import annotations

import os
import pty
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "docs" / "images" / "session.svg"
COMMANDS = ("edgeconv train", "edgeconv export --quantize", "edgeconv predict seven.png")
COLUMNS = 118
FONTS = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def main(folder: Path) -> None:
    """Run the commands in a folder that has the data and a picture, and write what a terminal would show."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    if not data.exists():
        data.symlink_to(Path(os.environ["EDGECONV_DATA"]).resolve())
    shutil.copy(ROOT / "tests" / "data" / "seven.png", folder)
    console = Console(record=True, width=COLUMNS, file=sys.stderr, force_terminal=True)
    for command in COMMANDS:
        console.print(Text("$ ", "bold green") + Text(command, "bold"))
        console.print(Text(run(command, folder).rstrip() + "\n"))
    IMAGE.write_text(as_svg(console), encoding="utf-8")


def run(command: str, folder: Path) -> str:
    """Return what a command says and answers: its stdout is a terminal, and its stderr none, so there are no bars.

    Raises:
        CalledProcessError: the command failed.
    """
    master, terminal = pty.openpty()
    environment = {**os.environ, "EDGECONV_DATA": "data", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        command.split(), cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE
    )
    os.close(terminal)
    assert process.stderr is not None
    said = b""
    with selectors.DefaultSelector() as selector:
        for stream in (master, process.stderr.fileno()):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                part = _read(key.fd)
                said += part
                if not part:
                    selector.unregister(key.fd)
    os.close(master)
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command, said)
    return said.decode().replace("\r\n", "\n")


def as_svg(console: Console) -> str:
    """Return the recorded lines as an SVG that needs no font of the net's."""
    form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = re.sub(r"font-family: (Fira Code, monospace|arial);", f"font-family: {FONTS};", form)
    return console.export_svg(title="edgeconv", code_format=form, unique_id="session")


def _read(stream: int) -> bytes:
    try:
        return os.read(stream, 1 << 16)
    except OSError:  # A terminal whose other end is closed.
        return b""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else temporary))
