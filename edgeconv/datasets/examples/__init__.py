"""Inputs of any model, with what ought to come out: from arrays, a table of pictures, or folders of pictures."""

from edgeconv.datasets.examples.examples import Examples, holds_numbers, is_table, open_examples

__all__ = ["Examples", "holds_numbers", "is_table", "open_examples"]
