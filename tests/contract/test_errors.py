from __future__ import annotations

import inspect

import pytest

from edgeconv import errors


def test_every_error_is_drawn_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    classes = [item for _, item in inspect.getmembers(errors, inspect.isclass) if item.__module__ == errors.__name__]
    assert len(classes) > 10
    for error in classes:
        assert issubclass(error, errors.EdgeconvError | UserWarning)
        assert error.__name__ in tree


def test_python_knows_our_errors_by_its_own_names() -> None:
    assert issubclass(errors.ConfigError, ValueError)
    assert issubclass(errors.MissingDependencyError, ImportError)


def test_a_missing_package_names_the_extra_that_brings_it() -> None:
    with pytest.raises(
        errors.MissingDependencyError,
        match=r"Training requires json, no_such_package\. Not installed: no_such_package\. Install with "
        r"`pip install 'edgeconv\[train\]'`\.",
    ):
        errors.require("json", "no_such_package", extra="train", purpose="Training")


def test_a_parity_error_carries_its_ledger() -> None:
    assert errors.ParityError("text", ledger="the ledger").ledger == "the ledger"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a shape\n  that does not\tfit."), "a shape that does not fit"),
        (ValueError("..."), "ValueError"),
        (KeyError(), "KeyError"),
        (RuntimeError("x" * 1000), "x" * errors.MOST_LETTERS),
        ("a text\n", "a text"),
        ("a \x1b[1mbold\x1b[0m word", "a bold word"),
    ],
)
def test_errors_of_others_are_told_in_one_line(error: object, line: str) -> None:
    assert errors.one_line(error) == line


def test_a_line_may_be_kept_whole() -> None:
    assert errors.one_line("x " * 1000, most=None) == "x " * 999 + "x"


@pytest.mark.parametrize("error", [errors.DatasetError, errors.ConfigError, errors.MissingDependencyError])
def test_an_error_of_ours_is_one_line_whatever_it_repeats(error: type[errors.EdgeconvError]) -> None:
    assert str(error("a file `b\nc\u2028d\x85.csv` is ä\x1b")) == "a file `b\\u000ac\\u2028d\\u0085.csv` is ä\x1b"
