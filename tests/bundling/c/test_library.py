from __future__ import annotations

from pathlib import Path

import pytest

from edgeconv.runtime.loading import reference_model
from tests.bundling.c.compiling import HEADERS, SANITIZED, build, run, say

NAME = "mnist_reference"


@pytest.mark.parametrize("program", ["predict", "selftest"])
def test_a_model_that_is_no_such_model_is_said(
    program: str, seven: Path, source: Path, sanitized: Path, tmp_path: Path
) -> None:
    content = (source / "model.e2e.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "text.onnx").write_text("no model")
    models = {
        tmp_path / "absent.onnx": "must be the model's file. Received: No such file or directory.",
        tmp_path: "must be the model's file. Received: Is a directory.",
        tmp_path / "empty.onnx": "The bytes of model.e2e.onnx are required. Received: none.",
        tmp_path / "cut.onnx": "ONNX Runtime must load the model. Received: ",
        tmp_path / "text.onnx": "ONNX Runtime must load the model. Received: ",
        reference_model() / "model.onnx": "The model must have `picture`, uint8 (any, any, any). Received: `image`, ",
    }
    arguments = [seven] if program == "predict" else []
    for model, words in models.items():
        assert words in say(run(sanitized / program, "--model", model, *arguments))


def test_a_prediction_leaves_no_file_in_the_home_folder(
    built: Path, seven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert run(built / "predict", seven).returncode == 0
    assert list(tmp_path.rglob("*")) == []


def test_an_older_runtime_is_said_with_both_versions(source: Path, seven: Path, tmp_path: Path) -> None:
    (tmp_path / "older.c").write_text(
        """#include <onnxruntime_c_api.h>
        static const OrtApi *none(uint32_t version) { (void)version; return NULL; }
        static const char *version(void) { return "1.17.3"; }
        const OrtApiBase *OrtGetApiBase(void) {
            static const OrtApiBase base = {none, version};
            return &base;
        }"""
    )
    library = tmp_path / "libonnxruntime.so.1.17.3"
    soname = "-Wl,-soname,libonnxruntime.so.1"
    made = run("gcc", "-shared", "-fPIC", soname, f"-I{HEADERS}", tmp_path / "older.c", "-o", library)
    assert made.returncode == 0, made.stderr
    programs = build(source, tmp_path / "build", SANITIZED, f"-DONNXRUNTIME_LIB_DIR={tmp_path}")
    words = say(run(programs / "predict", seven))
    assert words.startswith("Error: ONNX Runtime 1.")
    assert " or newer is required, whose headers this was built with. Received: 1.17.3. " in words
    assert say(run(programs / "selftest")) == words


def test_wrong_arguments_show_the_usage(built: Path) -> None:
    for command in (["predict"], ["predict", "--wrong"], ["selftest", "--wrong"], ["selftest", "--model"]):
        made = run(built / command[0], *command[1:])
        assert made.returncode == 2
        assert made.stderr.startswith(f"Usage: {command[0]} ")


def test_calls_that_cannot_be_answered_are_said(source: Path, sanitized: Path, tmp_path: Path) -> None:
    (tmp_path / "calls.c").write_text(
        f"""#include "{source}/{NAME}_answer.h"
        #include <stdio.h>
        static char error[512];
        static void call(const {NAME}_model *model, const uint8_t *pixels,
                         size_t height, size_t width, size_t channels) {{
            float p[10];
            puts({NAME}_predict(model, pixels, height, width, channels, p, 10, error, sizeof error) ? "yes" : error);
        }}
        int main(void) {{
            {NAME}_model *model = {NAME}_open("{source}/model.e2e.onnx", error, sizeof error);
            const uint8_t pixels[4] = {{0}};
            call(model, pixels, 2, 2, 1);
            call(model, pixels, 2, 1, 2);
            call(model, pixels, 0, 2, 1);
            call(model, pixels, SIZE_MAX / 2, 3, 3);
            call(model, NULL, 2, 2, 1);
            call(NULL, pixels, 2, 2, 1);
            char small[8];
            float p[10];
            {NAME}_predict(model, pixels, 2, 1, 2, p, 10, small, sizeof small);
            puts(small);
            puts({NAME}_predict(model, pixels, 2, 1, 2, p, 10, NULL, 0) ? "yes" : "no");
            puts({NAME}_predict(model, pixels, 2, 2, 1, p, 9, error, sizeof error) ? "yes" : error);
            {NAME}_close(model);
            {NAME}_close(NULL);
            puts({NAME}_open(NULL, error, sizeof error) ? "yes" : error);
        }}"""
    )
    found = f"-L{sanitized}/onnxruntime", f"-Wl,-rpath,{sanitized}/onnxruntime", "-l:libonnxruntime.so.1"
    archive = sanitized / f"lib{NAME}_model.a"
    flags = f"-std=c11 -Wall -Wextra -Wpedantic {SANITIZED}".split()
    made = run("gcc", *flags, tmp_path / "calls.c", archive, *found, "-o", tmp_path / "calls")
    assert made.returncode == 0, made.stderr
    made = run(tmp_path / "calls")
    assert made.returncode == 0, made.stderr
    shape = "A picture must have (height, width, 1, 3 or 4 channels). Received: "
    absent = "A model, pixels and room for outputs are required. Received: NULL."
    assert made.stdout.splitlines() == [
        "yes",
        f"{shape}(2, 1, 2).",
        f"{shape}(0, 2, 1).",
        f"{shape}({2**63 - 1}, 3, 3).",
        absent,
        absent,
        shape[:7],
        "no",
        "Room for 40 bytes of type 1 is required. Received: for 9 floats.",
        "The path of model.e2e.onnx is required. Received: NULL.",
    ]
