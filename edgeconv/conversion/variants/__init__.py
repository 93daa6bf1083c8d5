"""The files that an export makes, one variant a module."""
