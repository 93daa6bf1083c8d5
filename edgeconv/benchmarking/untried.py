"""Which providers for this CPU were not tried, since they are not installed."""

from __future__ import annotations

from edgeconv.progress import Progress
from edgeconv.runtime.providers import PROVIDERS, available_providers, short_name


def say_untried(device: str, progress: Progress) -> None:
    """Say which providers with a wheel for Python could compete with the CPU's own, and are not here.

    What one would bring is not known before it is measured: nothing is promised.

    Args:
        device: for which to tune; one that is named leaves the others out, and nothing is said.
        progress: hears it.
    """
    if device != "auto":
        return
    listed = available_providers()
    for row in PROVIDERS.values():
        if row.races_cpu and row.name not in listed:
            progress.say(f"{short_name(row.name)} is not installed; it was not tried. It comes with `{row.install}`.")
