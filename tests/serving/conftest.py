from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeconv.runtime.loading import reference_model
from tests.serving.running import Server, serving

pytest.importorskip("uvicorn", reason="needs the extra `serve`")


@pytest.fixture(scope="session")
def server(tiny: Path) -> Iterator[Server]:
    """Return a server of the shipped model, `digits`, and of the three colours, `colours` and `spare`."""
    with serving(f"digits={reference_model()}", f"colours={tiny}", f"spare={tiny}") as running:
        yield running
