"""Requests to `edgeconv serve`, as the bytes that a client sends: inference, pictures, the repository."""

from __future__ import annotations

import base64
import gzip
import importlib.util
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from edgeconv.runtime.embedded import INPUT as PICTURE
from edgeconv.runtime.embedded import PREPARED
from tests.fuzz.asking import RefusedError
from tests.fuzz.damage import damaged
from tests.fuzz.target import SEVEN, TINY, Reader, Target
from tests.fuzz.texts import damaged_json

PIXELS = bytes(range(144)) * 3
PNG = SEVEN.read_bytes()
IN_TEXT = base64.b64encode(PNG).decode()


def _request(name: str, shape: list[int], datatype: str, **rest: Any) -> dict[str, Any]:
    wanted = {"name": "probabilities", "parameters": {"classification": 2, "binary_data": False}}
    return {"id": "a", "inputs": [{"name": name, "shape": shape, "datatype": datatype, **rest}], "outputs": [wanted]}


FLAT = _request("image", [1, 12, 12, 3], "UINT8", data=list(PIXELS))
NESTED = _request("image", [1, 12, 12, 3], "UINT8", data=[[[[1, 2, 3]] * 12] * 12])
ROWS = _request("image", [2, 12, 12, 3], "UINT8", data=[0] * 864) | {"parameters": {"binary_data_output": True}}
PICTURES = _request(PICTURE, [1], "BYTES", data=[IN_TEXT])
PICTURES["outputs"].append({"name": PREPARED})
BINARY = _request("image", [1, 12, 12, 3], "UINT8", parameters={"binary_data_size": len(PIXELS)})
STRINGS = _request(PICTURE, [1], "BYTES", parameters={"binary_data_size": 4 + len(PNG)})
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + PNG
    + b'\r\n--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n--b--\r\n'
)

JSON_TYPE = b"Content-Type: application/json"
FORM_TYPE = b"Content-Type: multipart/form-data; boundary=b"
LENGTHS = (b"-1", b"0", b"1", b"+7", b"1e3", b"7, 7", b"9" * 12, b"9" * 5000, "٣".encode(), b"")
"""What a length may be given as."""

ODD_HEADERS = (
    *(b"Inference-Header-Content-Length: " + length for length in LENGTHS),
    *(b"Content-Length: " + length for length in LENGTHS),
    *(b"Content-Encoding: " + coding for coding in (b"gzip", b"deflate", b"br", b"gzip, gzip", b"\xff")),
    *(b"Transfer-Encoding: " + coding for coding in (b"chunked", b"gzip", b"chunked, chunked", b"\x80")),
    *(b"Accept: " + kind for kind in (b"image/png", b"*/*", b"\xff" * 300)),
    *(b"Content-Type: " + kind for kind in (b"", b";", b"image/png", b"text/html", b"\xff/\xfe", b"a" * 5000)),
    *(FORM_TYPE[:-1] + edge for edge in (b"", b'"', b"\xff", b"x" * 300, b"b; charset=idna", b"b; charset=zlib")),
    *(b"Host: " + name for name in (b"", b"[", b"evil.test", b"127.0.0.1:x", b"\xff")),
    *(b"Origin: " + page for page in (b"null", b"http://evil.test", b"http://127.0.0.1", b"\xff")),
    *(b"X-Request-Id: " + name for name in (b"", b"a" * 65, b"\xff", b'"; evil')),
    *(b"Expect: 100-continue", b"Connection: close", b"Connection: Upgrade\r\nUpgrade: websocket", b"Upgrade: h2c"),
    *(b"Authorization: Basic \xff", b"No-Colon", b": empty", b" folded", b"X: " + b"y" * 40_000, b"A: b\r\n" * 120),
)

