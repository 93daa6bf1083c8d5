"""Names of classes, in a text file."""

from __future__ import annotations

from edgeconv.datasets.labels import read_labels
from tests.fuzz.damage import damaged
from tests.fuzz.target import Reader, Target
from tests.fuzz.texts import tables

LINES = ("red", "0 red", "1: green", "9" * 5000 + " a", "2 \0", "\u202e", "", " ", "²  x")
DAMAGED = tables(("\n", " ", ","), LINES) | damaged([b"red\ngreen\n", b"0 red\n1 green\n"])

TARGET = Target("labels", "labels.txt", DAMAGED, lambda _: Reader(lambda path: read_labels(str(path))), corpus="labels")
