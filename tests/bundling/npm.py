"""Packages from npm, installed once for all processes that run tests beside one another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_NO_NETWORK = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED")


def node_modules(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what `npm install --ignore-scripts` installs for a bundle; link to it, and do not write into it.

    Seconds, from npm's cache, for the first that asks; others wait for it.
    """
    if shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    import fcntl

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / f"npm-{bundle.name}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install(bundle, folder)
            (folder / "installed").touch()
    return folder / "node_modules"


def _install(bundle: Path, folder: Path) -> None:
    shutil.copy(bundle / "package.json", folder)
    command = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and _NO_NETWORK.search(done.stderr):
        pytest.skip("needs npm's registry, or its packages in npm's cache")
    assert done.returncode == 0, done.stderr