INFER, PREDICT = b"POST /v2/models/tiny/infer", b"POST /predict"
ODD_LINES = (
    *(b"POST /v2/models/" + name + b"/infer" for name in (b"%00", b"%0a", b"..%2f..", b"%ff", b"none", b"x" * 3000)),
    *(b"POST /v2/models/tiny/versions/" + number + b"/infer" for number in (b"1", b"0", b"-1", b"%0d%0a", b"9" * 5000)),
    *(PREDICT + b"?top_k=" + number for number in (b"0", b"-1", b"99999999", b"%D9%A3", b"9" * 5000, b"", b"%00")),
    *(PREDICT + b"?threshold=" + number for number in (b"nan", b"inf", b"1e999", b"0.5", b"%C2%B2", b"1_0")),
    *(b"GET /v2/models/%ff", b"PUT /predict", b"HEAD /v2", b"OPTIONS *", b"GET http://a/b", b"GET /%zz", b"GET \xff"),
    *(b"POST /predict?\xff=%ff&&=", b"POST /v2/models/tiny/predict?a=b", b"CONNECT a:1", b"POST //predict", b"BREW /"),
)


def _with_tensor(texts: SearchStrategy[bytes], content: bytes) -> SearchStrategy[tuple[bytes, list[bytes], bytes]]:
    """Return requests for inference whose tensor stands behind their JSON."""
    behind = st.just(content) | damaged([content])
    return st.builds(
        lambda text, tensor: (INFER, [b"Inference-Header-Content-Length: %d" % len(text)], text + tensor), texts, behind
    )


def _with(line: bytes, headers: list[bytes], bodies: SearchStrategy[bytes]) -> SearchStrategy[Any]:
    return bodies.map(lambda body: (line, headers, body))


SOUND_STRINGS = len(PNG).to_bytes(4, "little") + PNG
REQUESTS = st.one_of(
    _with(INFER, [JSON_TYPE], damaged_json([FLAT, NESTED, ROWS, PICTURES])),
    _with(INFER, [JSON_TYPE, b"Content-Encoding: gzip"], damaged_json([FLAT]).map(gzip.compress)),
    _with_tensor(damaged_json([BINARY]), PIXELS),
    _with_tensor(damaged_json([STRINGS]), SOUND_STRINGS),
    _with(PREDICT, [b"Content-Type: image/png"], damaged([PNG])),
    _with(PREDICT, [FORM_TYPE], damaged([FORM])),
    _with(PREDICT, [JSON_TYPE], damaged_json([[IN_TEXT], [IN_TEXT, IN_TEXT, "AAAA"]])),
    _with(b"POST /v2/repository/index", [JSON_TYPE], damaged_json([{"ready": True}])),
    *(
        _with(b"POST /v2/repository/models/tiny/" + action, [JSON_TYPE], damaged_json([{"parameters": {}}]))
        for action in (b"load", b"unload")
    ),
)
"""Line, headers and body of requests whose bodies are damaged."""


@st.composite
def requests(draw: DrawFn) -> bytes:
    """Return the bytes of a request, or of one and a part of the next."""
    line, headers, body = draw(REQUESTS)
    if draw(st.integers(0, 4)) == 0:
        line = draw(st.sampled_from(ODD_LINES))
    fields = [b"Host: 127.0.0.1", b"Content-Length: %d" % len(body), *headers]
    for header in draw(st.lists(st.sampled_from(ODD_HEADERS), max_size=2)):
        name = header.partition(b":")[0]
        if draw(st.booleans()):  # In the place of the one there is; else beside it.
            fields = [field for field in fields if field.partition(b":")[0] != name]
        fields.append(header)
    head = b"\r\n".join([line + b" HTTP/1.1", *fields, b"", b""])
    if draw(st.integers(0, 7)) == 0:
        head = draw(damaged([head]))
    return head + body


def _needs() -> str | None:
    absent = [name for name in ("uvicorn", "starlette", "httptools") if importlib.util.find_spec(name) is None]
    return f"needs {', '.join(absent)}" if absent else None


def _open(folder: Path) -> Reader:
    from tests.fuzz.answering import Server  # Here, since the extra `serve` may be absent.

    server = Server(TINY)
    return Reader(server.look, (RefusedError,), close=server.close)


TARGET = Target("requests", "request", requests(), _open, corpus="requests", needs=_needs)
