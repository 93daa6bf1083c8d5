from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversion.detection import shapes


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a detector of squares and discs; its training takes some ten seconds."""
    pytest.importorskip("keras", reason="needs the extra `train`")
    return shapes.save(shapes.train(shapes.detector()), tmp_path_factory.mktemp("detector") / "shapes.keras")
