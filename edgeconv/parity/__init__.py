"""The parity ledger: how well each stage does beside Keras, its gates, and the report."""
