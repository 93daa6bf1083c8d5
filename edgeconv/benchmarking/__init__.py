"""Which variant of a model to run on this device: measured, tuned, and looked into layer by layer."""
