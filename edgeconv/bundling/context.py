"""What a bundle has to know of a model, and how its templates say it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import onnxruntime as ort

from edgeconv.bundling import literals
from edgeconv.bundling.budget import preparation_budget
from edgeconv.bundling.interface import ARRAYS, BundleArray, BundleInterface
from edgeconv.bundling.selftest import Limit, SelftestSample, encode
from edgeconv.bundling.tolerances import PREPARED_LIMIT, Tolerance
from edgeconv.bundling.wording import in_words, invitation, preparation_in_words, purpose_of, row_in_words
from edgeconv.manifest import Manifest
from edgeconv.pictures import libtiff, metadata
from edgeconv.preparation import Preparation
from edgeconv.runtime.activation import pending_of
from edgeconv.tasks import CLASSES, YES_NO
from edgeconv.variants import REFERENCE, VARIANTS

SELFTEST_FILE = "selftest.bin"
MODEL_FILE = VARIANTS["e2e"].file
PLAIN_FILE = VARIANTS[REFERENCE].file
"""Names of the model in a bundle: with its preparation inside, and without."""


_DEVICES = """
## On a GPU

The page runs the model on WebGPU where the browser has it and the first samples of the self-test are answered rightly,
and else on the CPU by WebAssembly. It says beside each answer which it was, and why not the other. `?device=webgpu` and
`?device=wasm` behind an address take that one alone: `selftest.html?device=webgpu` tells what a browser makes of it.
"""


@dataclass(frozen=True)
class BundleContext:
    """A model, ready to be bundled.

    Attributes:
        manifest: the artifact's contract.
        interface: what goes into `model`, and what comes out.
        variant: the name of what is inside, such as ``"int8"``.
        model: the bytes of what the bundle's program runs: where a picture goes in, with its preparation inside.
        plain: the bytes of the variant itself.
        samples: the self-test's samples.
        tolerances: what the self-test allows, of each output.
        webgpu: whether a web page is to run it on a GPU where that answers right.
    """

    manifest: Manifest
    interface: BundleInterface
    variant: str
    model: bytes
    plain: bytes
    samples: tuple[SelftestSample, ...]
    tolerances: tuple[Tolerance, ...]
    webgpu: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders of templates that it takes, each replacing files of those before it."""
        return (*self.interface.parts, "on-webgpu" if self.webgpu else "on-wasm")

    @property
    def selftest(self) -> bytes:
        """What `selftest.bin` holds."""
        limits = [Limit(tolerance.limit, tolerance.spared, tolerance.cell) for tolerance in self.tolerances]
        return encode(self.samples, limits, self.interface.fingerprint)

    def values(self) -> dict[str, str]:
        """Return what templates may say, by the names of their tokens."""
        name = literals.one_line(re.sub(r"[^\w .+-]", "-", self.manifest.name)) or "model"
        slug = slug_of(self.manifest.name)
        purpose = purpose_of(self.interface, self.manifest.labels)
        return {
            "NAME": name,
            "SLUG": slug,
            "IDENTIFIER": identifier_of(slug),
            "GUARD": identifier_of(slug).upper(),
            "VARIANT": self.variant,
            "MODEL_FILE": MODEL_FILE if self.interface.preparation else PLAIN_FILE,
            "SELFTEST_FILE": SELFTEST_FILE,
            "TITLE_HTML": literals.html_element("title", name, depth=2),
            "HEADING_HTML": literals.html_element("h1", name, depth=4),
            "MODEL_HTML": literals.html_element("p", f"{name}, {self.variant}", depth=6),
            "PURPOSE": purpose,
            "DESCRIPTION": purpose[0].upper() + purpose[1:],
            "ACCURACY": self._accuracy(),
            "SAMPLES": str(len(self.samples)),
            "ALLOWED": in_words([tolerance.words for tolerance in self.tolerances[: len(self.interface.answers)]]),
            "PREPARED_TOLERANCE": f"{PREPARED_LIMIT:g}",
            "RUNTIME_FILES": "four files" if self.webgpu else "two files",
            "DEVICES": _DEVICES if self.webgpu else "",
            "EDGECONV_VERSION": version("edgeconv"),
            "ONNXRUNTIME_VERSION": ort.__version__,
            **interface_values(self.interface, self.manifest.labels),
            **(picture_values(self.interface.preparation) if self.interface.preparation else {}),
            "PENDING": pending_of(self.manifest) or "nothing",
        }

    def _accuracy(self) -> str:
        metrics = self.manifest.metrics
        measured = metrics.accuracy.get(self.variant) if metrics else None
        if self.interface.answer not in {CLASSES, YES_NO}:
            return "Its answers were held against those of the Keras model that it was exported from."
        if metrics is None or measured is None:
            return "Its accuracy was not measured: it was exported without labelled data."
        return f"It answers {measured:.2%} of the {metrics.count:,} test images of {metrics.dataset} right."


