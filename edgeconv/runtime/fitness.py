"""Whether a variant may run on this processor, or on a provider, at all."""

from __future__ import annotations

from edgeconv.errors import ProviderError
from edgeconv.manifest import Manifest
from edgeconv.runtime.processor import int8_overflows
from edgeconv.runtime.providers import CPU, provider_of
from edgeconv.variants import VARIANTS

NO_OVERFLOW = "no overflow"
"""What a file asks of the processor whose sums of uint8 x int8 ONNX Runtime cannot recode."""


def check_fitness(manifest: Manifest, name: str, provider: str = CPU) -> None:
    """Refuse a variant that this processor, or a provider, would compute wrong or node by node.

    Raises:
        ProviderError: it was made for processors whose int8 sums do not overflow, and those of this one do; or it is
            int8, and the provider a GPU's.
    """
    if provider != CPU:
        if name in VARIANTS and not VARIANTS[name].runs_on_gpu and not provider_of(provider).computes_int8:
            raise ProviderError(
                f"{provider} requires a float model. Received: {name}, whose operators would run one by one on the "
                "CPU. Use `--variant fp32`, or `--device cpu`."
            )
        return
    variant = manifest.variants.get(name)
    if variant and variant.requires and variant.requires.processor == NO_OVERFLOW and int8_overflows():
        raise ProviderError(
            f"{name} requires a processor whose int8 sums do not overflow, such as an x86 with VNNI or an ARM. "
            "Received: an x86 without VNNI. Use `--variant int8`, or export with `--fast` on this machine."
        )
