from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.targets import target_named
from edgeconv.runtime.files import read_files
from tests.bundling.c.compiling import SANITIZED, Weird, build, configure, run

STYLE = (
    "{BasedOnStyle: LLVM, IndentWidth: 4, ColumnLimit: 0, AlignAfterOpenBracket: DontAlign, "
    "AllowShortFunctionsOnASingleLine: None}"
)


def test_ctest_runs_the_selftest_of_a_build_without_warnings(built: Path) -> None:
    made = run("ctest", "--test-dir", built, "--output-on-failure", "--verbose")
    assert made.returncode == 0, made.stdout
    assert "PASS: 16 samples; preparation within 0 of 1 grey levels" in made.stdout


def test_two_models_live_in_one_cpp_program(source: Path, tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "digits")
    bundle(tiny, target="c", out=tmp_path / "colours")
    (tmp_path / "CMakeLists.txt").write_text(
        """cmake_minimum_required(VERSION 3.21)
        project(app LANGUAGES C CXX)
        add_subdirectory(digits)
        add_subdirectory(colours)
        find_package(Threads REQUIRED)
        add_executable(app app.cpp)
        target_link_libraries(app PRIVATE mnist_reference_model tiny_model Threads::Threads)"""
    )
    (tmp_path / "app.cpp").write_text(
        """#include <mnist_reference_answer.h>
        #include <tiny_answer.h>
        #include <atomic>
        #include <cstdio>
        #include <thread>
        #include <vector>
        int main() {
            char error[512];
            auto *digits = mnist_reference_open("digits/model.e2e.onnx", error, sizeof error);
            auto *colours = tiny_open("colours/model.e2e.onnx", error, sizeof error);
            if (!digits || !colours) { std::puts(error); return 1; }
            std::vector<std::uint8_t> paper(40 * 30, 230), red(20 * 20 * 3);
            for (int y = 8; y < 32; y++) for (int x = 13; x < 17; x++) paper[y * 30 + x] = 20;
            for (std::size_t i = 0; i < red.size(); i += 3) red[i] = 250;
            std::atomic<int> ones{0}, reds{0};
            std::vector<std::thread> threads;
            for (int t = 0; t < 4; t++) threads.emplace_back([&] {
                char why[512];
                float p[MNIST_REFERENCE_LABELS], q[TINY_LABELS];
                for (int i = 0; i < 20; i++) {
                    if (mnist_reference_predict(digits, paper.data(), 40, 30, 1, p, 10, why, sizeof why))
                        ones += mnist_reference_best(p) == 1;
                    if (tiny_predict(colours, red.data(), 20, 20, 3, q, TINY_LABELS, why, sizeof why))
                        reds += tiny_best(q) == 0;
                }
            });
            for (auto &thread : threads) thread.join();
            std::printf("%d %d %s %s", ones.load(), reds.load(), mnist_reference_label(1), tiny_label(0));
            mnist_reference_close(digits);
            tiny_close(colours);
        }"""
    )
    app = build(tmp_path, tmp_path / "build", SANITIZED + " -Wall -Wextra -Wpedantic") / "app"
    made = subprocess.run([app], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert made.returncode == 0, made.stdout + made.stderr
    labels = read_files(tiny).manifest.labels
    assert made.stdout == f"80 80 1 {labels[0]}"
    assert made.stderr == ""


def test_any_name_and_labels_compile(weird: Weird, tmp_path: Path) -> None:
    folder = build(weird.folder, tmp_path / "build", "-Werror -g")
    library = tmp_path / "library.so"
    archive = folder / f"lib{weird.name}_model.a"
    found = f"-L{folder}/onnxruntime", f"-Wl,-rpath,{folder}/onnxruntime", "-l:libonnxruntime.so.1"
    whole = "-Wl,--whole-archive", archive, "-Wl,--no-whole-archive"
    made = run("gcc", "-shared", *whole, *found, "-o", library)
    assert made.returncode == 0, made.stderr
    label = ctypes.CDLL(str(library))[f"{weird.name}_label"]
    label.restype = ctypes.c_char_p
    assert tuple(label(index).decode() for index in range(1000)) == weird.labels
    assert label(-1) is None
    assert label(1000) is None


@pytest.mark.parametrize("name", ["string", "json"])
def test_a_model_named_like_a_header_compiles(name: str, context: BundleContext, tmp_path: Path) -> None:
    renamed = replace(context, manifest=replace(context.manifest, name=name))
    target_named("c").render(renamed, renamed.values(), tmp_path)
    assert (build(tmp_path, tmp_path / "build", "-Werror") / "predict").is_file()


def test_cmake_says_what_is_absent(source: Path, tmp_path: Path) -> None:
    made = configure(source, tmp_path / "a", f"-DONNXRUNTIME_INCLUDE_DIR={tmp_path}")
    assert made.returncode == 1
    words = " ".join(made.stderr.split())
    assert f"must be the folder that holds onnxruntime_c_api.h. Received: {tmp_path}." in words
    made = configure(source, tmp_path / "b", f"-DONNXRUNTIME_LIB_DIR={tmp_path}")
    assert made.returncode == 1
    words = " ".join(made.stderr.split())
    assert f"must be the folder that holds ONNX Runtime's library. Received: {tmp_path}." in words


@pytest.mark.parametrize("which", ["source", "weird"])
def test_the_code_is_laid_out_as_its_readme_says(which: str, source: Path, weird: Weird) -> None:
    tool = shutil.which("clang-format") or shutil.which("clang-format", path=Path(sys.executable).parent)
    if tool is None:
        pytest.skip("needs clang-format (pip install clang-format)")
    folder = source if which == "source" else weird.folder
    assert STYLE in " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    code = [*folder.rglob("*.c"), *folder.rglob("*.h")]
    assert len(code) == 25
    made = run(tool, "--dry-run", "-Werror", f"--style={STYLE}", *code)
    assert made.returncode == 0, made.stderr


def test_nothing_of_the_templates_is_left(weird: Weird) -> None:
    for path in (path for path in weird.folder.rglob("*") if path.is_file()):
        assert "BUNDLE" not in path.name + path.read_text(encoding="utf-8"), path.name
