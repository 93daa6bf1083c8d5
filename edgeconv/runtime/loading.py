"""From a path to a model that is ready to run: its contract, its variant, its provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edgeconv.artifact import MANIFEST_FILE, newest
from edgeconv.errors import ArtifactError, EdgeconvWarning, ProviderError
from edgeconv.manifest import METADATA_KEY, Manifest
from edgeconv.runtime.files import ModelFiles, Opened, read_again, read_files
from edgeconv.runtime.fitness import check_fitness
from edgeconv.runtime.providers import CPU, available_providers, candidates, check_device, provider_of, short_name
from edgeconv.runtime.session import Session
from edgeconv.runtime.tuned import tuned_for_this_device
from edgeconv.session_options import DEFAULT_OPTIONS, SessionOptions, Tuned, check_threads
from edgeconv.variants import REFERENCE, best_first, export_command, takes_pictures

if TYPE_CHECKING:
    from edgeconv.runtime.embedded import EmbeddedModel

_PACKAGE = Path(__file__).parents[1]

REFERENCE_PLACES = (_PACKAGE / "reference", _PACKAGE.parent / "exported" / "mnist-reference")
"""Where the model that the package ships lies: in an installation, and in a checkout of the sources."""


class OpenModel(NamedTuple):
    """A model that is ready to run.

    Attributes:
        path: the artifact's folder, or the lone `.onnx` file.
        manifest: its contract.
        variant: the name of the variant that runs.
        session: the open session.
    """

    path: Path
    manifest: Manifest
    variant: str
    session: Session | EmbeddedModel


def find_model() -> Path:
    """Return the newest artifact below `exported/`, else the reference model that the package ships.

    Raises:
        ArtifactError: there is neither.
    """
    found = newest(MANIFEST_FILE) or reference_model()
    if found is None:
        raise ArtifactError(
            "A model is required. Received: no artifact under `exported/`, and no reference model in this "
            "installation. Make one with `edgeconv train` and `edgeconv export`, or name one with `--model`."
        )
    return found


def reference_model() -> Path | None:
    """Return the folder of the model that the package ships, or None where it was built without."""
    return next((place for place in REFERENCE_PLACES if (place / MANIFEST_FILE).is_file()), None)


def open_model(
    path: Path,
    *,
    variant: str | None = None,
    device: str = "auto",
    threads: int | None = None,
    timeout: float | None = None,
) -> OpenModel:
    """Open an artifact's folder, or a lone `.onnx` file that carries its contract.

    Where `edgeconv benchmark --tune` found the best way for this device, that is taken as far as no argument says
    otherwise: another variant or device leaves it out, and a number of threads replaces its own.

    Args:
        path: the folder or the file.
        variant: a name of `edgeconv.variants.VARIANTS`; None takes the tuned one, else the best by its rank there:
            int8 on the CPU, fp32 on a GPU.
        device: ``"auto"`` takes the tuned provider, else a GPU only if it computes the golden vectors right, or random
            inputs as the CPU does where there are none, else the CPU, and warns; ``"cpu"``; ``"gpu"`` and the name of
            a provider, ``"webgpu"``, ``"cuda:1"``, are strict.
        threads: threads inside an operator, at least 1; None takes the tuned number, else 1, and all cores for a large
            batch.
        timeout: seconds that the opening and each call may take; None: see `ModelFiles.timeout_of`.

    Raises:
        ArtifactError: the path is no artifact, lacks the variant, or a file is not the one its manifest names.
        ConfigError: there is no such device.
        ProviderError: a provider was asked for, and does not run the whole model, or not right.

    Example:
        >>> open_model(Path("exported/mnist")).variant  # doctest: +SKIP
        'int8'
    """
    if threads is not None:
        check_threads(threads)
    return read_again(path, lambda: _open(read_files(path, timeout), variant, device, threads))


def _open(files: ModelFiles, variant: str | None, device: str, threads: int | None) -> OpenModel:
    _check_pictures(files)
    return open_first(files, variant, device, partial(open_variant, files), threads=threads)


def providers_for(device: str) -> tuple[str, ...]:
    """Return the providers to try for a device, best first; see `candidates`.

    Raises:
        ConfigError: there is no such device.
        ProviderError: what was asked for is not installed.
    """
    check_device(device)
    tried = candidates(device, [CPU] if device == "cpu" else available_providers())
    if device != "auto" or tried == (CPU,):
        return tried
    from edgeconv.runtime.plugins import with_devices  # Here, since most installations have no GPU's provider.

    return with_devices(tried)


def open_first(
    files: ModelFiles,
    variant: str | None,
    device: str,
    opening: Callable[..., Opened],
    *,
    threads: int | None,
    tuned: bool = True,
) -> Opened:
    """Open a model as was found best for this device, else on the first provider that computes it right.

    It warns where another provider takes the place of one that was found best, or the CPU that of any.

    Args:
        files: of the model.
        variant: that was asked for, or None for the best on each provider.
        device: see `open_model`.
        opening: opens a variant on a provider, with `threads` and `options` as `open_variant` has them.
        threads: inside an operator; None takes the number that was found best, else leaves it to `opening`.
        tuned: whether what `edgeconv benchmark --tune` found is followed.

    Raises:
        ArtifactError: the model lacks the variant.
        ProviderError: none does; says why the first does not.
    """
    tried, reasons = providers_for(device), []
    best = _tuned(files, variant, device, tried) if tuned else None
    if best is not None:
        try:
            return _open_tuned(best, opening, threads)
        except ProviderError as error:  # Its libraries went, or were replaced, since.
            reasons.append(f"{error} It was found best here; find what is now with `edgeconv benchmark --tune`.")
    for provider in tried:
        try:
            name = choose_variant(files, variant, provider)
            opened = opening(name, provider, threads=threads, options=DEFAULT_OPTIONS)
        except ProviderError as error:
            reasons.append(str(error))
            continue
        if reasons and (provider == CPU or best is not None):
            import warnings

            taken = "The CPU" if provider == CPU else provider
            warnings.warn(f"{taken} is used. {reasons[0]}", EdgeconvWarning, stacklevel=2)
        return opened
    raise ProviderError(reasons[0])


def _open_tuned(best: Tuned, opening: Callable[..., Opened], threads: int | None) -> Opened:
    """Open what was found best; a number of threads that was asked for replaces all that it has of them."""
    if best.provider.partition(":")[0] not in (listed := available_providers()):
        raise ProviderError(
            f"{best.provider} must be installed. Received: {', '.join(map(short_name, listed))}. Install it with "
            f"`{provider_of(best.provider).install}`."
        )
    options = best.options if threads is None else replace(best.options, calls_at_once=None)
    # One thread that nobody asked for leaves the other cores to parts of a large batch.
    found = None if best.threads == 1 else best.threads
    return opening(best.variant, best.provider, threads=threads or found, options=options)


def open_variant(
    files: ModelFiles,
    name: str,
    provider: str,
    *,
    threads: int | None = 1,
    options: SessionOptions = DEFAULT_OPTIONS,
) -> OpenModel:
    """Open one variant on one provider; see `open_model`.

    Args:
        files: of the model.
        name: of the variant.
        provider: ONNX Runtime's name of it. One other than the CPU's must compute right.
        threads: threads inside an operator, at least 1; None: see `Session`.
        options: of the session.

    Raises:
        ArtifactError: the file is absent, or not the one that the manifest names.
        ProviderError: the provider does not run the variant right.
    """
    check_fitness(files.manifest, name, provider)
    reduced, model = has_reduced_range(files.manifest, name), files.read(name)
    timeout = files.timeout_of(name, model)
    kind: type[Session | EmbeddedModel] = Session
    if takes_pictures(name):
        from edgeconv.runtime.embedded import EmbeddedModel

        kind = EmbeddedModel

    def opened(data: bytes, provider: str) -> Session | EmbeddedModel:
        return kind(data, provider=provider, threads=threads, options=options, reduced_range=reduced, timeout=timeout)

    if provider == CPU:
        session = opened(model, CPU)
    else:  # Here, since most devices have the CPU alone.
        from edgeconv.runtime.contexts import open_compiled
        from edgeconv.runtime.provider_check import check_answers

        session = open_compiled(files, name, provider, model, opened)
        check_answers(files, session, lambda: opened(model, CPU))
    manifest = files.manifest
    if takes_pictures(name):
        # A file that has the preparation inside has a contract of its own: it answers with probabilities.
        manifest = Manifest.from_json(session.metadata.get(METADATA_KEY, "null"), str(files.path))
    return OpenModel(files.path, manifest, name, session)


def has_reduced_range(manifest: Manifest, name: str) -> bool:
    """Tell whether a variant's int8 weights, or those of the variant inside it, were made with 7 bits."""
    variant = manifest.variants.get(name)
    if variant is not None and variant.embeds is not None:
        variant = manifest.variants.get(variant.embeds)
    return bool(variant and variant.quantization and variant.quantization.reduce_range)


