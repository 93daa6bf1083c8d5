"""`tune`: the best configuration for a model on this device, found by measuring and kept in its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from edgeconv.artifact import MANIFEST_FILE, read_json, write_json
from edgeconv.benchmarking.configurations import Configuration, Opened, gated, usable_configurations
from edgeconv.benchmarking.cutting import by_default, sizes_of_parts, spread_over_cores
from edgeconv.benchmarking.inputs import Inputs
from edgeconv.benchmarking.machine import read_machine
from edgeconv.benchmarking.measuring import allowed_threads, check_seconds
from edgeconv.benchmarking.recording import is_shipped
from edgeconv.benchmarking.trials import Trial, Tuning
from edgeconv.benchmarking.trust import distrust
from edgeconv.benchmarking.untried import say_untried
from edgeconv.errors import ConfigError, ProviderError, one_line
from edgeconv.progress import SILENT, Progress
from edgeconv.record import Json
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.loading import choose_variant, find_model
from edgeconv.runtime.providers import CPU, candidates
from edgeconv.session_options import LEVELS, Tuned
from edgeconv.spread import Interval, ratio_of, surely_fastest
from edgeconv.timing import Timing, Work, time_in_turn
from edgeconv.transaction import require_writable, transaction
from edgeconv.variants import takes_pictures

FINAL_SHARE = 2.0
"""The last comparison, with the default, gets this many times as long as the others: it alone decides."""


def tune(
    model: str | Path | None = None,
    *,
    batch: int = 1,
    max_threads: int | None = None,
    seconds: float = 0.5,
    device: str = "auto",
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Tuning:
    """Find the fastest configuration here that loses no accuracy, and write it into the manifest.

    One thing is varied after another: variant, provider and threads, inside operators or for parts of a batch; the size
    of these parts, whether threads spin, how far the graph is optimised, how memory is kept. Only what is surely faster
    replaces what was best before, and in the end the best is measured against the default once more, since the fastest
    of many trials owes something to luck. Only variants that passed their gates at the export are tried, and only
    configurations that reproduce the golden outputs.

    What is found is written into the block `session` of `manifest.json`, under the fingerprint of this device;
    `Predictor` and `open_model` follow it there. Nothing else in the manifest changes, nor do the models' files.

    Args:
        model: an artifact's folder; None takes the newest.
        batch: images per call to tune for.
        max_threads: largest number of threads inside an operator; None means the cores that this process may use.
        seconds: time to call each configuration.
        device: ``"auto"`` for every provider; ``"cpu"``, ``"gpu"`` or a provider for it alone.
        timeout: seconds that a call may take; None: see `Predictor`.
        progress: receives messages, and bars.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: a number is out of its range, or the model is a lone file or the one that the package ships.

    Example:
        >>> edgeconv.tune("exported/mnist").best.threads  # doctest: +SKIP
        1
    """
    check_seconds(seconds)
    path = Path(model) if model is not None else find_model()
    if not path.is_dir() or is_shipped(path):
        raise ConfigError(
            "`tune` requires the folder of an artifact of yours, where it writes what it finds. Received: "
            f"`{path}`, {'a lone file' if path.is_file() else 'which comes with edgeconv'}. Export a model, or copy it."
        )
    require_writable(path)
    files, machine = read_files(path, timeout), read_machine()
    if not files.manifest.takes_picture:
        raise ConfigError(
            f"`tune` is for models that take a picture, whose options `Predictor` follows. Received: `{path}` of "
            f"{files.manifest.input.name}. Give `Runner` the threads that `edgeconv benchmark` finds best."
        )
    fixed = files.manifest.input.shape[0]
    if batch < 1 or (isinstance(fixed, int) and batch != fixed):
        wanted = fixed if isinstance(fixed, int) else "at least 1"
        raise ConfigError(f"`batch` must be {wanted}. Received: {batch}. Leave it out for 1.")
    progress.say(f"Model: {path}")
    progress.say(f"Machine: {machine.sentence()}")
    counts = allowed_threads(max_threads, machine.processor.cores)
    default, configurations = _allowed(files, device, progress)
    say_untried(device, progress)
    divisible = 1 if isinstance(fixed, int) else batch
    search = _TuningSearch(files, batch, seconds, by_default(default, divisible, max(counts)), progress)
    search.step("variant, provider, threads", spread_over_cores(configurations, counts, divisible))
    if divisible > 1:
        search.step("batch", [search.with_options(images_at_once=size) for size in sizes_of_parts(search.best, batch)])
    if search.best.threads > 1:
        search.step("spinning", [search.with_options(spinning=False)])
    search.step("optimization", [search.with_options(optimization=level) for level in LEVELS])
    kept = product((True, False), repeat=2)
    search.step("memory", [search.with_options(arena=arena, memory_pattern=planned) for arena, planned in kept])
    ratio = search.finish()
    tuning = Tuning(path, machine, batch, search.default, search.best, ratio, tuple(search.trials))
    try:
        _store(files, tuning)
    except OSError as error:
        return replace(tuning, unsaved=one_line(error))
    return tuning


def _allowed(files: ModelFiles, device: str, progress: Progress) -> tuple[Configuration, list[Configuration]]:
    """Return the default, and the variants on providers that lose nothing and do the same work."""
    usable = usable_configurations(files, progress, device)
    default = _default(files, usable)
    # The variant e2e prepares the picture as well; Predictor does that outside of the others.
    names = gated(files.manifest, [name for name in files.variants if not takes_pictures(name)])
    for name in files.variants:
        if name not in names and name != default.variant and not takes_pictures(name):
            progress.say(f"{name} is left out: it was not checked against Keras at the export.")
    return default, [configuration for configuration in usable if configuration.variant in names]


def _default(files: ModelFiles, usable: Sequence[Configuration]) -> Configuration:
    """Return what `open_model` takes where nothing was tuned, or takes where the one provider of `usable` is named."""
    providers = [configuration.provider for configuration in usable]
    for provider in dict.fromkeys((*candidates("auto", providers), *providers)):
        found = Configuration(choose_variant(files, None, provider), provider)
        if found in usable:
            return found
    raise ProviderError(
        f"{CPU} must run `{files.path}`. Received: {', '.join(map(str, usable))} only. Export the model again."
    )


class _TuningSearch:
    """The best configuration so far, and the steps that led to it."""

    def __init__(
        self, files: ModelFiles, batch: int, seconds: float, default: Configuration, progress: Progress
    ) -> None:
        self.default = self.best = default
        self.trials: list[Trial] = []
        self._files, self._seconds, self._progress = files, seconds, progress
        self._inputs = Inputs.of(files)
        self._batch = self._inputs.batch(batch)
        self._distrusted: dict[Configuration, str | None] = {default: None}

    def with_options(self, **changes: Any) -> Configuration:
        return replace(self.best, options=replace(self.best.options, **changes))

    def step(self, name: str, others: Sequence[Configuration]) -> None:
        """Time the best configuration so far against others; the fastest of those surely faster replaces it."""
        tried = [self.best, *(other for other in others if other != self.best and self._trusts(other))]
        timings = self._time(name, tried, self._seconds)
        usual = timings[self.best].medians
        ratios = {configuration: ratio_of(timings[configuration].medians, usual) for configuration in tried}
        chosen = surely_fastest(ratios, self.best)
        self._note(name, timings, ratios, chosen)
        self.best = chosen

    def finish(self) -> Interval:
        """Time the best configuration against the default, which stays unless it is surely slower; return the ratio."""
        tried = list(dict.fromkeys((self.default, self.best)))
        timings = self._time("final", tried, FINAL_SHARE * self._seconds)
        usual = timings[self.default].medians
        ratios = {configuration: ratio_of(timings[configuration].medians, usual) for configuration in tried}
        self.best = surely_fastest(ratios, self.default)
        self._note("final", timings, ratios, self.best)
        return ratios[self.best]

    def _note(
        self,
        step: str,
        timings: dict[Configuration, Timing],
        ratios: dict[Configuration, Interval],
        chosen: Configuration,
    ) -> None:
        self.trials += [
            Trial(step, configuration, timing.interval.median, ratios[configuration], configuration == chosen)
            for configuration, timing in timings.items()
        ]

    def _trusts(self, configuration: Configuration) -> bool:
        if configuration not in self._distrusted:
            self._distrusted[configuration] = distrust(self._files, configuration)
            if self._distrusted[configuration]:
                self._progress.say(f"{configuration} is left out: {self._distrusted[configuration]}")
        return self._distrusted[configuration] is None

    def _time(self, step: str, configurations: Sequence[Configuration], seconds: float) -> dict[Configuration, Timing]:
        works = [
            Work(
                str(configuration),
                Opened(self._files, configuration).call(self._batch),
                leaves_threads=configuration.threads > 1,
            )
            for configuration in configurations
        ]
        timings = time_in_turn(works, seconds=seconds, progress=self._progress, description=f"Tuning: {step}")
        return dict(zip(configurations, timings, strict=True))


def _store(files: ModelFiles, tuning: Tuning) -> None:
    """Write what was found into the manifest, and leave all else in it, also what this edgeconv does not know."""
    best = tuning.best
    evidence: dict[str, Json] = {
        "machine": tuning.machine.as_dict(),
        "batch": tuning.batch,
        "default": str(tuning.default),
        "ratio": tuning.ratio.as_dict(),
    }
    sha256 = files.manifest.variants[best.variant].sha256
    tuned = Tuned(best.variant, best.provider, best.threads, best.options, sha256, evidence)
    with transaction(files.path) as scratch:
        value = read_json(files.path / MANIFEST_FILE)
        value["session"] = {**value.get("session", {}), tuning.machine.fingerprint: tuned.as_dict()}
        write_json(scratch / MANIFEST_FILE, value)
