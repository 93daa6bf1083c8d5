"""Changes of a graph that leave its answers alone, one a file. Each takes a model and returns how many it made."""
