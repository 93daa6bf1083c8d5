"""How surely a loss is known: what a sample of so many inputs can tell."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.accuracy import within

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

Z90 = 1.6448536269514722
"""The 95 % point: each end of the interval of a loss is passed in one sample of twenty."""

GROUPS = 20
T90 = 1.729
"""The 95 % point of Student's distribution of 19 degrees of freedom, one less than there are groups."""


class Lost(NamedTuple):
    """What is lost, with its 90 % interval, all in percent or percentage points.

    Attributes:
        percent: what is lost on the sample.
        low: lower end: with 95 % confidence more is lost.
        high: upper end: with 95 % confidence less is lost.
        samples: inputs that it was seen on.
    """

    percent: float
    low: float
    high: float
    samples: int = 0

    @classmethod
    def exactly(cls, percent: float) -> Lost:
        """Return a loss of which there is no doubt."""
        return cls(percent, percent, percent)

    def holds(self, limit: float) -> bool:
        """Whether no more than a limit is lost, as far as the sample can tell; of a limit of 0, nothing at all.

        Example:
            >>> Lost(0.8, 0.1, 2.0).holds(0.2), Lost(0.8, 0.1, 2.0).holds(0.0)
            (True, False)
        """
        return within(self.percent, limit) or (limit > 0.0 and within(self.low, limit))

    def scaled(self, factor: float) -> Lost:
        """Return it in a unit of another size."""
        return self._replace(percent=self.percent * factor, low=self.low * factor, high=self.high * factor)

    def sentence(self, limit: float) -> str:
        """Say what the sample leaves open, where it decides; else nothing."""
        if within(self.percent, limit) or not self.holds(limit):
            return ""
        return (
            f"{self.samples:,} samples cannot tell that from {limit:g}: it may be {self.low:.2g} to {self.high:.2g}, "
            f"and some {self.needed(limit):,} would tell"
        )

    def needed(self, limit: float) -> int:
        """Return how many inputs have an interval whose half is as wide as the limit: widths fall with the root."""
        return math.ceil(self.samples * ((self.percent - self.low) / max(limit, 1e-3)) ** 2)


def wilson(right: int, count: int, z: float = Z95) -> tuple[float, float]:
    """Return the score interval of a share, of 95 % (E. B. Wilson, JASA 22, 1927).

    Example:
        >>> low, high = wilson(99, 100)
        >>> round(low, 3), round(high, 3)
        (0.946, 0.998)
    """
    share, z2 = right / count, z**2 / count
    centre = (share + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * math.sqrt(share * (1 - share) / count + z2 / (4 * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy_lost(right: NDArray[np.bool_], reference: NDArray[np.bool_], z: float = Z90) -> Lost:
    """Return the accuracy that a stage loses against another on the same images, in percentage points.

    The interval of a difference of two paired shares is that of R. G. Newcombe, "Improved confidence intervals for the
    difference between binomial proportions based on paired data", Statistics in Medicine 17, 1998, method 10.

    Args:
        right: which images the stage answers rightly.
        reference: which the reference does.
        z: the point of the normal distribution at the upper end.
    """
    count = len(right)
    both, alone = int((right & reference).sum()), int((reference & ~right).sum())
    gained = int((right & ~reference).sum())
    phi = _correlation(both, alone, gained, count - both - alone - gained)
    return _shares_lost(both + alone, both + gained, count, phi, z)


def unpaired_accuracy_lost(accuracy: float, reference: float, count: int, z: float = Z90) -> Lost:
    """Return what an accuracy loses against one that was taken earlier, image by image unknown, in percentage points.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17,
    1998, method 10.

    Args:
        accuracy: share of right answers, 0 to 1.
        reference: the same.
        count: images that each was taken on.
        z: the point of the normal distribution at the upper end.
    """
    return _shares_lost(round(reference * count), round(accuracy * count), count, 0.0, z)


def _shares_lost(right_before: int, right_after: int, count: int, phi: float, z: float) -> Lost:
    before, after = right_before / count, right_after / count
    (low1, high1), (low2, high2) = wilson(right_before, count, z), wilson(right_after, count, z)

    def half(here: float, there: float) -> float:
        return math.sqrt(max(0.0, here**2 - 2.0 * phi * here * there + there**2))

    drop = before - after
    low, high = drop - half(before - low1, high2 - after), drop + half(high1 - before, after - low2)
    return Lost(100.0 * drop, 100.0 * low, 100.0 * high, count)


def flips_lost(flips: NDArray[np.bool_]) -> Lost:
    """Return the share of answers that flip, in percent, with Wilson's interval."""
    number, count = int(flips.sum()), len(flips)
    low, high = wilson(number, count, Z90)
    return Lost(100.0 * number / count, 100.0 * low, 100.0 * high, count)


def _correlation(both: int, alone: int, gained: int, neither: int) -> float:
    """Return Newcombe's coefficient of correlation, with his correction for continuity."""
    count, product = both + alone + gained + neither, both * neither - alone * gained
    if product > 0:
        product = max(0, product - count // 2)
    ends = (both + alone) * (gained + neither) * (both + gained) * (alone + neither)
    return product / math.sqrt(ends) if ends else 0.0


def jackknife(of: Callable[[NDArray[np.intp]], float], count: int) -> Lost:
    """Return a loss with the interval of the delete-a-group jackknife, of any figure.

    Each of 20 groups of samples is left out in turn: M. H. Quenouille, Biometrika 43, 1956; J. W. Tukey, Annals of
    Mathematical Statistics 29, 1958; P. S. Kott, Journal of Official Statistics 17, 2001.

    Args:
        of: computes what is lost, in percent, on some of the samples, by their numbers.
        count: how many there are.
    """
    everything = np.arange(count)
    percent, groups = of(everything), min(GROUPS, count)
    if groups < 2:
        return Lost(percent, percent, percent, count)
    parts = np.array([of(everything[everything % groups != group]) for group in range(groups)])
    half = T90 * math.sqrt((groups - 1) / groups * float(np.square(parts - parts.mean()).sum()))
    return Lost(percent, percent - half, percent + half, count)
