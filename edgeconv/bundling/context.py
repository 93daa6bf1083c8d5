"""What a bundle has to know of a model, and how its templates say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version

import onnxruntime as ort

from edgeconv.bundling import literals
from edgeconv.bundling.selftest import SelftestSample, Tolerances
from edgeconv.manifest import Manifest
from edgeconv.preparation import Preparation
from edgeconv.variants import VARIANTS

SELFTEST_FILE = "selftest.bin"
MODEL_FILE = VARIANTS["e2e"].file


@dataclass(frozen=True)
class BundleContext:
    """A model, ready to be bundled.

    Attributes:
        manifest: the artifact's contract.
        preparation: what the model's pictures go through.
        variant: the name of what is inside `embedded`, such as ``"int8"``.
        embedded: the bytes of the model with its preparation inside.
        plain: the bytes of the variant itself, which takes prepared images.
        samples: the self-test's samples.
        tolerances: what the self-test allows.
    """

    manifest: Manifest
    preparation: Preparation
    variant: str
    embedded: bytes
    plain: bytes
    samples: tuple[SelftestSample, ...]
    tolerances: Tolerances

    def values(self) -> dict[str, str]:
        """Return what templates may say, by the names of their tokens."""
        name = literals.one_line(re.sub(r"[^\w .+-]", "-", self.manifest.name)) or "model"
        slug = slug_of(self.manifest.name)
        labels = self.manifest.labels
        _, height, width, channels = self.manifest.input.shape
        return {
            "NAME": name,
            "SLUG": slug,
            "IDENTIFIER": identifier_of(slug),
            "GUARD": identifier_of(slug).upper(),
            "VARIANT": self.variant,
            "MODEL_FILE": MODEL_FILE,
            "SELFTEST_FILE": SELFTEST_FILE,
            "CLASSES": str(len(labels)),
            "HEIGHT": str(height),
            "WIDTH": str(width),
            "CHANNELS": str(channels),
            "OUTPUT_KIND": self.manifest.output.kind,
            "LABELS_PYTHON": literals.python_tuple("LABELS", labels),
            "LABELS_JAVASCRIPT": literals.javascript_array("export const labels = [", labels, "];"),
            "LABELS_TYPESCRIPT": literals.typescript_union("export type Label =", labels),
            "LABELS_C": literals.c_strings(labels),
            "LABELS_TEXT": "\n".join(map(literals.one_line, labels)),
            "TITLE_HTML": literals.html_element("title", name, depth=2),
            "HEADING_HTML": literals.html_element("h1", name, depth=4),
            "INVITATION": _invitation(self.preparation),
            "PREPARATION": _in_words(self.preparation),
            "ACCURACY": self._accuracy(),
            "SAMPLES": str(len(self.samples)),
            "PREPARED_TOLERANCE": f"{self.tolerances.prepared:g}",
            "PROBABILITY_TOLERANCE": f"{self.tolerances.probabilities:.3g}",
            "EDGECONV_VERSION": version("edgeconv"),
            "ONNXRUNTIME_VERSION": ort.__version__,
        }

    def _accuracy(self) -> str:
        metrics = self.manifest.metrics
        measured = metrics.accuracy.get(self.variant) if metrics else None
        if metrics is None or measured is None:
            return "Its accuracy was not measured: it was exported without labelled data."
        return f"It answers {measured:.2%} of the {metrics.count:,} test images of {metrics.dataset} right."


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


def _invitation(preparation: Preparation) -> str:
    """Say what a page takes: a pen draws digits and what else is grey, and no photographs in colour."""
    if preparation.kind == "digit":
        return "Draw a digit, or drop a picture"
    return "Draw, or drop a picture" if preparation.channels == 1 else "Drop or paste a picture"


def _in_words(preparation: Preparation) -> str:
    size = f"{preparation.height}x{preparation.width}"
    if preparation.kind == "digit":
        return (
            f"finds the ink, dark on bright or bright on dark, scales it into {preparation.box}x{preparation.box}, "
            f"and centres it by its mass in {size}, white on black"
        )
    colours = "grey" if preparation.channels == 1 else "RGB"
    fitted = {
        "crop": f"cuts out the middle with the aspect of {size} and resizes it",
        "stretch": f"resizes the picture to {size}",
        "pad": f"resizes the picture into {size} and adds black bars",
    }[preparation.fit]
    how = {"triangle": "antialiased", "bilinear": "bilinear, not antialiased", "nearest": "to the nearest pixel"}
    return f"turns the picture to {colours}, {fitted}, {how[preparation.filter]}"
