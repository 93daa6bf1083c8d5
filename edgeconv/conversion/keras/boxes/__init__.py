"""Which outputs of a detector hold boxes, scores and classes, and in what form."""
