"""What `edgeconv benchmark --tune` found best for a device, and how that device is known again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnxruntime as ort

from edgeconv.errors import ConfigError, ManifestError
from edgeconv.manifest import Manifest
from edgeconv.runtime.options import SessionOptions
from edgeconv.runtime.processor import read_processor


@dataclass(frozen=True)
class Tuned:
    """The best way to run a model on one device.

    Attributes:
        variant: the file to run.
        provider: the execution provider to run it on.
        threads: threads inside an operator.
        options: of the session.
        sha256: of the file that was measured: another file under its name is not meant.
        evidence: the device's description, and by how much this way is better than the default.
    """

    variant: str
    provider: str
    threads: int
    options: SessionOptions
    sha256: str | None
    evidence: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of the manifest's block `session`."""
        return {
            "variant": self.variant,
            "provider": self.provider,
            "threads": self.threads,
            "options": self.options.as_dict(),
            "sha256": self.sha256,
            "evidence": dict(self.evidence),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Tuned:
        """Read what `as_dict` wrote."""
        return cls(
            variant=str(value["variant"]),
            provider=str(value["provider"]),
            threads=int(value["threads"]),
            options=SessionOptions.from_dict(value["options"]),
            sha256=value["sha256"],
            evidence=dict(value.get("evidence", {})),
        )


def tuned_for_this_device(manifest: Manifest) -> Tuned | None:
    """Return what was found best for this device, or None where nothing was, or the file is another one by now.

    Raises:
        ManifestError: the entry of this device cannot be read.
    """
    if not manifest.session:  # The common case needs no look at the processor.
        return None
    entry = manifest.session.get(fingerprint())
    if entry is None:
        return None
    try:
        tuned = Tuned.from_dict(entry)
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
        raise ManifestError(
            f"The block `session` of `{manifest.name}` must hold what `edgeconv benchmark --tune` writes. "
            f"Received: {error!r}. Tune again."
        ) from error
    variant = manifest.variants.get(tuned.variant)
    return tuned if variant is not None and variant.sha256 == tuned.sha256 else None


def fingerprint() -> str:
    """Return what stands for this device: its processor, the cores it may use, the release of ONNX Runtime."""
    return read_processor().fingerprint(ort.__version__)
