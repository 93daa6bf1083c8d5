"""float16: weights and arithmetic narrowed, where the numbers allow it.

narrowing      the variant           float32_nodes  what stays as it is, and why
magnitudes     the largest value of each tensor on examples
"""
