from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edgeconv.benchmarking import recording
from edgeconv.benchmarking.recording import BEGIN, END, record, section_of, with_section, write_plot
from edgeconv.errors import ConfigError
from edgeconv.runtime.files import read_files
from edgeconv.runtime.loading import reference_model
from tests.benchmarking.made import made, row


def _written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_benchmark_is_kept_beside_the_model(copy: Path) -> None:
    before = _written(copy)
    written = record(made(row("fp32"), path=copy))
    assert written == (copy / "benchmark.json", copy / "benchmark.svg", copy / "report.html")
    assert _written(copy) - before == {"benchmark.json", "benchmark.svg"}
    assert json.loads((copy / "benchmark.json").read_text())["rows"][0]["variant"] == "fp32"
    assert (copy / "benchmark.svg").read_text().startswith("<svg ")
    read_files(copy).read("fp32")  # Nothing that the manifest vouches for has changed.


def test_the_report_gets_one_section_and_keeps_the_rest(copy: Path) -> None:
    before = (copy / "report.html").read_text(encoding="utf-8")
    record(made(row("fp32", 0.123), path=copy))
    once = (copy / "report.html").read_text(encoding="utf-8")
    assert "0.123" in once
    assert once.index('id="flips"') < once.index('id="benchmark"') < once.index('id="contract"')
    record(made(row("fp32", 0.456), path=copy))
    twice = (copy / "report.html").read_text(encoding="utf-8")
    assert "0.456" in twice
    assert "0.123" not in twice
    for page in (once, twice):
        head, _, rest = page.partition(BEGIN)
        assert head + rest.partition(f"{END}\n")[2] == before


def test_the_same_benchmark_again_changes_nothing(copy: Path) -> None:
    record(made(row("fp32"), path=copy))
    first = {path.name: path.read_bytes() for path in copy.iterdir()}
    record(made(row("fp32"), path=copy))
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == first


def test_a_page_that_is_no_report_stays_as_it_is(copy: Path) -> None:
    (copy / "report.html").write_text("mine")
    assert copy / "report.html" not in record(made(row("fp32"), path=copy))
    assert (copy / "report.html").read_text() == "mine"


def test_a_page_without_a_contract_has_its_section_at_the_end() -> None:
    page = with_section("<main>a</main>", "new")
    assert page == f"<main>a{BEGIN}\nnew\n{END}\n</main>"
    assert with_section(page, "newer") == f"<main>a{BEGIN}\nnewer\n{END}\n</main>"


def test_nothing_is_written_beside_a_lone_file_or_the_shipped_model(tiny: Path, tmp_path: Path) -> None:
    lone = Path(shutil.copy(tiny / "model.onnx", tmp_path))
    assert record(made(row("fp32"), path=lone)) == ()
    assert _written(tmp_path) == {"model.onnx"}
    shipped = reference_model()
    assert shipped is not None
    assert record(made(row("fp32"), path=shipped)) == ()
    assert "benchmark.json" not in _written(shipped)


def test_a_failure_leaves_the_report_as_it_was(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (copy / "report.html").read_bytes()

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgeconv.transaction.sync", full)
    with pytest.raises(OSError, match="No space left"):
        record(made(row("fp32"), path=copy))
    assert (copy / "report.html").read_bytes() == before


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name == "src"]
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_section_is_whole_escaped_and_loads_nothing() -> None:
    found = made(row("fp32", memory_bytes=None), row("in<t>8", 0.2, load_ms=None), row("fp32", batch=4))
    section = section_of(found, "svg")
    tags = _Tags()
    tags.feed(section)
    tags.close()
    assert tags.open == []
    assert tags.sources == ["data:image/svg+xml;base64,c3Zn"]
    assert "in&lt;t&gt;8" in section
    assert "A &lt;CPU&gt;" in section
    assert "<figure" not in section_of(found, None)


def test_rows_of_the_smallest_and_the_largest_batch_are_shown() -> None:
    section = section_of(made(*(row("fp32", 0.1 * batch, batch=batch) for batch in (1, 2, 4))), None)
    assert section.count('<th scope="row">') == 2


def test_a_plot_needs_accuracies(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The plot requires accuracies\. Received: none, .*Use `--dataset`"):
        write_plot(made(row("fp32", accuracy=None)), tmp_path / "plot.svg")
    write_plot(made(row("fp32")), tmp_path / "plot.svg")
    assert _written(tmp_path) == {"plot.svg"}


def test_without_accuracies_the_rest_is_kept(copy: Path) -> None:
    written = record(made(row("fp32", accuracy=None), path=copy))
    assert recording.PLOT_FILE not in {path.name for path in written}
    assert len(written) == 2
