"""Damaged files for everything that reads one: each ends in an answer, or in an error of ours of one line."""