def _tuned(files: ModelFiles, variant: str | None, device: str, tried: Sequence[str]) -> Tuned | None:
    """Return what was found best for this device, unless the caller wants another variant or provider."""
    tuned = tuned_for_this_device(files.manifest)
    wanted = tuned and variant in {None, tuned.variant} and (device == "auto" or tuned.provider in tried)
    return tuned if wanted else None


def _check_pictures(files: ModelFiles) -> None:
    """Refuse a model that does not take a picture, whatever it answers."""
    path = files.path
    if not files.manifest.takes_picture:
        inputs = ", ".join(array.name for array in (files.manifest.input, *files.manifest.more_inputs))
        raise ArtifactError(
            f"`{path}` must take a picture, and answer one task. Received: a model of {inputs}. "
            "Run it with `edgeconv.Runner` or `edgeconv predict x.npz`, arrays by name."
        )


def _made_for(manifest: Manifest, provider: str) -> list[str]:
    """Return the variants whose int8 was made for a provider."""
    target = provider_of(provider).target
    records = {name: variant.quantization for name, variant in manifest.variants.items()}
    return [name for name, record in records.items() if target and record is not None and record.target == target]


def choose_variant(files: ModelFiles, variant: str | None, provider: str) -> str:
    """Return the variant that was asked for, else the best one that a model has for a provider.

    Raises:
        ArtifactError: the model lacks it.
    """
    best = [name for name in best_first(gpu=provider != CPU) if name in files.variants]
    best = _made_for(files.manifest, provider) + best
    name = variant or (best[0] if best else REFERENCE)
    if name not in files.variants:
        raise ArtifactError(
            f"`{files.path}` must hold the variant {name}. Received: {', '.join(files.variants) or 'none'}. "
            f"Make {name} with `{export_command(name)}`."
        )
    return name
