"""The least that uvicorn can do with a session: raw bytes in, raw bytes out.

python -m tests.benchmarks.serving.bare PORT
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import uvicorn

from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.runner import Runner

runner = Runner(reference_model())


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one image, (1, 28, 28, 1)."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) < 784:
        body = bytes(784)
    image = np.frombuffer(body[-784:], np.uint8).reshape(1, 28, 28, 1)
    answer = runner.run({"image": image})["probabilities"].tobytes()
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
