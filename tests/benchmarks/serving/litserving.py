"""The same model behind LitServe, with batches as its documentation has them.

python -m tests.benchmarks.serving.litserving PORT
"""

from __future__ import annotations

import sys
from typing import Any

import litserve
import numpy as np

from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.runner import Runner


class Digits(litserve.LitAPI):
    """Images as JSON has them: {"data": [784 numbers]}."""

    def setup(self, device: Any) -> None:
        del device
        self.runner = Runner(reference_model())

    def decode_request(self, request):  # Without types, by which LitServe would read the address's query.
        return np.asarray(request["data"], np.uint8).reshape(28, 28, 1)

    def batch(self, inputs: Any) -> Any:
        return np.stack(inputs)

    def predict(self, x: Any) -> Any:
        return self.runner.run({"image": x})["probabilities"]

    def unbatch(self, output: Any) -> Any:
        return list(output)

    def encode_response(self, output: Any) -> Any:
        return {"data": output.tolist()}


if __name__ == "__main__":
    api = Digits(max_batch_size=32, batch_timeout=0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[1]), generate_client_file=False, log_level="error", num_api_servers=1)
