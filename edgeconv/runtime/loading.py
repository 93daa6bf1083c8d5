"""From a path to a model that is ready to run: its contract, its variant, its provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import onnxruntime as ort

from edgeconv.artifact import MANIFEST_FILE, newest
from edgeconv.errors import ArtifactError, ProviderError
from edgeconv.manifest import METADATA_KEY, Manifest
from edgeconv.runtime.files import ModelFiles, read_again, read_files
from edgeconv.runtime.fitness import check_fitness
from edgeconv.runtime.providers import CPU, candidates, check_device
from edgeconv.runtime.session import Session
from edgeconv.runtime.tuned import tuned_for_this_device
from edgeconv.session_options import DEFAULT_OPTIONS, SessionOptions, Tuned, check_threads
from edgeconv.variants import REFERENCE, VARIANTS, best_first, export_command, takes_pictures

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
        device: ``"auto"`` takes the tuned provider, else a GPU only if it computes the golden vectors right, else the
            CPU; ``"gpu"`` is strict; ``"cpu"``.
        threads: threads inside an operator, at least 1; None takes the tuned number, else 1.
        timeout: seconds that the opening and each call may take; None: see `ModelFiles.timeout_of`.

    Raises:
        ArtifactError: the path is no artifact, lacks the variant, or a file is not the one its manifest names.
        ProviderError: a GPU was asked for, and none runs the model right.

    Example:
        >>> open_model(Path("exported/mnist")).variant  # doctest: +SKIP
        'int8'
    """
    check_device(device)
    if threads is not None:
        check_threads(threads)
    return read_again(path, lambda: _open(read_files(path, timeout), variant, device, threads))


def _open(files: ModelFiles, variant: str | None, device: str, threads: int | None) -> OpenModel:
    _check_pictures(files, device)
    refusals = []
    tuned = _tuned(files, variant, device)
    if tuned is not None:
        try:
            return open_variant(
                files,
                tuned.variant,
                tuned.provider,
                device=device,
                threads=threads or tuned.threads,
                options=tuned.options,
            )
        except ProviderError as error:  # Its libraries went, or were replaced, since.
            refusals.append(str(error))
    available = ort.get_available_providers() if files.manifest.is_classifier else [CPU]
    for provider in candidates(device, available):
        name = choose_variant(files, variant, provider)
        try:
            return open_variant(files, name, provider, device=device, threads=threads or 1)
        except ProviderError as error:
            refusals.append(str(error))
    raise ProviderError(refusals[0])


def open_variant(
    files: ModelFiles,
    name: str,
    provider: str,
    *,
    device: str = "auto",
    threads: int = 1,
    options: SessionOptions = DEFAULT_OPTIONS,
) -> OpenModel:
    """Open one variant on one provider; see `open_model`.

    Args:
        files: of the model.
        name: of the variant.
        provider: ONNX Runtime's name of it. One other than the CPU's must compute the golden vectors right.
        device: ``"gpu"`` does without where there are no golden vectors.
        threads: threads inside an operator, at least 1.
        options: of the session.

    Raises:
        ArtifactError: the file is absent, or not the one that the manifest names.
        ProviderError: the provider does not run the variant right.
    """
    if provider != CPU:
        return OpenModel(files.path, files.manifest, name, _on_gpu(files, name, provider, device, threads, options))
    check_fitness(files.manifest, name)
    reduced, model = has_reduced_range(files.manifest, name), files.read(name)
    timeout = files.timeout_of(name, model)
    if not takes_pictures(name):
        session = Session(model, threads=threads, options=options, reduced_range=reduced, timeout=timeout)
        return OpenModel(files.path, files.manifest, name, session)
    from edgeconv.runtime.embedded import EmbeddedModel

    # A file that has the preparation inside has a contract of its own: it answers with probabilities.
    embedded = EmbeddedModel(model, threads=threads, options=options, reduced_range=reduced, timeout=timeout)
    manifest = Manifest.from_json(embedded.metadata.get(METADATA_KEY, "null"), str(files.path))
    return OpenModel(files.path, manifest, name, embedded)


def has_reduced_range(manifest: Manifest, name: str) -> bool:
    """Tell whether a variant's int8 weights, or those of the variant inside it, were made with 7 bits."""
    variant = manifest.variants.get(name)
    if variant is not None and variant.embeds is not None:
        variant = manifest.variants.get(variant.embeds)
    return bool(variant and variant.quantization and variant.quantization.reduce_range)


def _tuned(files: ModelFiles, variant: str | None, device: str) -> Tuned | None:
    """Return what was found best for this device, unless the caller wants another variant or device."""
    tuned = tuned_for_this_device(files.manifest)
    if tuned is None or variant not in {None, tuned.variant} or tuned.provider not in ort.get_available_providers():
        return None
    return tuned if device == "auto" or (device == "cpu") == (tuned.provider == CPU) else None


def _check_pictures(files: ModelFiles, device: str) -> None:
    """Refuse a model that does not take a picture, whatever it answers."""
    path = files.path
    if not files.manifest.takes_picture:
        inputs = ", ".join(array.name for array in (files.manifest.input, *files.manifest.more_inputs))
        raise ArtifactError(
            f"`{path}` must take a picture, and answer one task. Received: a model of {inputs}. "
            "Run it with `edgeconv.Runner` or `edgeconv predict x.npz`, arrays by name."
        )
    if device == "gpu" and not files.manifest.is_classifier:
        raise ProviderError(
            f"A GPU requires golden vectors of classes to be trusted. Received: `{path}` of the task "
            f"{files.manifest.task}. Use `--device cpu`."
        )


def _on_gpu(files: ModelFiles, name: str, provider: str, device: str, threads: int, options: SessionOptions) -> Session:
    """Open a GPU session, and believe it only if it computes the golden vectors right."""
    from edgeconv.runtime.golden import Samples, disagreement

    if name in VARIANTS and not VARIANTS[name].runs_on_gpu:
        raise ProviderError(
            f"{provider} requires a float model. Received: {name}, whose operators would run one by one on the CPU. "
            "Use `--variant fp32`, or `--device cpu`."
        )
    if files.samples is None and device == "auto":
        raise ProviderError(f"{provider} requires golden vectors to be trusted. Received: none. Use `--device gpu`.")
    model = files.read(name)
    timeout = files.timeout_of(name, model)
    session = Session(model, provider=provider, threads=threads, options=options, timeout=timeout)
    problem = disagreement(session, Samples.load(files.samples)) if files.samples else None
    if problem:
        raise ProviderError(f"{provider} must answer as Keras did. Received: {problem}. Use `--device cpu`.")
    return session


def choose_variant(files: ModelFiles, variant: str | None, provider: str) -> str:
    """Return the variant that was asked for, else the best one that a model has for a provider.

    Raises:
        ArtifactError: the model lacks it.
    """
    best = [name for name in best_first(gpu=provider != CPU) if name in files.variants]
    name = variant or (best[0] if best else REFERENCE)
    if name not in files.variants:
        raise ArtifactError(
            f"`{files.path}` must hold the variant {name}. Received: {', '.join(files.variants) or 'none'}. "
            f"Make {name} with `{export_command(name)}`."
        )
    return name
