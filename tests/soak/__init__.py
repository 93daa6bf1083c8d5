"""Predictions without an end: memory stays, and each answer is the one that the first of its kind was."""
