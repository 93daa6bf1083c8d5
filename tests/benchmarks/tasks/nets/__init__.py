"""The networks, one a file: how each is built and trained, and what it is judged by."""
