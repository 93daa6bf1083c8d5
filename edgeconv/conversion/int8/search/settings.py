"""What a candidate is made with, and what it was found to cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edgeconv.parity.intervals import Lost


@dataclass(frozen=True)
class Settings:
    """How an int8 model is made.

    Attributes:
        ranges: ``"minmax"``, ``"percentile"`` or ``"entropy"``: how the range of an activation is found; or
            ``"trained"``.
        equalized: channels are evened out between layers first.
        corrected: biases make up for the means that int8 shifts.
        rounded: weights are rounded up or down by what their layer makes of its inputs.
    """

    ranges: str = "minmax"
    equalized: bool = False
    corrected: bool = False
    rounded: bool = False

    def __str__(self) -> str:
        """Return it in words.

        Example:
            >>> str(Settings("entropy", corrected=True))
            'entropy, bias correction'
        """
        more = [
            (self.equalized, "equalization"),
            (self.corrected, "bias correction"),
            (self.rounded, "adaptive rounding"),
        ]
        return ", ".join([self.ranges, *(words for chosen, words in more if chosen)])

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON object; without `rounded` where nothing is, as files were before there was any."""
        return {name: value for name, value in asdict(self).items() if name != "rounded" or value}


@dataclass(frozen=True)
class LayerSensitivity:
    """What int8 does to the answers in one layer alone.

    Attributes:
        layer: its name.
        sqnr_db: power of the float answers over that of the difference that this layer alone makes, in dB; None where
            there is no difference.
    """

    layer: str
    sqnr_db: float | None


@dataclass(frozen=True)
class Judgement:
    """What a candidate costs.

    Attributes:
        drop: what is lost: of accuracy, percentage points; of what other tasks are judged by, percent.
        size_bytes: of its file.
        latency_us: median time of one sample on the machine that searched, in microseconds; it decides nothing.
        low, high: the 90 % interval of what is lost.
        count: samples that it was judged on.
    """

    drop: float
    size_bytes: int
    latency_us: float | None
    low: float | None = None
    high: float | None = None
    count: int = 0

    @property
    def lost(self) -> Lost:
        """What is lost, with its interval."""
        low, high = (self.drop if end is None else end for end in (self.low, self.high))
        return Lost(self.drop, low, high, self.count)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Judgement:
        """Read what `asdict` made."""
        latency = value["latency_us"]
        time = None if latency is None else float(latency)
        return cls(
            float(value["drop"]), int(value["size_bytes"]), time, value["low"], value["high"], int(value["count"])
        )
