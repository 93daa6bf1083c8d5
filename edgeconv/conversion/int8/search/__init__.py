"""The search for an int8 model that keeps its accuracy: ranges, rewritten weights, and layers that return to float."""
