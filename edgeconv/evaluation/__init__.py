"""The parity ledger made again: on other data, on other providers, in bundles, on emulated devices."""
