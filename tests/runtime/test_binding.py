"""Memory that is bound once answers as a plain call does, to each caller and each thread its own."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import InferenceError, InputError
from edgeconv.runtime import binding
from edgeconv.runtime.binding import bind
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.session import Session


@pytest.fixture
def images(tiny: Path) -> np.ndarray:
    return np.asarray(Samples.load(tiny / "samples.npz").images)


def opened(tiny: Path, **options: Any) -> Session:
    return Session((tiny / "model.onnx").read_bytes(), **options)


def asked_twice(session: Session, images: np.ndarray) -> Session:
    for image in images[:2]:
        session.run(image[None])
    return session


def test_answers_are_those_of_plain_calls_to_the_bit(tiny: Path, images: np.ndarray) -> None:
    bound = asked_twice(opened(tiny), images)
    assert bound._bound is not None
    for image in images:
        np.testing.assert_array_equal(bound.run(image[None]), opened(tiny).run(image[None]))


def test_a_program_that_asks_once_binds_nothing(tiny: Path, images: np.ndarray) -> None:
    session = opened(tiny)
    session.run(images[:1])
    assert session._bound is None


def test_each_caller_has_its_own_answer(tiny: Path, images: np.ndarray) -> None:
    session = asked_twice(opened(tiny), images)
    first = session.run(images[:1])
    kept = first.copy()
    other = session.run(images[1:2])
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(first, kept)
    other[:] = 7.0
    np.testing.assert_array_equal(session.run(images[:1]), kept)


def test_images_of_any_strides_are_copied_in_and_stay_as_they_are(tiny: Path, images: np.ndarray) -> None:
    session = asked_twice(opened(tiny), images)
    turned = np.asfortranarray(images[3:4])[:, ::-1]
    turned.flags.writeable = False
    np.testing.assert_array_equal(session.run(turned), opened(tiny).run(np.ascontiguousarray(turned)))


def test_threads_do_not_get_each_others_answers(tiny: Path, images: np.ndarray) -> None:
    session = asked_twice(opened(tiny), images)
    expected = [opened(tiny).run(image[None]) for image in images]

    def wrong(thread: int) -> int:
        places = np.random.default_rng(thread).integers(0, len(images), 400)
        return sum(not np.array_equal(session.run(images[place][None]), expected[place]) for place in places)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(wrong, range(8))) == [0] * 8
    finally:
        sys.setswitchinterval(interval)


def test_while_another_thread_is_here_nothing_is_answered(tiny: Path, images: np.ndarray) -> None:
    session = asked_twice(opened(tiny), images)
    bound = session._bound
    assert bound is not None
    with bound._lock:
        assert bound.run(images[:1]) is None
        np.testing.assert_array_equal(session.run(images[:1]), opened(tiny).run(images[:1]))
    assert bound.run(images[:1]) is not None


def test_a_wrong_array_is_refused_as_before(tiny: Path, images: np.ndarray) -> None:
    session = asked_twice(opened(tiny), images)
    with pytest.raises(InputError, match=r"`image` must be uint8 .* Received: uint8 \(1, 5, 12, 3\)"):
        session.run(images[:1, :5])
    with pytest.raises(InputError, match=r"`image` must be uint8 .* Received: float32"):
        session.run(images[:1].astype(np.float32))


def test_a_call_that_fails_is_left_to_a_plain_one(
    tiny: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = asked_twice(opened(tiny), images)
    assert session._bound is not None

    def fails(*arguments: Any) -> None:
        raise RuntimeError("an operator fails")

    monkeypatch.setattr(session._bound, "_run", fails)
    np.testing.assert_array_equal(session.run(images[:1]), opened(tiny).run(images[:1]))
    monkeypatch.setattr(session.native, "run", fails)
    with pytest.raises(InferenceError, match=r"The model must run on arrays of image\. Received: an operator fails"):
        session.run(images[:1])


def test_large_samples_and_calls_with_a_time_limit_are_not_bound(
    tiny: Path, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked_twice(opened(tiny, timeout=60.0), images)._bound is None
    native = opened(tiny).native
    answer = opened(tiny).run(images[:1])
    assert bind(native, images[:1], answer) is not None
    assert bind(native, images[:1], answer.astype(np.float64)) is None
    assert bind(native, images[:1], answer[:, :-1]) is None
    assert bind(native, images[:2], answer) is None
    monkeypatch.setattr(binding, "LARGEST", images[:1].nbytes - 1)
    assert bind(native, images[:1], answer) is None
