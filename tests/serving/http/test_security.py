"""Keys, other sites' pages, headers, certificates, and what nobody is told."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeconv.errors import ConfigError
from edgeconv.serving.config import ServeConfig
from edgeconv.serving.errors import RequestError
from edgeconv.serving.http.keys import VARIABLE, Keys, read_keys
from edgeconv.serving.http.origins import Origins
from tests.serving.running import Server, serving
from tests.serving.test_lifecycle import body

KEY, OTHER = "0123456789abcdef", "fedcba9876543210-second"


@pytest.fixture(scope="module")
def guarded(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that wants one of two keys, from a file and from the environment."""
    file = tmp_path_factory.mktemp("keys") / "keys.txt"
    file.write_text(f"# of the tests\n{KEY}\n\n")
    with serving(f"colours={tiny}", "--api-keys", file, env={VARIABLE: OTHER}) as running:
        yield running


def test_a_key_opens_everything_and_nothing_opens_without(guarded: Server) -> None:
    for path in ("/", "/ui/colours/", "/v2", "/v2/models/colours", "/metrics", "/openapi.json"):
        refused = guarded.ask(path)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer, Basic realm="edgeconv"')
        assert guarded.ask(path, authorization="Bearer wrong-wrong-wrong").status == 401
        assert guarded.ask(path, authorization=f"Basic {KEY}").status == 401
        assert guarded.ask(path, authorization=f"Basic {b64encode(b'me:wrong-wrong-wrong').decode()}").status == 401
        assert guarded.ask(path, x_api_key=KEY[:-1]).status == 401
    password = {"authorization": f"Basic {b64encode(f'anybody:{KEY}'.encode()).decode()}"}
    for headers in (password, {"authorization": f"Bearer {KEY}"}, {"x_api_key": KEY}, {"x_api_key": OTHER}):
        assert guarded.ask("/v2", **headers).status == 200
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert guarded.ask(path).status == 200, "a probe has no key"
    infer = "/v2/models/colours/infer"
    assert [guarded.ask(infer, body(), **headers).status for headers in ({}, {"x_api_key": KEY})] == [401, 200]


def test_keys_are_read_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_keys(None) == ()
    assert not Keys(())
    (tmp_path / "short").write_text("secret\n")
    (tmp_path / "none").write_text("# none\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, words in (
        ("short", "at least 16 letters"),
        ("none", "must hold keys"),
        ("binary", "must hold keys as text"),
    ):
        with pytest.raises(ConfigError, match=words):
            read_keys(str(tmp_path / name))


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first of several fits, the others are compared all the same: the time tells nothing."""
    import hmac

    compared: list[bytes] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    keys = Keys((KEY, OTHER, "another-key-of-some-length"))
    assert keys.admit(b"", KEY.encode())
    assert len(compared) == 3
    assert not keys.admit(b"Bearer " + KEY.encode()[:-1], b"")
    assert len(set(map(len, compared))) == 1, "digests, whose length tells nothing either"


def test_pages_of_other_sites_are_refused(server: Server) -> None:
    assert server.ask("/v2/repository/models/spare/unload", b"", origin="https://evil.example").status == 403
    assert server.ask("/v2", host="evil.example").status == 403, "a name of another site that leads here"
    assert server.ask("/v2", host=f"localhost:{server.port}").status == 200
    assert server.ask("/v2", origin=server.url, host=server.address).status == 200
    assert server.ask("/v2", origin="null").status == 403, "a page in a sandbox"


@pytest.mark.parametrize(
    ("config", "host", "good"),
    [
        (ServeConfig(), b"[::1]:8000", True),
        (ServeConfig(), b"", False),
        (ServeConfig(host="0.0.0.0"), b"models.example", True),
        (ServeConfig(allowed_hosts=("models.example",)), b"Models.Example:80", True),
        (ServeConfig(host="0.0.0.0", allowed_hosts=("models.example",)), b"other.example", False),
    ],
)
def test_names_of_the_server(config: ServeConfig, host: bytes, good: bool) -> None:
    origins = Origins(config)
    if good:
        origins.check(host, b"")
    else:
        with pytest.raises(RequestError, match="`Host` must be a name of this server"):
            origins.check(host, b"")


def test_headers_of_every_answer(server: Server) -> None:
    for path in ("/v2", "/nowhere", "/metrics"):
        headers = server.ask(path, x_request_id="mine-1").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"] == "mine-1"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    assert server.ask("/v2", x_request_id='"; evil').headers["x-request-id"] != '"; evil'


def test_no_answer_tells_a_path(tiny: Path, tmp_path: Path) -> None:
    """A model that cannot be loaded: the log says what is wrong with which file, clients hear that it is not there."""
    folder = tmp_path / "secret-folder"
    shutil.copytree(tiny, folder)
    (folder / "model.int8.onnx").write_bytes(b"damaged")
    with serving(f"broken={folder}", f"colours={tiny}", ready=False) as running:
        assert "secret-folder" in running.wait_for("`broken` cannot be loaded")
        while running.ask("/v2/models/colours/ready").status != 200:
            pass
        for path in ("/v2/models/broken", "/v2/health/ready", "/v2/models/broken/ready"):
            answer = running.ask(path)
            assert answer.status == 503
            assert "secret" not in answer.body.decode() + str(answer.headers)
        for path in ("/v2/repository/index", "/v2/repository/models/broken/load", "/v2/models/broken/infer"):
            assert "secret" not in running.ask(path, b"").body.decode()


def test_the_log_has_a_line_for_each_request(server: Server) -> None:
    import json
    import time

    server.ask("/v2/models/colours", x_request_id="of-the-log")
    deadline = time.monotonic() + 10
    while not (found := [line for line in server.logged if "of-the-log" in line]) and time.monotonic() < deadline:
        time.sleep(0.05)
    row = json.loads(found[0])
    assert {name: row[name] for name in ("id", "client", "method", "path", "status")} == {
        "id": "of-the-log",
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/v2/models/colours",
        "status": 200,
    }
    assert row["ms"] > 0


def test_tls(tiny: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-out", str(certificate), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    with serving(f"colours={tiny}", "--certificate", certificate, "--certificate-key", key) as running:
        assert running.scheme == "https"
        trusting = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{running.url}/v2", context=trusting, timeout=30) as response:
            assert response.status == 200
    with pytest.raises(ConfigError, match="requires a certificate"):
        ServeConfig(certificate_key="k.pem")


def test_who_can_reach_the_server_is_said(server: Server, tiny: Path) -> None:
    assert "for this machine alone" in server.wait_for("Listening")
    with serving(f"colours={tiny}", "--host", "0.0.0.0", ready=False) as running:
        said = running.wait_for("Listening")
    assert "for other machines too, by anybody: no --api-keys are given, unencrypted" in said
