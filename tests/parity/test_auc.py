"""The area under the ROC curve, beside all pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.auc import area_under_curve


@pytest.mark.parametrize("steps", [2, 5, 1000])
def test_it_is_the_share_of_pairs_in_order_with_ties_as_half(steps: int) -> None:
    rng = np.random.default_rng(steps)
    scores, right = rng.integers(0, steps, 80) / steps, rng.integers(0, 2, 80).astype(bool)
    yes, no = scores[right][:, None], scores[~right][None]
    assert area_under_curve(scores, right) == pytest.approx(((yes > no) + 0.5 * (yes == no)).mean())


def test_of_one_kind_alone_there_is_none() -> None:
    assert area_under_curve(np.arange(3.0), np.ones(3, bool)) is None
