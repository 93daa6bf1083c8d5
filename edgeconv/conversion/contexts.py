"""A variant compiled ahead of time for one chip of Qualcomm's, as ONNX Runtime's EP context."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from edgeconv.artifact import CONTEXT_FILE, MANIFEST_FILE, sha256_of, write_json
from edgeconv.errors import ProviderError
from edgeconv.formatting import NARROW, format_size
from edgeconv.manifest_blocks import Context
from edgeconv.progress import Progress
from edgeconv.runtime.contexts import compiler_of
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import providers_for
from edgeconv.runtime.provider_check import check_answers
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import Session, native_options
from edgeconv.runtime.strict import open_strictly
from edgeconv.transaction import transaction

VARIANT, DEVICE = "int8", "qnn"


def require_compiler() -> str:
    """Return ONNX Runtime's name of the provider that compiles.

    Raises:
        ProviderError: it is not installed.
    """
    return providers_for(DEVICE)[0]


def compile_ahead(folder: Path, soc: int, progress: Progress) -> None:
    """Compile int8 of an artifact for a chip, and list the file in its manifest.

    It is kept only where the provider, opening the file as a device will, answers the golden vectors as Keras did.

    Args:
        folder: of the artifact.
        soc: Qualcomm's number of the chip, `soc_model` of its provider.
        progress: hears what was made.

    Raises:
        ProviderError: the provider is not installed, knows no such chip, or answers otherwise.
    """
    provider, files = require_compiler(), read_files(folder)
    model, manifest = files.read(VARIANT), files.manifest
    data = _compiled(model, provider, soc)
    check_answers(files, Session(data, provider=provider), lambda: Session(model, provider=CPU))
    with transaction(folder) as scratch:
        (scratch / CONTEXT_FILE).write_bytes(data)
        variant = manifest.variants[VARIANT]
        context = Context(
            file=CONTEXT_FILE,
            provider=provider,
            soc=soc,
            compiler=compiler_of(provider),
            source_sha256=sha256_of(folder / variant.file),
            size_bytes=len(data),
            sha256=sha256_of(scratch / CONTEXT_FILE),
        )
        variants = {**manifest.variants, VARIANT: replace(variant, context=context)}
        write_json(scratch / MANIFEST_FILE, replace(manifest, variants=variants).as_dict())
    size = format_size(len(data), NARROW)
    progress.say(f"Compiled {VARIANT} for the chip {soc}: {CONTEXT_FILE}, {size}, answers the golden vectors as Keras.")


def _compiled(model: bytes, provider: str, soc: int) -> bytes:
    """Return an ONNX file of one node, which holds what a provider compiled of a model."""
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch:
        place = Path(scratch) / CONTEXT_FILE
        options = native_options(1)
        for key, value in {"enable": "1", "file_path": str(place), "embed_mode": "1"}.items():
            options.add_session_config_entry(f"ep.context_{key}", value)
        open_strictly(options, model, provider, settings={"soc_model": str(soc)})
        if not place.is_file():
            raise ProviderError(
                f"{provider} must compile for the chip {soc}. Received: no file. Name another with `--context`."
            )
        return place.read_bytes()
