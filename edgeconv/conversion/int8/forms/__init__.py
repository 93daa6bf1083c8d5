"""Forms of the quantized graph: the same int8 numbers out of fewer and faster nodes, and which is fastest here."""
