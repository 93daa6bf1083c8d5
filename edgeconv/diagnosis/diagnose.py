"""`diagnose`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

from edgeconv.diagnosis.findings import WORKS, Diagnosis
from edgeconv.diagnosis.installation import cuda_findings, installation_findings
from edgeconv.diagnosis.machine import cache_findings, machine_findings, telemetry_finding
from edgeconv.diagnosis.provider_trials import provider_findings
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.providers import check_device


def diagnose(device: str | None = None, *, timeout: float = 120.0, progress: Progress = SILENT) -> Diagnosis:
    """Check ONNX Runtime, its providers, the processor, the memory and the folders.

    Each provider runs a tiny model in a process of its own, and is compared with the CPU: one that crashes or hangs
    affects only that process.

    Args:
        device: what must work: ``"cpu"``, ``"gpu"`` (any of them) or a provider such as ``"webgpu"``; None or
            ``"auto"``: nothing in particular, and every provider is tried.
        timeout: seconds that the trial of a provider may take.
        progress: receives messages.

    Raises:
        ConfigError: there is no such device.

    Example:
        >>> edgeconv.diagnose("cpu").works
        True
    """
    if device is not None:
        check_device(device)
    tried = provider_findings(None if device in {None, "auto"} else device, timeout, progress)
    asked = device not in {None, "auto"}
    findings = (
        *installation_findings(),
        *tried,
        *cuda_findings(),
        *machine_findings(),
        telemetry_finding(),
        *cache_findings(),
    )
    return Diagnosis(findings, device, not asked or any(finding.state == WORKS for finding in tried))
