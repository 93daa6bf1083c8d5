"""A bundle's signature, with a key of one's own: made and held against the files without a network.

The signature covers `manifest.json` and every file that it lists. What is built or installed beside them is not signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeconv.artifact import MANIFEST_FILE
from edgeconv.bundling.inventory import read_inventory
from edgeconv.errors import ArtifactError, ChecksumError, ConfigError, one_line, require

if TYPE_CHECKING:
    from model_signing.hashing import Config as Hashing

SIGNATURE_FILE = "model.sig"


def sign(folder: Path, private_key: Path) -> None:
    """Sign a bundle; the signature lies in its `model.sig`.

    Args:
        folder: the bundle.
        private_key: an elliptic curve key (P-256, P-384 or P-521) in PEM form, without a password.

    Raises:
        ArtifactError: the folder is no bundle, or a file of it is absent.
        ConfigError: there is no such key.
        MissingDependencyError: `model-signing` is not installed.
    """
    require("model_signing", "OpenSSL", extra="sign", purpose="Signing a bundle")
    from model_signing import signing

    try:
        config = signing.Config().use_elliptic_key_signer(private_key=private_key)
    except Exception as error:  # The libraries for keys raise whatever they find wrong.
        raise _unusable("private", private_key, error) from error
    try:
        config.set_hashing_config(_listed_only(folder)).sign(folder, folder / SIGNATURE_FILE)
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"`{folder}` must hold the files of its manifest. Received: {one_line(error)}. Make the bundle again."
        ) from error


def verify(folder: Path, public_key: Path) -> None:
    """Verify a bundle's signature; return if it is that of the key over these very files.

    Args:
        folder: the bundle.
        public_key: the other half of the key that signed it, in PEM form.

    Raises:
        ArtifactError: the folder is no bundle.
        ChecksumError: the signature is absent or another's, or a signed file was changed or removed, or a file that
            the manifest lists was added.
        ConfigError: there is no such key.
        MissingDependencyError: `model-signing` is not installed.
    """
    require("model_signing", "OpenSSL", extra="sign", purpose="Verifying a signature")
    from model_signing import verifying

    try:
        config = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
    except Exception as error:
        raise _unusable("public", public_key, error) from error
    hashing = _listed_only(folder)
    signature = folder / SIGNATURE_FILE
    if not signature.is_file():
        raise ChecksumError(f"`{folder}` must be signed. Received: no `{SIGNATURE_FILE}`. Make it with `--sign`.")
    try:
        config.set_hashing_config(hashing).verify(folder, signature)
    except Exception as error:  # A damaged signature fails in the parsers of three libraries.
        raise ChecksumError(
            f"`{folder}` must be as it was signed with the key of `{public_key}`. Received: {one_line(error)}. "
            "Get the bundle again from whoever signed it."
        ) from error


def _listed_only(folder: Path) -> Hashing:
    """Return what reads exactly the files of a bundle's manifest, and the manifest."""
    from model_signing.hashing import Config

    listed = [folder / path for path in (MANIFEST_FILE, *read_inventory(folder)["files"])]

    class ListedOnly(Config):  # type: ignore[misc]  # The library ships no types that are followed.
        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> Any:  # noqa: ARG002
            return super().hash(model_path, files_to_hash=listed)

    return ListedOnly()


def _unusable(half: str, path: Path, error: Exception) -> ConfigError:
    return ConfigError(
        f"`{path}` must be a {half} key of the curve P-256, P-384 or P-521 in PEM form, without a password. "
        f"Received: {one_line(error)}. Make a pair with `openssl ecparam -name prime256v1 -genkey -noout`."
    )
