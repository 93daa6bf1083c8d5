from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("OpenSSL", reason="needs the extra `sign`")
pytest.importorskip("model_signing", reason="needs the extra `sign`")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.signing import SIGNATURE_FILE, sign, verify
from edgeconv.cli.main import cli
from edgeconv.errors import ArtifactError, ChecksumError, ConfigError, MissingDependencyError


def _write_pair(folder: Path, key: Any, password: bytes | None = None) -> tuple[Path, Path]:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private, public = folder / "key.pem", folder / "key.pub.pem"
    pem = serialization.Encoding.PEM
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _write_pair(tmp_path_factory.mktemp("keys"), ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def folder(make_bundle: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(make_bundle("python"), tmp_path / "app"))


@pytest.fixture
def signed(folder: Path, pair: tuple[Path, Path]) -> Path:
    sign(folder, pair[0])
    return folder


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_a_signed_bundle_is_verified_by_the_other_half_of_the_key(
    folder: Path, tmp_path: Path, curve: ec.EllipticCurve
) -> None:
    private, public = _write_pair(tmp_path, ec.generate_private_key(curve))
    sign(folder, private)
    assert (folder / SIGNATURE_FILE).is_file()
    verify(folder, public)


def test_the_bundler_signs_and_the_name_of_the_folder_does_not_matter(
    tiny: Path, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    made = bundle(tiny, target="python", out=tmp_path / "app", signing_key=pair[0]).path
    verify(made.rename(tmp_path / "renamed"), pair[1])


def test_the_command_line_signs_and_checks(tiny: Path, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    def run(*arguments: object) -> Any:
        return CliRunner().invoke(cli, ["bundle", *map(str, arguments)])

    app = tmp_path / "app"
    assert run(tiny, "--target", "python", "--out", app, "--sign", pair[0]).exit_code == 0
    assert run("--check", app, "--public-key", pair[1]).exit_code == 0
    (app / "predict.py").write_text("print('hello')")
    changed = run("--check", app, "--public-key", pair[1])
    assert (changed.exit_code, changed.stderr.count("\n")) == (1, 1)
    assert "must be as it was signed with the key of" in changed.stderr


def test_no_network_is_used(folder: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    sign(folder, pair[0])
    verify(folder, pair[1])


def test_what_is_built_beside_the_signed_files_does_not_matter(signed: Path, pair: tuple[Path, Path]) -> None:
    (signed / "node_modules").mkdir()
    (signed / "node_modules" / "index.js").write_text("")
    (signed / "link").symlink_to("node_modules")
    verify(signed, pair[1])
    sign(signed, pair[0])
    shutil.rmtree(signed / "node_modules")
    verify(signed, pair[1])


def _change(folder: Path) -> None:
    with (folder / "README.md").open("a") as readme:
        readme.write(" ")


def _change_and_relist(folder: Path) -> None:
    from edgeconv.bundling.inventory import inventory_of

    _change(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {path: entry for path, entry in inventory_of(folder).items() if path in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"files": files}))


def _add(folder: Path) -> None:
    (folder / "extra.py").write_text("")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["extra.py"] = {"size_bytes": 0, "sha256": ""}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _unlist(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["README.md"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _leave_the_folder(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../outside"] = {"size_bytes": 0, "sha256": ""}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder.parent / "outside").write_text("")


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (_change, "README.md"),
        (_change_and_relist, "README.md"),
        (lambda folder: (folder / "README.md").unlink(), "README.md"),
        (_add, "extra.py"),
        (_unlist, "README.md"),
        (_leave_the_folder, "outside"),
        (lambda folder: (folder / SIGNATURE_FILE).write_text("{}"), "Received: "),
        (lambda folder: (folder / SIGNATURE_FILE).write_text("no JSON"), "Received: "),
        (lambda folder: (folder / SIGNATURE_FILE).unlink(), r"no `model\.sig`"),
    ],
    ids=["changed", "changed and relisted", "removed", "added", "unlisted", "outside", "empty", "damaged", "unsigned"],
)
def test_what_was_tampered_with_is_named_in_one_line(
    signed: Path, pair: tuple[Path, Path], tamper: Callable[[Path], object], named: str
) -> None:
    tamper(signed)
    with pytest.raises(ChecksumError, match=named) as caught:
        verify(signed, pair[1])
    assert "\n" not in str(caught.value)


def test_another_key_does_not_verify(signed: Path, tmp_path: Path) -> None:
    _, other = _write_pair(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ChecksumError, match="must be as it was signed with the key of"):
        verify(signed, other)


def test_the_signature_of_another_bundle_does_not_verify(
    signed: Path, pair: tuple[Path, Path], tiny: Path, tmp_path: Path
) -> None:
    other = bundle(tiny, target="python", out=tmp_path / "other", signing_key=pair[0]).path
    shutil.copyfile(other / SIGNATURE_FILE, signed / SIGNATURE_FILE)
    with pytest.raises(ChecksumError, match="must be as it was signed"):
        verify(signed, pair[1])


def _protected(folder: Path) -> Path:
    return _write_pair(folder, ec.generate_private_key(ec.SECP256R1()), b"secret")[0]


def _rsa(folder: Path) -> Path:
    return _write_pair(folder, rsa.generate_private_key(65537, 2048))[0]


def _foreign_curve(folder: Path) -> Path:
    return _write_pair(folder, ec.generate_private_key(ec.SECP256K1()))[0]


def _garbage(folder: Path) -> Path:
    (folder / "key.pem").write_text("not a key")
    return folder / "key.pem"


@pytest.mark.parametrize(
    "make_key",
    [_protected, _rsa, _foreign_curve, _garbage, lambda folder: folder / "absent.pem", lambda folder: folder],
)
def test_a_key_that_cannot_be_used_is_an_error_in_one_line(
    folder: Path, tmp_path: Path, make_key: Callable[[Path], Path]
) -> None:
    key = make_key(tmp_path)
    for use, half in ((sign, "private"), (verify, "public")):
        with pytest.raises(ConfigError, match=f"must be a {half} key of the curve P-256") as caught:
            use(folder, key)
        assert "\n" not in str(caught.value)
    assert not (folder / SIGNATURE_FILE).exists()


def test_a_folder_that_is_no_bundle_is_not_signed(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    with pytest.raises(ArtifactError, match="no such file"):
        sign(tmp_path, pair[0])


def test_a_bundle_that_lacks_a_file_is_not_signed(folder: Path, pair: tuple[Path, Path]) -> None:
    (folder / "README.md").unlink(missing_ok=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["README.md"] = {"size_bytes": 0, "sha256": ""}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"must hold the files of its manifest.*README\.md"):
        sign(folder, pair[0])
    assert not (folder / SIGNATURE_FILE).exists()


def test_nothing_is_left_where_the_key_cannot_be_used(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be a private key"):
        bundle(tiny, target="python", out=tmp_path / "out" / "app", signing_key=tmp_path / "absent.pem")
    assert list((tmp_path / "out").iterdir()) == []


def test_signing_names_the_extra_it_needs(
    folder: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'edgeconv\[sign\]'"):
        sign(folder, pair[0])
    with pytest.raises(MissingDependencyError, match=r"pip install 'edgeconv\[sign\]'"):
        verify(folder, pair[1])
