"""`bundle`: a small complete project around one model, which proves on the device that it answers as here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.artifact import MANIFEST_FILE, write_json
from edgeconv.bundling.collect import collect_context
from edgeconv.bundling.context import SELFTEST_FILE, BundleContext, slug_of
from edgeconv.bundling.inventory import describe, inventory_of
from edgeconv.bundling.targets import BundleTarget, target_named
from edgeconv.errors import ConfigError
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.files import read_again, read_files
from edgeconv.runtime.loading import find_model
from edgeconv.transaction import new_folder, require_writable
from edgeconv.variants import REFERENCE, VARIANTS


@dataclass(frozen=True)
class Bundle:
    """A bundle that was made.

    Attributes:
        path: its folder.
        target: what it is for.
        manifest: what its `manifest.json` says: the model's contract, the self-test, every file with its SHA-256.
    """

    path: Path
    target: str
    manifest: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the bundle as a JSON object."""
        return {"path": str(self.path), "target": self.target, "manifest": self.manifest}


def bundle(
    model: str | Path | None = None,
    *,
    target: str,
    out: str | Path | None = None,
    variant: str | None = None,
    webgpu: bool = False,
    signing_key: str | Path | None = None,
    progress: Progress = SILENT,
) -> Bundle:
    """Make a project around a model, with its labels, its preparation of pictures and a self-test.

    Args:
        model: an artifact's folder; None takes the newest below `exported/`, else the shipped reference.
        target: ``"python"``, ``"node"``, ``"web"``, ``"c"``, ``"triton"`` or ``"ort"``.
        out: the folder to make; it must be absent or empty. None takes ``<name>-<target>``.
        variant: such as ``"fp32"``; None takes the best that is offered to bundles: int8 where it is there.
        webgpu: whether the page of ``"web"`` runs fp32 on the browser's GPU, if that reproduces the golden outputs.
        signing_key: a private key in PEM form to sign the bundle with; see `edgeconv.bundling.signing`.
        progress: receives messages.

    Returns:
        The bundle.

    Raises:
        ConfigError: there is no such target, or `out` has files in it; or `webgpu` with another target, or with int8.
        ArtifactError: there is no such model, or it lacks what a bundle needs.

    Example:
        >>> edgeconv.bundle("exported/mnist", target="web", out="web-app").path  # doctest: +SKIP
        PosixPath('web-app')
    """
    chosen = target_named(target)
    if webgpu:
        variant = _for_webgpu(target, variant)
    path = Path(model) if model is not None else find_model()
    files = read_files(path)
    folder = Path(out) if out is not None else Path(f"{slug_of(files.manifest.name)}-{target}")
    _check_free(folder)
    require_writable(folder.parent)
    progress.say(f"Model: {path}")
    context = replace(read_again(path, lambda: collect_context(read_files(path), variant)), webgpu=webgpu)
    progress.say(f"Bundling {context.variant} for {target}")
    with new_folder(folder) as made:
        _write(made, chosen, context)
        manifest = describe(context, chosen, inventory_of(made))
        write_json(made / MANIFEST_FILE, manifest)
        if signing_key is not None:
            from edgeconv.bundling.signing import sign

            sign(made, Path(signing_key))
    return Bundle(folder, target, manifest)


def _for_webgpu(target: str, variant: str | None) -> str:
    """Return the variant of a page that runs on a GPU.

    Raises:
        ConfigError: it is no page, or the variant is slower on a GPU than fp32.
    """
    if target != "web":
        raise ConfigError(f"`webgpu` is for the target web. Received: {target}. Leave it out.")
    if variant in VARIANTS and not VARIANTS[variant].runs_on_gpu:
        raise ConfigError(f"`webgpu` requires a float variant. Received: {variant}. Leave the variant out for fp32.")
    return variant or REFERENCE


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"`out` must be a folder that is absent or empty. Received: `{folder}`, which is not. "
            "Name another with `--out`, or remove it."
        )


def _write(folder: Path, target: BundleTarget, context: BundleContext) -> None:
    values = context.values()
    if target.write is not None:
        values |= target.write(folder, context)
    target.render(context, values, folder)
    assets = folder / target.assets
    (assets / SELFTEST_FILE).write_bytes(context.selftest)
    if target.carries_model:
        (assets / values["MODEL_FILE"]).write_bytes(context.model)
