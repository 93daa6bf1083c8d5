"""Loss and accuracy of a run, as a picture to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeconv.artifact import replacing

_PANELS = (("loss", "Loss (cross-entropy)"), ("accuracy", "Accuracy"))
_COLORS = {"": "#4477AA", "test_": "#EE6677"}
"""Colours that colour-blind readers can distinguish: P. Tol, Colour Schemes, 2021, "bright"."""
_NAMES = {"": "training", "test_": "test"}


def draw_curves(history: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Draw one panel of losses and one of accuracies, training against test, and write a PNG.

    Args:
        history: one entry a finished epoch, see `run_epoch`; at least one.
        title: heads the picture.
        path: of the PNG, 1500 x 630 pixels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(10, 4.2), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color="#333333")
    epochs = [entry["epoch"] for entry in history]
    for axes, (key, label) in zip(figure.subplots(1, 2), _PANELS, strict=True):
        for prefix, color in _COLORS.items():
            values = [entry[prefix + key] for entry in history]
            axes.plot(epochs, values, color=color, linewidth=2, marker="o", markersize=5, label=_NAMES[prefix])
            shown = f"{values[-1]:.2%}" if key == "accuracy" else f"{values[-1]:.4f}"
            axes.lines[-1].set_label(f"{_NAMES[prefix]}  {shown}")
        axes.set_title(label, loc="left", fontsize=12, fontweight="bold")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.margins(x=0.04, y=0.08)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="best")
        if key == "accuracy":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        else:
            axes.set_ylim(bottom=0)
    with replacing(path) as sibling:
        figure.savefig(sibling, dpi=150, metadata={"Software": None})
