"""What a model can be bundled for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeconv.bundling.context import BundleContext
from edgeconv.bundling.ort_format import FOLDER, write_ort
from edgeconv.bundling.rendering import render_parts
from edgeconv.bundling.triton import FOLDER as CLIENT_FOLDER
from edgeconv.bundling.triton import write_triton
from edgeconv.config import one_of

TEMPLATES = Path(__file__).parent / "templates"

Writer = Callable[[Path, BundleContext], Mapping[str, str]]
"""Writes the files of a target that are no templates into a folder, and returns what only it can tell the templates."""


@dataclass(frozen=True)
class BundleTarget:
    """One kind of project that embeds ONNX Runtime.

    Attributes:
        name: as `--target` has it, and the folder of its templates.
        assets: folder of the self-test's data, and of the model, inside the bundle.
        carries_model: whether that model is carried as it is; else `write` makes others of it.
        selftest: the command, run in the bundle's folder, that runs the self-test on a file that is named behind it;
            None where the bundle has none that runs without a server or a browser.
        selftest_page: whether the self-test is a page among the assets, for a browser.
        write: makes what is no template.
        builds_on: other folders of templates that come before its own.
    """

    name: str
    assets: str = "."
    carries_model: bool = True
    selftest: tuple[str, ...] | None = None
    selftest_page: bool = False
    write: Writer | None = None
    builds_on: tuple[str, ...] = ()

    def render(self, context: BundleContext, values: Mapping[str, str], out: Path) -> None:
        """Render its templates for a model into a folder."""
        folders = [TEMPLATES / name for name in (*self.builds_on, self.name)]
        render_parts(folders, context.parts, {"ASSETS": self.assets, **values}, out)


TARGETS = {
    target.name: target
    for target in (
        BundleTarget(
            "python",
            assets="model",
            selftest=("python", "predict.py", "--selftest"),
            builds_on=("python_code",),
        ),
        BundleTarget("node", selftest=("node", "selftest.mjs"), builds_on=("javascript_code",)),
        BundleTarget("web", assets="app", selftest_page=True, builds_on=("javascript_code",)),
        BundleTarget("c", selftest=("build/selftest",)),
        BundleTarget(
            "triton",
            assets=CLIENT_FOLDER,
            carries_model=False,
            write=write_triton,
            builds_on=("python_code",),
        ),
        BundleTarget(
            "ort",
            assets=FOLDER,
            carries_model=False,
            write=write_ort,
            builds_on=("python_code", "python"),
        ),
    )
}


def target_named(name: str) -> BundleTarget:
    """Return a target.

    Raises:
        ConfigError: there is none of that name.
    """
    one_of("target", name, TARGETS)
    return TARGETS[name]
