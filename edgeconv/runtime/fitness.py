"""Whether a variant may run on this processor at all."""

from __future__ import annotations

from edgeconv.errors import ProviderError
from edgeconv.manifest import Manifest
from edgeconv.runtime.processor import int8_overflows

NO_OVERFLOW = "no overflow"
"""What a file asks of the processor whose sums of uint8 x int8 ONNX Runtime cannot recode."""


def check_fitness(manifest: Manifest, name: str) -> None:
    """Refuse a variant that this processor would compute wrong.

    Raises:
        ProviderError: it was made for processors whose int8 sums do not overflow, and those of this one do.
    """
    variant = manifest.variants.get(name)
    if variant and variant.requires and variant.requires.processor == NO_OVERFLOW and int8_overflows():
        raise ProviderError(
            f"{name} requires a processor whose int8 sums do not overflow, such as an x86 with VNNI or an ARM. "
            "Received: an x86 without VNNI. Use `--variant int8`, or export with `--fast` on this machine."
        )
