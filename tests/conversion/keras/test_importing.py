from __future__ import annotations

import gc
import importlib
import sys

import pytest

from edgeconv.conversion.isolation.running import CHILD
from edgeconv.conversion.keras import importing
from edgeconv.conversion.keras.importing import OBJECTS, frameworks_imported


@pytest.fixture(autouse=True)
def not_imported_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    monkeypatch.setattr(importing, "NOT_NEEDED", ("wave",))


def test_in_a_child_process_of_ours_keras_does_without_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(CHILD), raising=False)
    with frameworks_imported(), pytest.raises(ImportError, match="wave"):
        importlib.import_module("wave")
    assert importlib.import_module("wave"), "whoever needs it afterwards has it"


def test_elsewhere_it_finds_all_that_is_installed() -> None:
    with frameworks_imported():
        assert importlib.import_module("wave")


def test_the_search_for_garbage_is_as_it_was_afterwards() -> None:
    before = gc.get_threshold()
    during = []

    def fails() -> None:
        during.append(gc.get_threshold())
        raise ImportError("no such thing")

    with pytest.raises(ImportError, match="no such thing"), frameworks_imported():
        fails()
    assert during == [(OBJECTS, *before[1:])]
    assert gc.get_threshold() == before
