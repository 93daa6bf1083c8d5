"""Detectors: what their outputs hold becomes boxes and scores of one form in the file, suppressed there if asked."""
