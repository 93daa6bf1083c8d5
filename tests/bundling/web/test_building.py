"""The bundle's own commands, and the form of its code."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests import variations
from tests.browsing import served
from tests.bundling.web.driving import (
    POLICY,
    expect,
)
from tests.linting import check_javascript


def test_an_unbuilt_page_says_what_to_do(make_bundle: Callable[[str], Path], browser: Any, built: Path) -> None:
    with served(make_bundle("web")) as address:
        context = browser.new_context(service_workers="block")
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("alert")).to_have_text(
            "ONNX Runtime is not beside this page. Run `npm install --ignore-scripts && npm run build`."
        )
        context.close()


def test_the_build_takes_two_files_of_the_runtime_and_refuses_others(built: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in (built / "app" / "ort").iterdir()) == [
        "LICENSES.txt",
        "ort-wasm-simd-threaded.wasm",
        "ort.wasm.bundle.min.mjs",
    ]
    for script in ("build.mjs", "runtime-files.mjs"):
        shutil.copy(built / script, tmp_path)
    shutil.copytree(built / "app", tmp_path / "app")
    done = subprocess.run(["node", "build.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ort.wasm.bundle.min.mjs is missing. Run `npm install --ignore-scripts` first.\n"
    changed = tmp_path / "node_modules" / "onnxruntime-web" / "dist"
    changed.mkdir(parents=True)
    (changed / "ort.wasm.bundle.min.mjs").write_bytes(b"alert(1)")
    done = subprocess.run(["node", "build.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not the one of onnxruntime-web 1.30.0" in done.stderr


def test_npm_start_serves_the_folder_alone(site: str, built: Path) -> None:
    def ask(path: str, **headers: str) -> tuple[int, Any]:
        try:
            with urlopen(Request(site + path, headers=headers)) as response:
                return response.status, response.headers
        except HTTPError as error:
            return error.code, error.headers

    readme = (built / "README.md").read_text()
    for path, kind in {
        "": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "ort/ort-wasm-simd-threaded.wasm": "application/wasm",
        "ort/ort.wasm.bundle.min.mjs": "text/javascript; charset=utf-8",
        "manifest.webmanifest": "application/manifest+json",
    }.items():
        status, headers = ask(path)
        assert (status, headers["Content-Type"]) == (200, kind)
        assert f"Content-Security-Policy: {headers['Content-Security-Policy']}\n" in readme
        assert ask(path, **{"If-None-Match": headers["ETag"]})[0] == 304
    for path in ("..%2fpackage.json", "%2e%2e/package.json", "..%5cpackage.json", "ort", "absent.js", "%00", "%zz"):
        assert ask(path)[0] == 404, path
    policies = {POLICY.search((built / "app" / name).read_text())[0] for name in ("index.html", "selftest.html")}
    assert len(policies) == 1
    assert headers["Content-Security-Policy"] == f"{policies.pop()}; frame-ancestors 'none'"


def test_the_code_is_formatted_and_linted(make_bundle: Callable[[str], Path]) -> None:
    """Runs prettier and eslint: four seconds."""
    check_javascript(make_bundle("web"))


@pytest.mark.parametrize(
    ("labels", "name"),
    [("quotes", "My Model 2"), ("languages", "a/b\\c\"d'e */ -->"), ("thousand", "a name that goes on, " * 9)],
)
def test_any_names_are_written_as_prettier_would(labels: str, name: str, tmp_path: Path) -> None:
    """Runs prettier and eslint: three seconds."""
    folder = variations.render("web", tmp_path, labels=variations.LABELS[labels], name=name)
    check_javascript(folder)
    assert json.loads((folder / "app" / "manifest.webmanifest").read_text())["name"]


def test_nothing_is_left_of_the_template(make_bundle: Callable[[str], Path]) -> None:
    for file in make_bundle("web").rglob("*"):
        if file.is_file():
            assert "BUNDLE_" not in file.read_bytes().decode("latin1"), file
