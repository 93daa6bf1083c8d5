"""What `edgeconv benchmark --tune` found best for a device, and how that device is known again."""

from __future__ import annotations

import onnxruntime as ort

from edgeconv.manifest import Manifest
from edgeconv.runtime.processor import read_processor
from edgeconv.session_options import Tuned


def tuned_for_this_device(manifest: Manifest) -> Tuned | None:
    """Return what was found best for this device, or None where nothing was, or the file is another one by now."""
    if not manifest.session:  # The common case needs no look at the processor.
        return None
    tuned = manifest.session.get(fingerprint())
    variant = manifest.variants.get(tuned.variant) if tuned is not None else None
    return tuned if tuned is not None and variant is not None and variant.sha256 == tuned.sha256 else None


def fingerprint() -> str:
    """Return what stands for this device: its processor, the cores it may use, the release of ONNX Runtime."""
    return read_processor().fingerprint(ort.__version__)
