"""Inputs of any model, with what ought to come out: from arrays, a table of pictures, or folders of pictures."""

from edgeconv.datasets.examples.examples import Examples, are_examples, holds_numbers, open_examples

__all__ = ["Examples", "are_examples", "holds_numbers", "open_examples"]
