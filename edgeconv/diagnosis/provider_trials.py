"""Each execution provider, tried in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import onnxruntime as ort

from edgeconv.diagnosis.findings import ABSENT, BROKEN, WORKS, Finding
from edgeconv.errors import one_line
from edgeconv.progress import Progress
from edgeconv.runtime.providers import CPU, PROVIDERS, REMOTE, plugin_modules, provider_of, short_name

Trial = tuple[str, str]
"""The name of a provider, with or without ``":ID"``, and the plugin that it is loaded from; one may be empty."""


def provider_findings(device: str | None, timeout: float, progress: Progress) -> tuple[Finding, ...]:
    """Try the providers that are listed, and name those that are absent.

    Args:
        device: the one to try, or ``"gpu"`` for all that reach one; None tries all.
        timeout: seconds that each may take.
        progress: hears which one is tried.
    """
    found = []
    for provider, plugin in _trials():
        if not _is_meant(device, provider, plugin):
            continue
        progress.say(f"Trying {short_name(provider) or plugin}")
        number = (device or "").partition(":")[2]
        found.append(tried(f"{provider}:{number}" if number else provider, plugin, timeout))
    seen = {finding.subject.partition(":")[0] for finding in found}
    absent = [
        row for row in PROVIDERS.values() if short_name(row.name) not in seen and row.system in {"", sys.platform}
    ]
    return (
        *found,
        *(
            Finding(short_name(row.name), ABSENT, f"{row.name} is not installed.", row.install)
            for row in absent
            if _is_meant(device, row.name, "")
        ),
    )


def tried(provider: str, plugin: str, timeout: float) -> Finding:
    """Return how the trial of one provider ends."""
    # The working directory must not come first, where a file beside a model could take the place of a module.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-P", "-m", "edgeconv.diagnosis.trial", provider, plugin]
    row = provider_of(provider)
    subject, remedy = short_name(provider) or plugin, row.driver or row.install
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=environment, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return Finding(subject, BROKEN, f"It did not answer within {timeout:g} seconds.", remedy)
    answer = _answer(done.stdout)
    if answer is None:
        return Finding(subject, BROKEN, f"Its process crashed ({_ending(done)}).", remedy)
    subject, reason = short_name(provider or answer["provider"]) or plugin, answer.get("reason")
    if reason:
        return Finding(subject, BROKEN, f"Listed, but broken. {reason}", remedy if provider != CPU else "")
    return Finding(subject, WORKS, f"{answer['provider']} computes right.")


def _answer(stdout: str) -> dict[str, str] | None:
    """Return the JSON object that the process wrote, among lines that its plugin may have written; None without."""
    for line in reversed(stdout.splitlines()):
        with suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict) and "provider" in answer:
                return answer
    return None


def _trials() -> Iterator[Trial]:
    """Yield the providers that are built in and the plugins that are there; a plugin that is not known has no name."""
    modules = {row.module: row.name for row in PROVIDERS.values() if row.module}
    plugins = plugin_modules()
    taken = {modules.get(plugin, "") for plugin in plugins}
    yield from ((name, "") for name in ort.get_available_providers() if name not in REMOTE | taken)
    yield from ((modules.get(plugin, ""), plugin) for plugin in plugins)


def _is_meant(device: str | None, provider: str, plugin: str) -> bool:
    if device is None:
        return True
    if device == "gpu":
        return provider_of(provider).unasked
    word = device.partition(":")[0].lower()
    return word in {short_name(provider), provider.lower()} or (not provider and word in plugin.lower())


def _ending(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    return one_line((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1], 200)
