"""Variants that some processors would compute wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgeconv.errors import ProviderError
from edgeconv.manifest_blocks import Requirements
from edgeconv.runtime import fitness
from edgeconv.runtime.loading import open_model


@pytest.fixture
def picky(tiny: Path, tmp_path: Path) -> Path:
    """Return an artifact whose int8 file asks for a processor without overflows."""
    folder = Path(shutil.copytree(tiny, tmp_path / "picky"))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["variants"]["int8"]["requires"] = {"operators": "com.microsoft", "processor": fitness.NO_OVERFLOW}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_file_whose_sums_would_overflow_here_is_refused(picky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "int8_overflows", lambda: True)
    with pytest.raises(ProviderError, match=r"int8 requires a processor whose int8 sums do not overflow.*`--fast`"):
        open_model(picky, variant="int8")
    assert open_model(picky, variant="fp32").variant == "fp32"


def test_it_runs_where_they_do_not(picky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "int8_overflows", lambda: False)
    opened = open_model(picky, variant="int8")
    assert opened.variant == "int8"
    assert opened.manifest.variants["int8"].requires == Requirements(
        operators="com.microsoft", processor=fitness.NO_OVERFLOW
    )
