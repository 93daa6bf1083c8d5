from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeconv.bundling.bundler import bundle
from edgeconv.runtime.loading import reference_model

MakeBundle = Callable[[str], Path]


@pytest.fixture(scope="session")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> MakeBundle:
    """Return a function that bundles the shipped model for a target, once a session; do not write into the folder."""
    made: dict[str, Path] = {}

    def make(target: str) -> Path:
        if target not in made:
            out = tmp_path_factory.mktemp("bundles") / target
            made[target] = bundle(reference_model(), target=target, out=out).path
        return made[target]

    return make
