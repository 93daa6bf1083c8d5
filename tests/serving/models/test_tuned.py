"""What `edgeconv benchmark --tune` found best for this device is what is served."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgeconv.runtime.providers import CPU
from edgeconv.runtime.tuned import fingerprint
from edgeconv.session_options import DEFAULT_OPTIONS, Tuned
from tests.serving.running import serving


@pytest.fixture
def tuned(tiny: Path, tmp_path: Path) -> Path:
    """Return an artifact that is fastest here as fp32 with two threads."""
    folder = Path(shutil.copytree(tiny, tmp_path / "tuned"))
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = Tuned("fp32", CPU, 2, DEFAULT_OPTIONS, manifest["variants"]["fp32"]["sha256"], {})
    manifest["session"] = {fingerprint(): entry.as_dict()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_it_is_served_and_said(tuned: Path, tiny: Path) -> None:
    with serving(f"tuned={tuned}", f"plain={tiny}") as running:
        found = {name: running.ask(f"/v2/models/{name}/config").json["parameters"] for name in ("tuned", "plain")}
        said = [line for line in running.said if "--tune" in line]
    assert {name: row["variant"]["string_value"] for name, row in found.items()} == {"tuned": "fp32", "plain": "int8"}
    assert said == ["`tuned` runs as `edgeconv benchmark --tune` chose for this device: fp32 on cpu, threads: 2.\n"]


def test_another_variant_leaves_it_out(tuned: Path) -> None:
    with serving(f"tuned={tuned}", "--variant", "int8") as running:
        answer = running.ask("/v2/models/tuned/config").json
        assert answer["parameters"]["variant"]["string_value"] == "int8"
        assert not any("--tune" in line for line in running.said)
