from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_names_a_test_that_is_there() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = page.partition("## What is promised")[2].splitlines()[6:]
    named = [re.fullmatch(r"\| .+ \| `(.+\.py)::(test_\w+)` \|", row) for row in rows if row.startswith("|")]
    assert len(named) > 10
    for match in named:
        assert match is not None
        assert f"def {match[2]}(" in (ROOT / "tests" / match[1]).read_text(encoding="utf-8"), match[0]
