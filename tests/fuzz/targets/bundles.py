"""Pictures, as the decoders of bundles read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from hypothesis import strategies as st

from edgeconv.bundling.bundler import bundle
from edgeconv.runtime.loading import reference_model
from tests.bundling.c.compiling import HEADERS, SANITIZED, build
from tests.bundling.python.running import load
from tests.fuzz.asking import reader_of
from tests.fuzz.damage import damaged
from tests.fuzz.target import Reader, Target
from tests.fuzz.targets import pictures

READ_BY_ALL = [content for content in pictures.FILES if content.startswith((b"\x89PNG", b"\xff\xd8"))]
DAMAGED = st.one_of(damaged(READ_BY_ALL), pictures.damaged_chunks())

NODE = """
import { createInterface } from "node:readline";
import { InputError, open } from "./index.mjs";
import { readPicture } from "./pictures.mjs";
const model = await open();
for await (const path of createInterface({ input: process.stdin })) {
  try {
    await model.predict(await readPicture(path));
    console.log("answered");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(`Error: ${path}: ${error.message}`);
    console.log("refused");
  }
}
"""

C = """
#define main unused_main
#include "predict_files.c"
#undef main
int main(void) {
    char error[1000], path[4096];
    mnist_reference_model *model = mnist_reference_open(MODEL_FILE, error, sizeof error);
    while (model != NULL && fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\\n")] = '\\0';
        const char *became = predict(model, path) ? "answered" : "refused";
        fflush(stderr);
        puts(became);
        fflush(stdout);
    }
    mnist_reference_close(model);
    return 0;
}
"""
"""Takes the place of the program's `main`, whose function `predict` it calls."""


def _bundle(target: str, folder: Path) -> Path:
    return bundle(reference_model(), target=target, out=folder / target).path


def _open_python(folder: Path) -> Reader:
    package = load(_bundle("python", folder))
    return Reader(package.Model().predict, (package.InputError,))


def node_reader(app: Path) -> Reader:
    """Return the reader of a bundle that is installed."""
    (app / "fuzz.mjs").write_text(NODE)
    return reader_of(["node", "fuzz.mjs"], app)


def _open_node(folder: Path) -> Reader:
    app = _bundle("node", folder)
    install = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=app, check=True, capture_output=True)
    return node_reader(app)


def c_reader(source: Path, folder: Path) -> Reader:
    """Return the reader of a bundle's sources, compiled with what finds wrong uses of memory."""
    copy = Path(shutil.copytree(source, folder / "sanitized"))
    (copy / "program" / "predict.c").rename(copy / "program" / "predict_files.c")
    (copy / "program" / "predict.c").write_text(C)
    built = build(copy, copy / "build", SANITIZED, "-DCMAKE_BUILD_TYPE=Debug")
    return reader_of([built / "predict"], built)


def _lacking(*tools: str) -> str | None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else None


def _c_needs() -> str | None:
    return _lacking("cmake", "gcc") or (None if HEADERS else "ONNXRUNTIME_INCLUDE_DIR does not name C headers")


TARGETS = (
    Target("bundle-python", "picture", pictures.DAMAGED, _open_python, corpus="pictures"),
    Target(
        "bundle-node",
        "picture",
        DAMAGED,
        _open_node,
        corpus="pictures",
        needs=lambda: _lacking("node", "npm"),
        apart=True,
    ),
    Target(
        "bundle-c",
        "picture",
        DAMAGED,
        lambda folder: c_reader(_bundle("c", folder), folder),
        corpus="pictures",
        needs=_c_needs,
        apart=True,
    ),
)
