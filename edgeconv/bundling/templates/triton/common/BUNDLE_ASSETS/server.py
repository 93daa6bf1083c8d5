"""The model on a Triton server, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from .contract import OUTPUTS, PREPARED, Arrays, BundleError, InputError, in_words
from .predictor import Predictor

MODEL = "BUNDLE_MODEL_NAME"


class Server(Predictor):
    """A Triton server with the models of this bundle."""

    def __init__(self, url: str = "localhost:8000") -> None:
        self._url = url
        self._client = triton.InferenceServerClient(url)

    def run(self, arrays: Arrays) -> Arrays:
        """Return the outputs to inputs by name."""
        return self.ask(MODEL, arrays, [*OUTPUTS, PREPARED] if PREPARED else OUTPUTS)

    def ask(self, model: str, arrays: Arrays, outputs: Sequence[str]) -> Arrays:
        """Return outputs of any model on the server."""
        given = []
        for name, array in arrays.items():
            dtype = np_to_triton_dtype(array.dtype)
            given.append(triton.InferInput(name, list(array.shape), dtype))
            given[-1].set_data_from_numpy(array)
        wanted = [triton.InferRequestedOutput(name) for name in outputs]
        try:
            result = self._client.infer(model, given, outputs=wanted)
        except InferenceServerException as error:
            refused = error.status() == "400"
            problem = f"{model} at {self._url}: {in_words(error)}"
            raise (InputError if refused else BundleError)(problem) from error
        except OSError as error:
            raise BundleError(f"{model} at {self._url}: {in_words(error)}") from error
        return {name: result.as_numpy(name) for name in outputs}
