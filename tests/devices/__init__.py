"""The int8 variants of artifacts on emulated devices: `python -m tests.devices [ARTIFACT ...]`."""