def interface_values(interface: BundleInterface, labels: Sequence[str]) -> dict[str, str]:
    """Return what templates may say of what goes in and out."""
    inputs, outputs = ([array.name for array in arrays] for arrays in (interface.inputs, interface.answers))
    named = interface.answer != ARRAYS
    return {
        "METAVAR": "FILE" if interface.preparation is None else "IMAGE",
        "EXAMPLE": "arrays.npz" if interface.preparation is None else "picture.png",
        "ROW": row_in_words(interface),
        "FINGERPRINT": str(interface.fingerprint),
        "THRESHOLD": repr(interface.threshold),
        "PREPARED_PYTHON": "None" if interface.preparation is None else '"prepared"',
        "OF_DIGITS": "true" if interface.of_digits else "false",
        "OF_DIGITS_PYTHON": str(interface.of_digits),
        "INPUTS_PYTHON": literals.python_tuple("INPUTS: tuple[str, ...]", inputs),
        "OUTPUTS_PYTHON": literals.python_tuple("OUTPUTS: tuple[str, ...]", outputs),
        "INPUTS_JAVASCRIPT": literals.javascript_array("export const inputs = [", inputs, "];"),
        "INPUT_WORDS_JAVASCRIPT": literals.javascript_array(
            "export const inputWords = [", [array.words for array in interface.inputs], "];"
        ),
        "OUTPUTS_JAVASCRIPT": literals.javascript_array("export const outputs = [", outputs, "];"),
        "INPUTS_C": literals.c_pairs([(array.name, array.words) for array in interface.inputs]),
        "OUTPUTS_C": literals.c_pairs([(array.name, array.words) for array in interface.outputs]),
        "INPUT_COUNT": str(len(interface.inputs)),
        "OUTPUT_COUNT": str(len(interface.outputs)),
        "TAKES_PICTURE": str(int(interface.preparation is not None)),
        "INPUTS_LIST": _list(interface.inputs),
        "OUTPUTS_LIST": _list(interface.answers),
        "INPUTS_TABLE": _table(interface.inputs),
        "OUTPUTS_TABLE": _table(interface.answers),
        "CLASSES": str(len(labels)),
        "LABELS_PYTHON": literals.python_tuple("LABELS: tuple[str, ...]", labels if named else ()),
        "LABELS_JAVASCRIPT": literals.javascript_array("export const labels = [", labels if named else (), "];"),
        "LABELS_TYPESCRIPT": literals.typescript_union("export type Label =", labels if named else ()),
        "LABELS_C": literals.c_strings(labels),
    }


def picture_values(preparation: Preparation) -> dict[str, str]:
    """Return what templates may say of the pictures that go in."""
    budget = preparation_budget(preparation)
    listed = ", ".join(f"{channels}: {size}" for channels, size in budget.pixel_bytes.items())
    return {
        "PIXEL_BYTES": f"{{ {listed} }}",
        "PIXEL_BYTES_PYTHON": f"{{{listed}}}",
        "PIXEL_BYTES_C": ", ".join(f"[{channels}] = {size}" for channels, size in budget.pixel_bytes.items()),
        "ROWS_BESIDE": str(budget.rows),
        "MOST_BYTES": str(budget.most_bytes),
        "HEIGHT": str(preparation.height),
        "WIDTH": str(preparation.width),
        "CHANNELS": str(preparation.channels),
        "INVITATION": invitation(preparation),
        "IF_NOTHING": " Where all of `prepared` is 0, say that no digit was found." * (preparation.kind == "digit"),
        "PREPARATION": preparation_in_words(preparation),
        "METADATA_MODULE": inspect.getsource(metadata).rstrip(),
        "LIBTIFF_MODULE": inspect.getsource(libtiff).rstrip(),
    }


def _list(arrays: Sequence[BundleArray]) -> str:
    return "\n".join(f"- `{array.name}`: {array.words}" for array in arrays)


def _table(arrays: Sequence[BundleArray]) -> str:
    return "\n".join(f"| `{array.name}` | {array.words} |" for array in arrays)


def slug_of(name: str) -> str:
    """Return a name that package managers take: lower-case letters, digits and dashes, beginning with a letter.

    Example:
        >>> slug_of("My Model_2")
        'my-model-2'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "model"
    return slug if slug[0].isalpha() else f"model-{slug}"


def identifier_of(slug: str) -> str:
    """Return a name that programming languages take."""
    return slug.replace("-", "_")
