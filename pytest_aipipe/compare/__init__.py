"""Compare: what the code does now that it did not do before."""
