"""Arms each Python process that has this folder on its path to kill itself; see `tests.kills.killing`."""

import os
import sys

if "KILL_AT" in os.environ:
    sys.path.append(os.environ["KILL_ROOT"])
    from tests.kills.killing import arm

    arm(int(os.environ["KILL_AT"]), os.environ["KILL_BELOW"])
