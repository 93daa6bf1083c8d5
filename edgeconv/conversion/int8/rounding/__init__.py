"""Rounding weights by what a layer makes of its inputs, up or down, instead of each to the nearest step."""
