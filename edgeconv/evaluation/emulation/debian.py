"""Packages of Debian for another architecture, unpacked into a folder: by apt and dpkg, without root's rights."""

from __future__ import annotations

import platform
from pathlib import Path

from edgeconv.errors import ProviderError
from edgeconv.evaluation.emulation.commands import CommandError, find_executable, run_command

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCE = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian bookworm main"
"""Where systems other than Debian get Debian's packages from; Debian asks the mirrors that it is set up for."""

TIMEOUT_S = 900.0

# Hooks of the machine's own apt have no business here, and fail without root's rights.
_SETTINGS = """\
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
"""


def unpack_packages(names: tuple[str, ...], architecture: str, folder: Path, scratch: Path) -> None:
    """Download packages with all that they require, and unpack them.

    Args:
        names: of the packages.
        architecture: as Debian calls it, such as ``"arm64"``.
        folder: where the packages' `usr`, `lib` and so on go; made.
        scratch: an empty folder for apt's own files.

    Raises:
        ProviderError: apt or dpkg is missing or failed.
    """
    _require_tools()
    (scratch / "state" / "lists" / "partial").mkdir(parents=True)
    (scratch / "cache" / "archives" / "partial").mkdir(parents=True)
    (scratch / "state" / "status").touch()
    settings = _SETTINGS.format(architecture=architecture, folder=scratch)
    if _system() != "debian":
        (scratch / "sources.list").write_text(f"{SOURCE}\n", encoding="utf-8")
        settings += f'Dir::Etc::sourcelist "{scratch}/sources.list";\nDir::Etc::sourceparts "-";\n'
    (scratch / "apt.conf").write_text(settings, encoding="utf-8")
    apt = ("apt-get", "-q", "-y", "-c", scratch / "apt.conf")
    try:
        run_command([*apt, "update"], timeout_s=TIMEOUT_S)
        run_command([*apt, "--download-only", "install", *names], timeout_s=TIMEOUT_S)
        for package in sorted((scratch / "cache" / "archives").glob("*.deb")):
            run_command(["dpkg", "-x", package, folder], timeout_s=TIMEOUT_S)
    except CommandError as error:
        raise ProviderError(
            f"Debian's packages {', '.join(names)} for {architecture} are required. Received: {error}. "
            "Look at the network and at apt's sources, or name a folder made elsewhere with EDGECONV_DEVICES."
        ) from error


def _require_tools() -> None:
    missing = [name for name in ("apt-get", "dpkg") if find_executable(name) is None]
    if missing:
        raise ProviderError(
            f"An ARM device requires apt-get and dpkg, once. Not installed: {', '.join(missing)}. Install `apt` and "
            "`dpkg`, or copy the folder from a Debian machine, and name it with EDGECONV_DEVICES."
        )
    if _system() != "debian" and not KEYRING.is_file():
        raise ProviderError(
            f"An ARM device requires Debian's keys, once. Received: no `{KEYRING}`. "
            "Install `debian-archive-keyring`, or name a folder made elsewhere with EDGECONV_DEVICES."
        )


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["ID"]
    except OSError:
        return ""
