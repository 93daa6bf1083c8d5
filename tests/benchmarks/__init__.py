"""Benchmarks: what the README's figures were measured with."""
