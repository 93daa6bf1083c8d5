"""The code of the bundle `node`: its types, its form, and what others import of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import variations
from tests.bundling.node.running import node
from tests.linting import check_javascript, check_typescript


def test_types_fit_the_code(app: Path) -> None:
    """Compiles an app in TypeScript, and runs it; three seconds."""
    (app / "consumer.mts").write_text(
        """
        import { BundleError, InputError, labels, open, preparedShape } from "./index.mjs";
        import type { Answer, Label, Model, Picture } from "./index.mjs";
        import { decode, readPicture } from "./pictures.mjs";
        import { selftest, type Report } from "./judging.mjs";

        const known: Label = "7";
        // @ts-expect-error: no such class
        const unknown: Label = "no such class";
        const model: Model = await open();
        const data = new Uint8ClampedArray(40 * 30 * 4).fill(255);
        const blank: Picture = { data, width: 40, height: 30, channels: 4 };
        // @ts-expect-error: there are no pictures of two channels
        const two: Picture = { data, width: 40, height: 60, channels: 2 };
        const reasons: string[] = [];
        for (const picture of [blank, two, { ...blank, width: 41 }, { ...blank, data: [1] as unknown as Uint8Array }]) {
          try {
            await model.predict(picture);
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
            reasons.push(error.message);
          }
        }
        const read: Picture = await readPicture(process.argv[2]!);
        const seven: Answer = await model.predict(read);
        const dims = [read.height, read.width, read.channels];
        const { probabilities, prepared } = await model.run({ picture: { type: "uint8", data: read.data, dims } });
        const report: Report = await selftest(model);
        await model.release();
        let bundle = "";
        await open("absent.onnx").catch((error: unknown) => {
          if (error instanceof BundleError) bundle = error.name;
        });
        const label: Label | undefined = labels[seven.index];
        console.log(JSON.stringify({
          reasons, bundle, same: label === seven.label && label === known, passed: report.passed, unknown,
          sizes: [probabilities!.data.length, prepared!.data.length, ...preparedShape], decode: typeof decode,
        }));
        """
    )
    check_typescript(app, "consumer.mts", emit=True)
    done = node(app, "consumer.mjs", Path(__file__).parents[2] / "data" / "seven.png")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("reasons") == [
        "nothing was found in the picture",
        "1, 3 or 4 channels are read, not 2",
        "30 x 41 pixels of 4 bytes are required, not 4800 of Uint8ClampedArray",
        "30 x 40 pixels of 4 bytes are required, not 1 of Array",
    ]
    assert said == {
        "bundle": "BundleError",
        "same": True,
        "passed": True,
        "unknown": "no such class",
        "sizes": [10, 784, 28, 28, 1],
        "decode": "function",
    }


def test_a_prediction_leaves_no_file_in_the_home_folder(
    app: Path, seven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert node(app, "predict.mjs", seven).returncode == 0
    assert list(home.rglob("*")) == []


def test_another_package_can_install_it(app: Path) -> None:
    """By the name in its package.json, with its types; three seconds of TypeScript."""
    package = json.loads((app / "package.json").read_text())
    assert package["name"] == "mnist-reference-model"
    assert package["dependencies"]["onnxruntime-node"] == "1.30.0"
    other = app.parent / "other"
    (other / "node_modules").mkdir(parents=True)
    (other / "node_modules" / package["name"]).symlink_to(app)
    (other / "package.json").write_text('{ "type": "module" }')
    (other / "main.ts").write_text(
        'import { labels, type Label } from "mnist-reference-model";\n'
        'import { readPicture } from "mnist-reference-model/pictures";\n'
        'import { selftest } from "mnist-reference-model/selftest";\n'
        "const first: Label | undefined = labels[0];\n"
        "console.log(first, typeof readPicture, typeof selftest);\n"
    )
    check_typescript(other, "main.ts", emit=True)
    assert node(other, "main.js").stdout == "0 function function\n"


def test_the_code_is_formatted_and_linted(make_bundle: Any) -> None:
    """Runs prettier and eslint, two seconds."""
    check_javascript(make_bundle("node"))


def test_nothing_is_left_of_the_template(make_bundle: Any) -> None:
    for file in make_bundle("node").iterdir():
        assert "BUNDLE_" not in file.read_bytes().decode("latin1")


def test_any_names_of_classes_are_written_as_prettier_would(tmp_path: Path, modules: Path) -> None:
    """Runs prettier, eslint and TypeScript on eight bundles, six seconds."""
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text("{}")
    uses = []
    for number, labels in enumerate(variations.LABELS.values()):
        variations.render("node", tmp_path / f"{number}", labels=labels)
        uses.append(f'import {{ labels as labels{number}, type Label as Label{number} }} from "./{number}/index.mjs";')
        uses.append(f"export const all{number}: Label{number}[] = {json.dumps(labels[:50])};")
    uses.append(f"console.log(JSON.stringify([{', '.join(f'labels{n}' for n in range(len(variations.LABELS)))}]));")
    (tmp_path / "use.mts").write_text("\n".join(uses))
    check_javascript(tmp_path, "*/contract.mjs", "*/contract.d.mts")
    check_typescript(tmp_path, "use.mts", emit=True)
    assert json.loads(node(tmp_path, "use.mjs").stdout) == [list(labels) for labels in variations.LABELS.values()]


def test_any_name_of_a_model_leaves_the_code_valid(tmp_path: Path) -> None:
    """Runs prettier and eslint, two seconds."""
    for number, name in enumerate(variations.NAMES):
        folder = variations.render("node", tmp_path / f"{number}", name=name)
        assert re.fullmatch(r"[a-z][a-z0-9-]*", json.loads((folder / "package.json").read_text())["name"])
    check_javascript(tmp_path, "*/*.mjs", "*/*.d.mts", "*/package.json")
