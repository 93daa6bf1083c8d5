"""What is in a model's files: layers, precision, cost and contract."""
