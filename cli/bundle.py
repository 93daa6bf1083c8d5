"""`edgeconv bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from .output import emit, format_option, say
from .progress import TerminalProgress
from .variant_options import variant_option

TARGETS = ("python", "node", "web", "c", "triton", "ort")


@click.command()
@click.argument("model", required=False)
@click.option("--target", type=click.Choice(TARGETS), help="Kind of project to make.")
@click.option("--out", metavar="DIR", help="Folder to create. Default: the model's name and the target.")
@variant_option("int8 if there is one", bundled=True)
@click.option(
    "--webgpu", is_flag=True, help="With --target web: run fp32 on the browser's GPU if its results are right."
)
@click.option("--check", metavar="DIR", help="Verify the checksums of a bundle's files instead of making one.")
@click.option("--sign", "signing_key", metavar="KEY", help="Sign the bundle with this private key (PEM).")
@click.option("--public-key", metavar="KEY", help="With --check: verify the bundle's signature with this key too.")
@format_option
def command(
    model: str | None,
    target: str | None,
    out: str | None,
    variant: str | None,
    webgpu: bool,
    check: str | None,
    signing_key: str | None,
    public_key: str | None,
    output_format: str | None,
) -> None:
    """Make a small project that embeds MODEL, with a self-test.

    MODEL is an artifact's folder. Default: the newest under exported/, else the model that the package ships.

    \b
    Example: edgeconv bundle --target web --out my-app
    """
    if check is not None:
        if model or target or out or variant or webgpu or signing_key:
            raise click.UsageError("--check takes no other option than --public-key and --format.")
        _check(Path(check), public_key, output_format)
        return
    if target is None:
        raise click.UsageError(f"--target is required: one of {', '.join(TARGETS)}.")
    if public_key is not None:
        raise click.UsageError("--public-key goes with --check; to sign a bundle use --sign.")
    import edgeconv

    made = edgeconv.bundle(
        model,
        target=target,
        out=out,
        variant=variant,
        webgpu=webgpu,
        signing_key=signing_key,
        progress=TerminalProgress(),
    )
    say(f"Made {made.path}; its three commands are in {made.path / 'README.md'}.")
    files = [{"file": path, **facts} for path, facts in made.manifest["files"].items()]
    columns = {"file": lambda row: str(row["file"]), "bytes": lambda row: str(row["size_bytes"])}
    emit(made.as_dict(), files, columns, output_format)


def _check(folder: Path, public_key: str | None, output_format: str | None) -> None:
    import edgeconv
    from edgeconv.errors import ChecksumError

    checks = [check.as_dict() for check in edgeconv.check_bundle(folder, public_key=public_key)]
    columns = {
        "file": lambda row: str(row["path"]),
        "verdict": lambda row: "as it was made" if row["passed"] else str(row["problem"]),
    }
    failed = [check for check in checks if not check["passed"]]
    emit({"path": str(folder), "passed": not failed, "files": checks}, checks, columns, output_format)
    if failed:
        raise ChecksumError(
            f"`{folder}` must hold the {len(checks)} files of its manifest. Received: {failed[0]['path']} "
            f"{failed[0]['problem']}{f', and {len(failed) - 1} more' if len(failed) > 1 else ''}. Make it again."
        )
