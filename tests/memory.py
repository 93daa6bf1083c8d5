"""What a process takes at most, measured from outside of it: in a child that has done nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

MOST_MB = 500.0
"""What any file may take, beside what the process had before it was opened."""

GUARD_BYTES = 8 * 2**30
"""Address space of the child: where the code fails to hold the promise, the machine is not to suffer for it."""

_CHILD = """
import json, re, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({guard}, {guard}))
def status(key):
    with open("/proc/self/status") as file:
        return int(re.search(key + r":\\s+(\\d+) kB", file.read())[1]) * 1024 / 1e6
def peak():
    return status("VmHWM")
{before}
base = peak()
try:
    answer = str(answer_of(*sys.argv[1:]))
except Exception as error:
    answer = f"{{type(error).__name__}}: {{error}}"
print(json.dumps([peak() - base, answer]))
"""


class Peak(NamedTuple):
    """What a child took at most beside what it had, in MB of 10**6 bytes, and what it answered or raised."""

    mb: float
    answer: str


def peak_of(code: str, *arguments: object) -> Peak:
    """Run a function in a child of its own, and tell what it took.

    Args:
        code: imports what it needs, which does not count, and defines `answer_of`, which takes the arguments as text.
        arguments: of the function.
    """
    child = _CHILD.format(guard=GUARD_BYTES, before=code)
    command = [sys.executable, "-P", "-c", child, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return Peak(*json.loads(done.stdout.splitlines()[-1]))
