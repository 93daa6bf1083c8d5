from __future__ import annotations

import itertools
from typing import Any

import pytest

from edgeconv.cli.output import WIDTH_SAMPLE, chosen_format, emit, write_csv, write_table


def test_a_pipe_gets_json_and_a_terminal_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, expected in ((True, "table"), (False, "json")):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal, raising=False)
        assert chosen_format(None) == expected
        assert chosen_format("csv") == "csv"


def test_columns_line_up_and_numbers_lie_at_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    write_table([("a", "1"), ("bbb", "100")], ("name", "n"))
    assert capsys.readouterr().out == "name    n\na       1\nbbb   100\n"


def test_rows_are_written_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[int] = []

    def rows() -> Any:
        for number in itertools.count():
            seen.append(len(capsys.readouterr().out.splitlines()))
            if number == 3 * WIDTH_SAMPLE:
                return
            yield (str(number),)

    write_table(rows(), ("n",))
    # The header and the rows read ahead come together, and from then on each row before the next is asked for.
    assert set(seen[:WIDTH_SAMPLE]) == {0}
    assert seen[WIDTH_SAMPLE] == WIDTH_SAMPLE + 1
    assert set(seen[WIDTH_SAMPLE + 1 :]) == {1}
    seen.clear()
    write_csv(({"n": cells[0]} for cells in rows()), ("n",))
    assert set(seen[1:]) == {1}


def test_emit_writes_nested_values_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"stage": "fp32", "flips": [1, 2]}]
    emit({"rows": rows}, rows, {"stage": lambda row: row["stage"]}, "csv")
    assert capsys.readouterr().out == 'stage,flips\nfp32,"[1, 2]"\n'
    emit({"rows": rows}, rows, {"stage": lambda row: row["stage"]}, "json")
    assert capsys.readouterr().out == '{"rows": [{"stage": "fp32", "flips": [1, 2]}]}\n'
    emit({"rows": rows}, rows, {"stage": lambda row: row["stage"]}, "table")
    assert capsys.readouterr().out == "stage\nfp32\n"
