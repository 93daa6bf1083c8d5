from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edgeconv.parity import golden
from edgeconv.parity.comparison import Batch, ComparisonSet, fingerprint
from edgeconv.parity.golden import SAMPLES, golden_vectors
from edgeconv.parity.stage import on_images

IMAGES = np.arange(40, dtype=np.uint8)[:, None]
LABELS = np.repeat([0, 1], [35, 5])


def _scores(images: np.ndarray) -> np.ndarray:
    return np.concatenate([images, 100.0 - images], axis=1).astype(np.float32)


def test_images_have_a_fingerprint_of_their_own_or_of_their_data() -> None:
    found = ComparisonSet.of_images(IMAGES, dataset="photos", split="calibration")
    assert found.sha256 == hashlib.sha256(IMAGES.tobytes()).hexdigest()
    assert (found.count, found.labels, found.spreads) == (40, None, None)
    assert ComparisonSet.of_images(IMAGES, dataset="mnist", split="test", sha256="0").sha256 == "0"


def test_a_fingerprint_has_every_input_of_every_batch() -> None:
    first, second = Batch({"b": IMAGES, "a": IMAGES[:3]}), Batch({"a": IMAGES[:1], "b": IMAGES[:1]})
    digests = {fingerprint(batches) for batches in ([first], [second], [first, second], [second, first])}
    assert len(digests) == 4
    assert fingerprint([Batch({"a": IMAGES[:3], "b": IMAGES})]) == fingerprint([first]), "whatever their order"


def test_the_first_images_keep_their_labels_and_files() -> None:
    files = tuple(Path(f"{number}.png") for number in range(40))
    whole = ComparisonSet.of_images(IMAGES, LABELS, dataset="mnist", split="test", sha256="0", files=files)
    few = whole.first(36)
    assert (few.count, few.sha256) == (36, "0")
    np.testing.assert_array_equal(few.labels, LABELS[:36])
    assert few.files == files[:36]
    assert whole.first(None).count == 40


def test_golden_vectors_are_of_each_class() -> None:
    compared = ComparisonSet.of_images(IMAGES, LABELS, dataset="mnist", split="test")
    found = golden_vectors(compared, on_images(_scores))
    assert np.bincount(found.labels).tolist() == [SAMPLES - 5, 5]
    np.testing.assert_array_equal(found.images[:, 0], [*range(SAMPLES - 5), *range(35, 40)])
    np.testing.assert_array_equal(found.probabilities, _scores(found.images))


def test_golden_vectors_without_labels_are_the_first() -> None:
    found = golden_vectors(ComparisonSet.of_images(IMAGES, dataset="x", split="calibration"), on_images(_scores))
    np.testing.assert_array_equal(found.images, IMAGES[:SAMPLES])
    assert set(found.labels) == {-1}


def test_what_the_reference_has_answered_already_it_is_not_asked_again() -> None:
    asked = []

    def run(feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        asked.append(feeds["image"][:, 0].tolist())
        return {"scores": _scores(feeds["image"])}

    batch = Batch({"image": IMAGES[:3]}, "random inputs", {"scores": _scores(IMAGES[:3])})
    compared = ComparisonSet("", "", "", (batch,), spreads={}, draw=lambda count: {"image": IMAGES[:count]})
    found = golden_vectors(compared, run)
    np.testing.assert_array_equal(found.probabilities, _scores(IMAGES[:SAMPLES]))
    assert asked == [[*range(3, SAMPLES)]]


@pytest.mark.parametrize(
    ("more", "at_once", "expected"), [(True, 2**20, [16]), (True, 1, [3, 3, 3, 3, 3, 1]), (False, 2**20, [])]
)
def test_golden_vectors_of_random_inputs_are_drawn_and_those_of_the_user_are_kept(
    monkeypatch: pytest.MonkeyPatch, more: bool, at_once: int, expected: list[int]
) -> None:
    monkeypatch.setattr(golden, "AT_ONCE", at_once)
    sizes = []

    def run(feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        sizes.append(len(feeds["image"]))
        return {"scores": _scores(feeds["image"])}

    batches = (Batch({"image": IMAGES[:3]}, "random inputs", {"scores": _scores(IMAGES[:3])}), Batch({"image": IMAGES}))
    draw = (lambda count: {"image": IMAGES[::-1][:count]}) if more else None
    found = golden_vectors(ComparisonSet("random", "random", "", batches, spreads={"scores": 1.0}, draw=draw), run)
    np.testing.assert_array_equal(found.images, IMAGES[::-1][:SAMPLES] if more else IMAGES[:3])
    np.testing.assert_array_equal(found.probabilities, _scores(found.images))
    assert sizes == expected
    assert set(found.labels) == {-1}
