"""A process that runs a tiny model on one provider, for the one that started it to see how that ends.

    python -P -m edgeconv.diagnosis.trial PROVIDER [PLUGIN]

It writes a JSON object to stdout: the provider's own name, and the reason where it fails.
"""

from __future__ import annotations

import base64
import json
import sys

import numpy as np

from edgeconv.errors import ProviderError
from edgeconv.runtime.plugins import load_plugin
from edgeconv.runtime.provider_check import difference
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session, run_native

MODEL = base64.b64decode(
    "CAgSCGVkZ2Vjb252OsUFCiYKAXgKAXcSAWEiBENvbnYqFQoMa2VybmVsX3NoYXBlQANAA6ABBwoMCgFhEgFiIgRSZWx1Cg8KAWIS"
    "AWMiB0ZsYXR0ZW4KEQoBYwoBbRIBeSIGTWF0TXVsEgV0cmlhbCqgAQgCCAIIAwgDEAFCAXdKkAEAAMC+AACAvgAAAL4AAAAAAAAA"
    "PgAAgD4AAMA+AADAvgAAgL4AAAC+AAAAAAAAAD4AAIA+AADAPgAAwL4AAIC+AAAAvgAAAAAAAAA+AACAPgAAwD4AAMC+AACAvgAA"
    "AL4AAAAAAAAAPgAAgD4AAMA+AADAvgAAgL4AAAC+AAAAAAAAAD4AAIA+AADAPgAAwL4qjAMIIAgDEAFCAW1KgAMAAAC/AACAvgAA"
    "AAAAAIA+AAAAPwAAAL8AAIC+AAAAAAAAgD4AAAA/AAAAvwAAgL4AAAAAAACAPgAAAD8AAAC/AACAvgAAAAAAAIA+AAAAPwAAAL8A"
    "AIC+AAAAAAAAgD4AAAA/AAAAvwAAgL4AAAAAAACAPgAAAD8AAAC/AACAvgAAAAAAAIA+AAAAPwAAAL8AAIC+AAAAAAAAgD4AAAA/"
    "AAAAvwAAgL4AAAAAAACAPgAAAD8AAAC/AACAvgAAAAAAAIA+AAAAPwAAAL8AAIC+AAAAAAAAgD4AAAA/AAAAvwAAgL4AAAAAAACA"
    "PgAAAD8AAAC/AACAvgAAAAAAAIA+AAAAPwAAAL8AAIC+AAAAAAAAgD4AAAA/AAAAvwAAgL4AAAAAAACAPgAAAD8AAAC/AACAvgAA"
    "AAAAAIA+AAAAPwAAAL8AAIC+AAAAAAAAgD4AAAA/AAAAvwAAgL4AAAAAAACAPgAAAD8AAAC/AACAvgAAAAAAAIA+AAAAPwAAAL9a"
    "GwoBeBIWChQIARIQCgIIAQoCCAIKAggGCgIIBmITCgF5Eg4KDAgBEggKAggBCgIIA0IECgAQEQ=="
)
"""A convolution of 3 x 3 on `x`, float32 (1, 2, 6, 6), a ReLU, and a matrix; `tests/diagnosis` has its source."""

SHAPE = (1, 2, 6, 6)


def try_provider(provider: str, plugin: str = "") -> dict[str, str]:
    """Run the model on a provider, and return its name with why it fails, or without.

    Args:
        provider: ONNX Runtime's name of it, with or without ``":ID"``; empty: that of the plugin.
        plugin: the package or the library that it is loaded from; empty where it is built in.
    """
    name, _, number = provider.partition(":")
    try:
        if plugin:
            name = load_plugin(plugin)
        feeds = {"x": np.linspace(-1.0, 1.0, int(np.prod(SHAPE)), dtype=np.float32).reshape(SHAPE)}
        answers, right = (
            dict(zip(["y"], run_native(open_session(MODEL, one, 1), ["y"], feeds), strict=True))
            for one in (f"{name}:{number}" if number else name, CPU)
        )
    except ProviderError as error:
        return {"provider": name, "reason": str(error)}
    problem = difference(answers, right)
    return {"provider": name} | ({"reason": f"It computes wrong: {problem}."} if problem else {})


if __name__ == "__main__":
    print(json.dumps(try_provider(*sys.argv[1:])))
