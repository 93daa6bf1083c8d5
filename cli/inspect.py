"""`edgeconv inspect`."""
