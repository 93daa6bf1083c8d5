"""MLPerf Tiny's reference models in int8, beside what their authors made of them."""
