"""Pictures to `/predict`, as `curl` sends them."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.serving.running import Server

DIGITS = "/v2/models/digits/predict"


def test_a_picture_gets_the_answer_that_the_command_gives(server: Server, seven: Path) -> None:
    answer = server.ask(DIGITS, seven.read_bytes(), content_type="image/png")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    expected = Predictor(reference_model(), device="cpu").predict(seven).as_dict()
    assert answer.json["label"] == "7"
    assert answer.json["probability"] == pytest.approx(expected["probability"], abs=1e-6)
    assert [row["label"] for row in answer.json["top"]] == [row["label"] for row in expected["top"]]
    assert len(server.ask(f"{DIGITS}?top_k=1", seven.read_bytes()).json["top"]) == 1


def test_many_pictures_in_a_form_and_in_json(server: Server, seven: Path) -> None:
    content = seven.read_bytes()
    part = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\n\r\n%s\r\n'
    form = part % (b"file", content) + part % (b"other", b"no picture") + b"--b--\r\n"
    listed = json.dumps([base64.b64encode(one).decode() for one in (content, b"no picture")]).encode()
    for body, kind in ((form, "multipart/form-data; boundary=b"), (listed, "application/json")):
        good, bad = server.ask(DIGITS, body, content_type=kind).json
        assert good["label"] == "7"
        assert bad["error"].startswith("the picture: a PNG, JPEG, BMP, GIF, WebP or TIFF picture is required")


def test_curl_sends_a_picture(server: Server, seven: Path) -> None:
    for option in (["--data-binary", f"@{seven}"], ["-F", f"file=@{seven}"]):
        found = subprocess.run(["curl", "-sS", *option, server.url + DIGITS], capture_output=True, check=True)
        assert b'"label": "7"' in found.stdout


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "words"),
    [
        (DIGITS, b"", "image/png", 400, "an empty file"),
        (DIGITS, b"GIF89a", "image/gif", 400, "damaged or cut short"),
        (DIGITS, b"x", "text/html", 415, "Received: text/html"),
        (DIGITS, b"{}", "application/json", 400, "JSON list of pictures in base64"),
        (DIGITS, b"[1]", "application/json", 400, "JSON list of pictures in base64"),
        (DIGITS, b'["!"]', "application/json", 400, "JSON list of pictures in base64"),
        (DIGITS, '["é"]'.encode(), "application/json", 400, "JSON list of pictures in base64"),
        (DIGITS, b'["", ""' + b', ""' * 40 + b"]", "application/json", 400, "at most 32 pictures. Received: 42"),
        (DIGITS, b"x", "multipart/form-data", 400, "multipart/form-data is required"),
        (DIGITS, b"--b--\r\n", "multipart/form-data; boundary=b", 400, "Files are required"),
        (f"{DIGITS}?top_k=0", b"x", "image/png", 400, "`top_k` must be"),
        (f"{DIGITS}?threshold=2", b"x", "image/png", 400, "`threshold` must be 0 to 1"),
        (f"{DIGITS}?else=2", b"x", "image/png", 400, "takes top_k and threshold"),
        ("/v2/models/nothing/predict", b"x", "image/png", 404, "must be one of digits"),
        ("/predict", b"x", "image/png", 404, "must be named where there are several"),
    ],
)
def test_what_is_no_picture_is_refused(
    server: Server, path: str, body: bytes, kind: str, status: int, words: str
) -> None:
    answer = server.ask(path, body, content_type=kind)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert words in answer.json["error"]
    assert "<" not in answer.json["error"]


def test_a_classifier_has_no_png(server: Server, seven: Path) -> None:
    answer = server.ask(DIGITS, seven.read_bytes(), accept="image/png")
    assert (answer.status, answer.headers["content-type"]) == (406, "application/json")
    assert "answers with JSON" in answer.json["error"]


def test_a_blank_sheet_has_no_digit(server: Server, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (60, 60), 255).save(tmp_path / "blank.png")
    answer = server.ask(DIGITS, (tmp_path / "blank.png").read_bytes())
    assert answer.status == 400
    assert "no ink found" in answer.json["error"]
