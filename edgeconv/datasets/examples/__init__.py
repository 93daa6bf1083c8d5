"""Inputs of any model, with what ought to come out: from arrays, a table of pictures, or folders of pictures."""

from edgeconv.datasets.examples.examples import Examples, is_table, open_examples

__all__ = ["Examples", "is_table", "open_examples"]
