"""Changes of a graph that leave its answers alone, one a file.

Requires: shapes are inferred; what a pass does not know of a value it leaves alone. Call: a pass takes a model, changes
it in place in the cases that its docstring lists, and returns the number of changes. Ensures: answers, inputs and
outputs stay, and 0 is returned where nothing changed. `simplify` holds the list, and removes what nothing reads.

Fusions are matched by hand. onnxscript's rewriter (0.7) gives the same bytes, but chains of any length (`affine`, hard
sigmoids) and arithmetic on shapes (`sequences`) are no fixed patterns for it, `activations` take more lines, and
`layer_norm`, which takes fewer, is matched in one order of operands or by 288 rules that slow `simplify` down fourfold.
"""
