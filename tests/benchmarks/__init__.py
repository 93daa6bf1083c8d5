"""Benchmarks: what the figures of docs/benchmarks.md were measured with."""
