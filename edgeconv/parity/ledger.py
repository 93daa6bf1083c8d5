"""The parity ledger: how well every stage does on one labelled set, and whether each may stand for Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgeconv.errors import ArtifactError
from edgeconv.parity.intervals import Lost

SPREAD_GATE = "max error over spread"
"""The gate of a ledger without classes, whose differences are shares of the spread of an output."""

LOST = ", loss in percent"
"""What the name of a gate of a metric ends in."""


@dataclass(frozen=True)
class Flip:
    """An image that a stage answers otherwise than the reference.

    Attributes:
        index: of the image in the split.
        label: its true class; -1 where it is not known.
        reference: the reference's class.
        answer: the stage's class.
    """

    index: int
    label: int
    reference: int
    answer: int


@dataclass(frozen=True)
class Differences:
    """How one output of several differs from the reference's.

    Attributes:
        max_error, mean_error: largest and mean difference, as a share of the spread of the output.
        sqnr_db: power of the reference's answers over that of the differences, in dB; None where they are equal.
    """

    max_error: float
    mean_error: float
    sqnr_db: float | None


@dataclass(frozen=True)
class Row:
    """One stage on the whole set.

    Attributes:
        stage: ``"keras"``, a variant, the target of a bundle, or ``"int8 on pi4"``.
        provider: what ran it.
        count: images.
        accuracy: share of right answers, 0 to 1, and
        accuracy_low, accuracy_high: its 95 % Wilson interval; None where the labels are not known.
        agreement: share of images with the reference's class, 0 to 1.
        flips: the images without.
        max_abs_dp, mean_abs_dp: largest and mean difference of a probability from the reference's.
        sqnr_db: power of the reference's probabilities over that of the differences, in dB; None where they are equal.
        size_bytes: of the file.
        p50_latency_ms: median time of a batch of one, one thread, on the machine that made the ledger; None where it
            was not measured.
        confusion: images by (true class, answered class); empty for unlabelled data and for many classes.
        drop: percentage points of accuracy lost against the reference on the same inputs; without labels, the
            reference's answers are the truth. None where no classes were compared, and in ledgers before it was kept.
        drop_low, drop_high: the 90 % interval of the drop: Newcombe's of paired shares, without labels Wilson's.
        metrics: how well the answers fit what is known to be right, by the names in `parity.metrics.METRICS`; empty
            where classes are compared, and where nothing is known.
        outputs: of a model with several outputs: the differences of each, by its name.
    """

    stage: str
    provider: str
    count: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    agreement: float
    flips: tuple[Flip, ...]
    max_abs_dp: float
    mean_abs_dp: float
    sqnr_db: float | None
    size_bytes: int
    p50_latency_ms: float | None
    confusion: tuple[tuple[int, ...], ...]
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    outputs: Mapping[str, Differences] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {key: value for key, value in asdict(self).items() if key not in {"metrics", "outputs"} or value}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Row:
        """Read what `as_dict` wrote."""
        flips = tuple(Flip(**flip) for flip in value["flips"])
        confusion = tuple(tuple(line) for line in value["confusion"])
        outputs = {name: Differences(**each) for name, each in value.get("outputs", {}).items()}
        return cls(**{**value, "flips": flips, "confusion": confusion, "outputs": outputs})


_LEFT_OUT = ("at_least", "low", "high")
"""What is written of a gate only where it says something."""


@dataclass(frozen=True)
class Gate:
    """One condition that a stage must meet, with the value it got, and why the limit is what it is.

    The limit is the most that is allowed, or the least where the gate says `at_least`. Of what is lost, `low` and
    `high` are the ends of its 90 % interval.
    """

    stage: str
    name: str
    limit: float
    received: float
    passed: bool
    reason: str
    at_least: bool = False
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_loss(cls, stage: str, name: str, limit: float, lost: Lost, reason: str) -> Gate:
        """Return the gate of what may be lost: it fails where more is, beyond what the sample leaves open."""
        passed, doubt = lost.holds(limit), lost.sentence(limit)
        low, high = (lost.low, lost.high) if lost.samples else (None, None)
        return cls(stage, name, limit, lost.percent, passed, doubt or reason, low=low, high=high)

    @property
    def is_decision(self) -> bool:
        """Whether it holds what outputs decide: neither their error over the spread, nor what is lost of a metric."""
        return not self.is_spread and not self.name.endswith(LOST)

    @property
    def is_spread(self) -> bool:
        """Whether it holds the error of an output over its spread."""
        return self.name.startswith(SPREAD_GATE)

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as a JSON object."""
        values = asdict(self).items()
        return {
            key: value for key, value in values if key not in _LEFT_OUT or (value is not None and value is not False)
        }


@dataclass(frozen=True)
class Ledger:
    """All stages on one set, and the gates.

    Attributes:
        dataset: name of the data.
        split: ``"test"``; ``"calibration"``, ``"random"`` or ``"given"`` where no labelled data were at hand.
        sha256: fingerprint of the data.
        rows: one per stage; the first is the reference.
        gates: the conditions, each with its result.
        int8_search: the search for int8, as `SearchResult.as_dict` has it; None if there was none.
    """

    dataset: str
    split: str
    sha256: str
    rows: tuple[Row, ...]
    gates: tuple[Gate, ...]
    int8_search: Mapping[str, Any] | None = None

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)

    @property
    def in_spreads(self) -> bool:
        """Whether differences are shares of the spread of an output, and no classes were compared."""
        alone = not self.gates and self.rows[0].drop is None
        return alone or any(gate.is_spread for gate in self.gates)

    def failures(self) -> str:
        """Say in one line which gates failed."""
        failed = [gate for gate in self.gates if not gate.passed]
        return "; ".join(
            f"{gate.stage} {gate.name}: at {'least' if gate.at_least else 'most'} {gate.limit:g}, "
            f"got {gate.received:.4g}"
            for gate in failed
        )

    def row(self, stage: str) -> Row | None:
        """Return the row of a stage, or None."""
        return next((row for row in self.rows if row.stage == stage), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the ledger as a JSON object."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "sha256": self.sha256,
            "passed": self.passed,
            "rows": [row.as_dict() for row in self.rows],
            "gates": [gate.as_dict() for gate in self.gates],
            **({} if self.int8_search is None else {"int8_search": dict(self.int8_search)}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], source: str = "parity ledger") -> Ledger:
        """Read what `as_dict` wrote.

        Args:
            value: the JSON object.
            source: what the error calls it, such as its path.

        Raises:
            ArtifactError: it is no ledger.
        """
        try:
            return cls(
                dataset=str(value["dataset"]),
                split=str(value["split"]),
                sha256=str(value["sha256"]),
                rows=tuple(Row.from_dict(row) for row in value["rows"]),
                gates=tuple(Gate(**gate) for gate in value["gates"]),
                int8_search=value.get("int8_search"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"`{source}` must hold a parity ledger. Received: {type(error).__name__}: {error}. Export the model "
                "again."
            ) from error
