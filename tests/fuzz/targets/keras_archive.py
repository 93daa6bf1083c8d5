"""A `.keras` file, which is looked through before Keras opens it."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import strategies as st

from edgeconv.conversion.keras.archive import check_archive
from tests.fuzz.archives import archive_of, damaged_archives, members_of
from tests.fuzz.damage import damaged
from tests.fuzz.target import TINY, Reader, Target
from tests.fuzz.texts import damaged_json

MEMBERS = members_of((TINY / "model.keras").read_bytes())
CONFIG = json.loads(MEMBERS["config.json"])

DAMAGED = st.one_of(
    damaged_archives(
        MEMBERS,
        {
            "config.json": damaged_json([CONFIG]),
            "metadata.json": damaged_json([json.loads(MEMBERS["metadata.json"])]),
        },
    ),
    damaged([archive_of(MEMBERS)]),
)


def open_reader(folder: Path) -> Reader:
    """Return what looks through Keras files; the first one imports Keras."""
    check_archive(TINY / "model.keras")
    return Reader(check_archive)


TARGET = Target("keras", "model.keras", DAMAGED, open_reader, corpus="keras")
